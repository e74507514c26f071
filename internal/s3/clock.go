package s3

import (
	"context"
	"net/http"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// Clock is the store's own time, in UTC and whole seconds: the Date of its answer to a HeadBucket.
// An answer without one, as no store should give (RFC 9110, 6.6.1), is an error.
func (b *Bucket) Clock(ctx context.Context) (time.Time, error) {
	out, err := b.client.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &b.opts.Bucket, ExpectedBucketOwner: b.owner()})
	if err != nil {
		return time.Time{}, b.fail(ctx, "ask the time of", b.Location(), err)
	}
	date := ""
	if response, ok := awshttp.GetRawResponse(out.ResultMetadata).(*smithyhttp.Response); ok {
		date = response.Header.Get("Date")
	}
	at, err := http.ParseTime(date)
	if err != nil {
		return time.Time{}, fault.New(fault.Failed, subject("ask the time of", b.Location()),
			"Find the proxy that removes the header Date.", err)
	}
	return at.UTC(), nil
}
