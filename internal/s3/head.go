package s3

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// Head says what the store holds under key, its checksum included. ErrNotFound if nothing.
func (b *Bucket) Head(ctx context.Context, key string) (Object, error) {
	out, err := b.client.HeadObject(ctx, &s3.HeadObjectInput{
		Bucket: &b.opts.Bucket, Key: &key, ChecksumMode: types.ChecksumModeEnabled, ExpectedBucketOwner: b.owner(),
	})
	if err != nil {
		return Object{}, b.fail(ctx, "head", key, err)
	}
	return objectFromHead(key, out), nil
}
