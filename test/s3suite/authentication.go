package s3suite

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

func hexOf(b []byte) string    { return hex.EncodeToString(b) }
func base64Of(b []byte) string { return base64.StdEncoding.EncodeToString(b) }
func now() time.Time           { return time.Now() }

// http is the SDK client's own HTTP client, which trusts the store's CA.
func (s *session) http() s3.HTTPClient { return s.c.Options().HTTPClient }

func authentication(s *session) {
	as := func(key, secret string) func(*s3.Options) {
		return func(o *s3.Options) { o.Credentials = credentials.NewStaticCredentialsProvider(key, secret, "") }
	}
	list := &s3.ListObjectsV2Input{Bucket: &s.Bucket}
	_, err := s.Client(s.T, as(s.AccessKey, "wrong-secret")).ListObjectsV2(s.ctx, list)
	s.fails(err, "SignatureDoesNotMatch")
	s.status(err, http.StatusForbidden)
	_, err = s.Client(s.T, as("NOBODYSKEY", s.SecretKey)).ListObjectsV2(s.ctx, list)
	s.fails(err, s.Features.UnknownKeyCode)
	_, err = s.Client(s.T, as(s.AccessKey, "wrong-secret")).PutObject(s.ctx, &s3.PutObjectInput{
		Bucket: &s.Bucket, Key: s.key("a"), Body: bytes.NewReader(noise(200_000)),
	})
	s.fails(err, "SignatureDoesNotMatch")
	s.absent("a")
	_, err = s.Client(s.T, func(o *s3.Options) { o.Region = "eu-north-1" }).ListObjectsV2(s.ctx, list)
	if s.Features.AnyRegion {
		s.ok(err)
	} else {
		s.fails(err, "AuthorizationHeaderMalformed")
	}
	for _, off := range []time.Duration{-16 * time.Minute, 16 * time.Minute} {
		_, err = s.Client(s.T, func(o *s3.Options) { o.HTTPSignerV4 = skewedSigner{off} }).ListObjectsV2(s.ctx, list)
		s.fails(err, "RequestTimeTooSkewed")
	}
	answer := s.raw(http.MethodGet, s.Endpoint+"/"+s.Bucket, "")
	same(s, "unsigned", answer, http.StatusForbidden)
}

// raw sends a request as it is and returns the status.
func (s *session) raw(method, url, body string) int {
	s.Helper()
	request, err := http.NewRequestWithContext(s.ctx, method, url, strings.NewReader(body))
	s.ok(err)
	answer, err := s.http().Do(request)
	s.ok(err)
	_, _ = io.Copy(io.Discard, answer.Body)
	_ = answer.Body.Close()
	return answer.StatusCode
}

func presigned(s *session) {
	signer := s3.NewPresignClient(s.c)
	put, err := signer.PresignPutObject(s.ctx, &s3.PutObjectInput{Bucket: &s.Bucket, Key: s.key("a b+c")})
	s.ok(err)
	same(s, "put", s.raw(put.Method, put.URL, "presigned body"), http.StatusOK)
	s.holds("a b+c", []byte("presigned body"))
	get, err := signer.PresignGetObject(s.ctx, &s3.GetObjectInput{Bucket: &s.Bucket, Key: s.key("a b+c")})
	s.ok(err)
	same(s, "get", s.raw(get.Method, get.URL, ""), http.StatusOK)
	same(s, "another key", s.raw(get.Method, strings.Replace(get.URL, "b%2Bc", "b%2Bd", 1), ""), http.StatusForbidden)
	late, err := signer.PresignGetObject(s.ctx, &s3.GetObjectInput{Bucket: &s.Bucket, Key: s.key("a b+c")}, func(o *s3.PresignOptions) {
		o.Presigner, o.Expires = latePresigner{}, time.Minute
	})
	s.ok(err)
	same(s, "expired", s.raw(late.Method, late.URL, ""), http.StatusForbidden)
}
