package s3

import (
	"context"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// probeAttempts: somebody is waiting for the answer.
const probeAttempts = 3

// Probe asks whether the bucket is there and may be used. It tells apart: no such bucket
// (fault.NotFound), denied (NotPermitted), a bucket in another region (Config, with the right
// one), a store that is not reached (Unavailable), certificates and clocks, a bucket of another account.
func (b *Bucket) Probe(ctx context.Context) error {
	err := b.headBucketOf(ctx, b.owner())
	if err == nil {
		return nil
	}
	if b.ofAnother(ctx, err) {
		return fault.New(fault.NotPermitted, subject("probe", b.Location()),
			"Find out what happened to your bucket. Until then nothing is written to it or read from it.",
			&cause{
				text: "the bucket belongs to another account than " + visible(b.opts.ExpectedBucketOwner), sentinel: ErrOtherOwner,
				err: err,
			})
	}
	if skew := skewOf(err); wordless(err) && skew.Abs() > allowedSkew {
		// The SDK corrects for it once it knows, but times in names and retention would be wrong too.
		return fault.New(fault.NotPermitted, subject("probe", b.Location()), "Set this host's clock (timedatectl status).",
			&cause{text: "this host's clock is off by " + skew.Round(time.Second).String() + " from the store's", err: err})
	}
	if _, elsewhere := b.byPlace(err); !elsewhere && wordless(err) {
		// The answer to a HEAD has no body, so no reason. A list of one has.
		_, err = b.client.ListObjectsV2(ctx, &s3.ListObjectsV2Input{
			Bucket: &b.opts.Bucket, MaxKeys: aws.Int32(1), ExpectedBucketOwner: b.owner(),
		}, b.atMost(probeAttempts))
		if err == nil {
			return nil
		}
	}
	if statusOf(err) == http.StatusNotFound {
		v, _ := b.byCode("NoSuchBucket")
		return fault.New(v.code, subject("probe", b.Location()), v.remedy,
			&cause{text: "no such bucket", sentinel: ErrNotFound, err: err})
	}
	return b.fail(ctx, "probe", b.Location(), err)
}

// allowedSkew is well below the 15 minutes at which S3 refuses a request.
const allowedSkew = 5 * time.Minute

// skewOf is how far this host's clock is ahead of the Date of the answer, 0 if it has none.
func skewOf(err error) time.Duration {
	at, parseErr := http.ParseTime(headerOf(err, "Date"))
	if parseErr != nil {
		return 0
	}
	return time.Since(at)
}

// wordless reports whether err is a refusal that came without the store's reason.
func wordless(err error) bool {
	status := statusOf(err)
	return status == http.StatusForbidden || status == http.StatusBadRequest
}
