package s3

import (
	"context"
	"errors"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// Head says what the store holds under key, its checksum included. ErrNotFound if nothing.
func (b *Bucket) Head(ctx context.Context, key string) (Object, error) {
	out, err := b.head(ctx, key)
	if err == nil {
		return objectFromHead(key, out), nil
	}
	if out, plainErr, tried := b.headWithout(ctx, key, err); tried {
		if plainErr != nil {
			return Object{}, b.fail(ctx, "head", key, plainErr)
		}
		return objectFromHead(key, out), nil
	}
	if _, elsewhere := b.byPlace(err); elsewhere || !wordless(err) || ctx.Err() != nil {
		return Object{}, b.fail(ctx, "head", key, err)
	}
	if said := b.reason(ctx, key); said != nil {
		return Object{}, b.fail(ctx, "head", key, said)
	}
	if out, err = b.head(ctx, key); err == nil {
		return objectFromHead(key, out), nil
	}
	if !wordless(err) || ctx.Err() != nil {
		return Object{}, b.fail(ctx, "head", key, err)
	}
	return Object{}, b.because("head", key, verdict{
		code: fault.NotPermitted, sentinel: errNoReason,
		remedy: "Check what the credentials may do, whether they have expired, and this host's clock (timedatectl status).",
	}, err)
}

func (b *Bucket) head(ctx context.Context, key string) (*s3.HeadObjectOutput, error) {
	in := &s3.HeadObjectInput{Bucket: &b.opts.Bucket, Key: &key, ExpectedBucketOwner: b.owner()}
	if !b.lacks.checksums.Load() {
		in.ChecksumMode = types.ChecksumModeEnabled
	}
	return b.client.HeadObject(ctx, in)
}

// headWithout asks again without a word of checksums when that may be what was refused. The answer to a HEAD has
// no body to say so in: only a store that answers without them has shown that it was.
func (b *Bucket) headWithout(
	ctx context.Context, key string, refused error,
) (out *s3.HeadObjectOutput, err error, tried bool) {
	if statusOf(refused) != http.StatusBadRequest || b.lacks.checksums.Load() || ctx.Err() != nil {
		return nil, nil, false //nolint:nilerr // the refusal stays the caller's
	}
	out, err = b.client.HeadObject(ctx, &s3.HeadObjectInput{
		Bucket: &b.opts.Bucket, Key: &key, ExpectedBucketOwner: b.owner(),
	})
	if err != nil && statusOf(err) != http.StatusNotFound {
		return nil, nil, false
	}
	// A request that was garbled on its way is refused once; a habit is one the second time too.
	if with, again := b.head(ctx, key); statusOf(again) != http.StatusBadRequest {
		return with, again, true
	}
	b.lacks.checksums.Store(true)
	return out, err, true
}

var errNoReason = errors.New("the store refuses and gives no reason")

// reason is why the store refuses a key, or nil when it does not. The answer to a HEAD has no body to
// say so in: an expired token is a bare 400, a wrong clock a bare 403. That to a GET of one byte has.
func (b *Bucket) reason(ctx context.Context, key string) error {
	out, err := b.client.GetObject(ctx, &s3.GetObjectInput{
		Bucket: &b.opts.Bucket, Key: &key, Range: aws.String("bytes=0-0"), ExpectedBucketOwner: b.owner(),
	}, b.atMost(probeAttempts))
	switch {
	case err == nil:
		_ = out.Body.Close()
		return nil
	case codeOf(err) == "InvalidRange", codeOf(err) == "InvalidObjectState": // of an empty or archived object: allowed
		return nil
	}
	return err
}
