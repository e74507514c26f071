package s3suite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Sight is one point where stores differ, and what a store was seen to do there.
type Sight struct {
	Point string
	Seen  string
}

// Observe tries the points where stores are known to differ from Amazon S3, without any expectation. The store
// must take parts of any size, and TLS, without which the SDK sends no trailing checksum.
func Observe(t *testing.T, s Store) []Sight {
	t.Helper()
	o := newSession(t, s)
	o.c = s.Client(t, func(options *s3.Options) {
		options.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
		options.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenRequired
	})
	return []Sight{
		{"checksum of an object", o.seeChecksum()},
		{"trailing checksum", o.seeTrailer()},
		{"If-None-Match of a put", o.seeIfNoneMatch()},
		{"If-Match of a put", o.seeIfMatch()},
		{"If-Match without an object", o.seeIfMatchOfNothing()},
		{"list of uploads", o.seeUploads()},
		{"number of parts", o.seeMostParts()},
		{"parts of several sizes", o.seeUnequalParts()},
		{"encryption by the store", o.seePut(func(in *s3.PutObjectInput) { in.ServerSideEncryption = "AES256" })},
		{"expected bucket owner", o.seeOwner()},
		{"delete of several", o.seeDeletes()},
		{"versioning and object lock", o.seeProtection()},
		{"a folder that was emptied", o.seeEmptied()},
		{"region us-east-1", o.seeRegion()},
		{"words of an error", o.seeWords()},
		{"clock", o.seeClock()},
	}
}

// said is how a store answered: status and code of an error.
func said(err error) string {
	var api smithy.APIError
	var response *smithyhttp.ResponseError
	switch {
	case err == nil:
		return "taken"
	case errors.As(err, &response) && errors.As(err, &api):
		return fmt.Sprintf("%d %s", response.HTTPStatusCode(), api.ErrorCode())
	case errors.As(err, &response):
		return fmt.Sprint(response.HTTPStatusCode())
	}
	return err.Error()
}

func (s *session) seePut(change ...func(*s3.PutObjectInput)) string {
	_, err := s.put("see-"+random(4), []byte("x"), change...)
	return said(err)
}

func (s *session) seeChecksum() string {
	body := []byte("sum")
	_, err := s.put("sum", body, func(in *s3.PutObjectInput) {
		in.ChecksumAlgorithm = types.ChecksumAlgorithmCrc64nvme
		in.ChecksumCRC64NVME = aws.String(sum(types.ChecksumAlgorithmCrc64nvme, body))
	})
	if err != nil {
		s.mustPut("sum", body)
	}
	out, headErr := s.head("sum", func(in *s3.HeadObjectInput) { in.ChecksumMode = types.ChecksumModeEnabled })
	switch {
	case err != nil && headErr != nil:
		return said(err) + ", and " + said(headErr) + " when it is asked for"
	case err != nil:
		return said(err)
	case headErr != nil:
		return said(headErr) + " when it is asked for"
	case out.ChecksumCRC64NVME == nil:
		return "not kept"
	}
	return "kept"
}

func (s *session) seeTrailer() string {
	c := s.Client(s.T, func(o *s3.Options) { o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenSupported })
	_, err := c.PutObject(s.ctx, &s3.PutObjectInput{
		Bucket: &s.Bucket, Key: s.key("trailer"), Body: bytes.NewReader([]byte("x")),
	})
	return said(err)
}

func (s *session) seeIfNoneMatch() string {
	s.mustPut("none", []byte("x"))
	return s.seePut(func(in *s3.PutObjectInput) { in.Key, in.IfNoneMatch = s.key("none"), aws.String("*") })
}

func (s *session) seeIfMatch() string {
	s.mustPut("match", []byte("x"))
	return s.seePut(func(in *s3.PutObjectInput) { in.Key, in.IfMatch = s.key("match"), aws.String(`"other"`) })
}

func (s *session) seeIfMatchOfNothing() string {
	return s.seePut(func(in *s3.PutObjectInput) { in.IfMatch = aws.String(`"other"`) })
}

func (s *session) seeUploads() string {
	b := s.begin("uploads/one")
	defer b.giveUp()
	for _, ask := range []struct{ prefix, word string }{
		{s.prefix + "uploads/", "by prefix"},
		{*b.key, "by the whole key"},
	} {
		out, err := s.c.ListMultipartUploads(s.ctx, &s3.ListMultipartUploadsInput{Bucket: &s.Bucket, Prefix: &ask.prefix})
		if err != nil {
			return said(err)
		}
		if slices.ContainsFunc(out.Uploads, func(u types.MultipartUpload) bool { return *u.Key == *b.key }) {
			return ask.word
		}
	}
	return "not shown"
}

func (b *begun) giveUp() {
	_, _ = b.s.c.AbortMultipartUpload(context.WithoutCancel(b.s.ctx), &s3.AbortMultipartUploadInput{
		Bucket: &b.s.Bucket, Key: b.key, UploadId: b.id,
	})
}

func (s *session) seeMostParts() string {
	b := s.begin("parts")
	defer b.giveUp()
	for _, most := range []int32{10_000, 1000} {
		if _, err := b.part(most, []byte("x")); err == nil {
			return fmt.Sprint(most)
		}
	}
	return "fewer than 1000"
}

func (s *session) seeUnequalParts() string {
	b := s.begin("sizes")
	defer b.giveUp()
	for _, size := range []int{1, 2, 1} {
		b.add(noise(size * minPart))
	}
	_, err := b.complete()
	return said(err)
}

func (s *session) seeOwner() string {
	_, err := s.c.HeadBucket(s.ctx, &s3.HeadBucketInput{
		Bucket: &s.Bucket, ExpectedBucketOwner: aws.String("000000000000"),
	})
	return said(err)
}

func (s *session) seeDeletes() string {
	s.mustPut("gone", []byte("x"))
	c := s.Client(s.T)
	_, err := c.DeleteObjects(s.ctx, &s3.DeleteObjectsInput{
		Bucket: &s.Bucket, Delete: &types.Delete{Objects: []types.ObjectIdentifier{{Key: s.key("gone")}}},
	})
	return said(err)
}

func (s *session) seeProtection() string {
	_, err := s.c.GetBucketVersioning(s.ctx, &s3.GetBucketVersioningInput{Bucket: &s.Bucket})
	if err != nil {
		return said(err)
	}
	return "told"
}

func (s *session) seeEmptied() string {
	s.mustPut("folder/one", []byte("x"))
	_, err := s.c.DeleteObject(s.ctx, &s3.DeleteObjectInput{Bucket: &s.Bucket, Key: s.key("folder/one")})
	s.ok(err)
	out, err := s.c.ListObjectsV2(s.ctx, &s3.ListObjectsV2Input{
		Bucket: &s.Bucket, Prefix: &s.prefix, Delimiter: aws.String("/"),
	})
	s.ok(err)
	folder := s.prefix + "folder/"
	if slices.ContainsFunc(out.CommonPrefixes, func(p types.CommonPrefix) bool { return *p.Prefix == folder }) {
		return "stays listed"
	}
	return "is gone"
}

func (s *session) seeRegion() string {
	c := s.Client(s.T, func(o *s3.Options) { o.Region = "us-east-1" })
	_, err := c.ListObjectsV2(s.ctx, &s3.ListObjectsV2Input{Bucket: &s.Bucket, MaxKeys: aws.Int32(1)})
	return said(err)
}

func (s *session) seeWords() string {
	_, _, err := s.get("missing")
	var api smithy.APIError
	if errors.As(err, &api) && api.ErrorMessage() != "" && api.ErrorMessage() != "UnknownError" {
		return "code and message"
	}
	return "code alone"
}

func (s *session) seeClock() string {
	out, err := s.c.HeadBucket(s.ctx, &s3.HeadBucketInput{Bucket: &s.Bucket})
	s.ok(err)
	response, _ := middleware.GetRawResponse(out.ResultMetadata).(*smithyhttp.Response)
	at, err := http.ParseTime(response.Header.Get("Date"))
	s.ok(err)
	_, _ = io.Copy(io.Discard, response.Body)
	if off := time.Until(at).Round(5 * time.Minute); off != 0 {
		return "off by " + off.String()
	}
	return "right"
}
