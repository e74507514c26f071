package s3suite_test

import (
	"testing"

	"codeberg.org/pgbtui/pgbtui/test/s3server"
	"codeberg.org/pgbtui/pgbtui/test/s3suite"
)

func TestOurServerDoesWhatS3Does(t *testing.T) {
	s3suite.Run(t, s3suite.StartOurs(t))
}

func TestOurServerDoesWhatS3DoesOverTLS(t *testing.T) {
	s3suite.Run(t, s3suite.StartOurs(t, s3server.WithTLS()))
}

func TestVersitygwDoesWhatWeTakeForS3(t *testing.T) {
	s3suite.Run(t, s3suite.StartVersity(t))
}

func TestVersitygwDoesWhatWeTakeForS3OverTLS(t *testing.T) {
	s3suite.Run(t, s3suite.StartVersityTLS(t))
}

func TestMinIODoesWhatWeTakeForS3(t *testing.T) {
	s3suite.Run(t, s3suite.StartMinIO(t))
}

func TestMinIODoesWhatWeTakeForS3OverTLS(t *testing.T) {
	s3suite.Run(t, s3suite.StartMinIOTLS(t))
}
