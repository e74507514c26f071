package s3suite

import (
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// clock: every answer carries the store's time, by which retention checks the host's.
func clock(s *session) {
	out, err := s.c.HeadBucket(s.ctx, &s3.HeadBucketInput{Bucket: &s.Bucket})
	s.ok(err)
	response, ok := middleware.GetRawResponse(out.ResultMetadata).(*smithyhttp.Response)
	if !ok {
		s.Fatal("the SDK gives no answer to look at")
	}
	at, err := http.ParseTime(response.Header.Get("Date"))
	s.ok(err)
	same(s, "the store is on this machine, and so is its clock", time.Since(at).Abs() < time.Hour, true)
}
