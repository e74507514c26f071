// Package s3suite is what pgbtui expects of an S3 store, as one suite that runs against any: the server of
// this repository, and versitygw, which others wrote. It speaks through the raw AWS SDK, so that it
// shares no mistake with internal/s3.
//
// Rules: each case works below a prefix of its own and leaves nothing it needs; what a store is known to do
// differently is a field of Features, so every exception is in sight.
package s3suite

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"net/http"
	"os"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Store is a running store with an existing bucket.
type Store struct {
	Endpoint  string
	AccessKey string
	SecretKey string
	Region    string
	Bucket    string
	CAFile    string // PEM to trust; "" for the system's
	Features  Features
}

// Client is an SDK client of the store that retries nothing. Idle connections end with the test.
func (s Store) Client(t testing.TB, change ...func(*s3.Options)) *s3.Client {
	t.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: 32}
	t.Cleanup(transport.CloseIdleConnections)
	if s.CAFile != "" {
		pem, err := os.ReadFile(s.CAFile)
		pool := x509.NewCertPool()
		if err != nil || !pool.AppendCertsFromPEM(pem) {
			t.Fatalf("read CA %s: %v", s.CAFile, err)
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	return s3.New(s3.Options{
		BaseEndpoint: aws.String(s.Endpoint), UsePathStyle: true, Region: s.Region, Retryer: aws.NopRetryer{},
		Credentials: credentials.NewStaticCredentialsProvider(s.AccessKey, s.SecretKey, ""),
		HTTPClient:  &http.Client{Transport: transport},
	}, change...)
}

// Run holds the store to everything.
func Run(t *testing.T, s Store) {
	for _, c := range []struct {
		name string
		run  func(*session)
	}{
		{"buckets", buckets},
		{"clock", clock},
		{"objects", objects},
		{"ranges", ranges},
		{"keys", keys},
		{"settings", settings},
		{"deletes", deletes},
		{"copies", copies},
		{"checksums", checksums},
		{"conditions", conditions},
		{"multipart", multipart},
		{"multipart rules", multipartRules},
		{"multipart checksums", multipartChecksums},
		{"uploads", uploads},
		{"versions", versions},
		{"locks", locks},
		{"lifecycle", lifecycle},
		{"archives", archives},
		{"bucket settings", bucketSettings},
		{"lists", lists},
		{"authentication", authentication},
		{"presigned", presigned},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(newSession(t, s)) })
	}
}

// session is one case under way.
type session struct {
	*testing.T
	Store
	ctx    context.Context
	c      *s3.Client
	prefix string
}

func newSession(t *testing.T, s Store) *session {
	return &session{T: t, Store: s, ctx: t.Context(), c: s.Client(t), prefix: "suite-" + random(8) + "/"}
}

func (s *session) sub(name string, run func(*session)) {
	s.Helper()
	s.Run(name, func(t *testing.T) {
		t.Helper()
		run(newSession(t, s.Store))
	})
}

// key is a name of the case's own.
func (s *session) key(name string) *string { return aws.String(s.prefix + name) }

// ok ends the case on an error.
func (s *session) ok(err error) {
	s.Helper()
	if err != nil {
		s.Fatalf("unexpected error: %v", err)
	}
}

// fails wants an S3 error of one of the codes. HEAD answers have no body, so there the SDK makes
// a code of the status.
func (s *session) fails(err error, codes ...string) {
	s.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) {
		s.Fatalf("want %v, got %v", codes, err)
	}
	for _, code := range codes {
		if api.ErrorCode() == code {
			return
		}
	}
	s.Fatalf("want %v, got %s: %v", codes, api.ErrorCode(), err)
}

// status wants an HTTP status.
func (s *session) status(err error, want int) {
	s.Helper()
	var response *smithyhttp.ResponseError
	if !errors.As(err, &response) || response.HTTPStatusCode() != want {
		s.Fatalf("want status %d, got %v", want, err)
	}
}

func same[T comparable](s *session, what string, got, want T) {
	s.Helper()
	if got != want {
		s.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func random(n int) string { return hex.EncodeToString(noise(n)) }

// noise is n random bytes.
func noise(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails, see crypto/rand
	return b
}
