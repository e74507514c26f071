package s3suite

import (
	"testing"

	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// StartOurs starts the server of this repository for one test.
func StartOurs(t testing.TB, opts ...s3server.Option) Store {
	t.Helper()
	r := s3server.Start(t, opts...)
	return Store{
		Endpoint: r.Endpoint, AccessKey: r.AccessKey, SecretKey: r.SecretKey, Region: r.Region,
		Bucket: r.Bucket, CAFile: r.CAFile, Features: Ours(),
	}
}
