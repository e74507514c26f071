package s3

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
)

// deleteBatch is what one DeleteObjects takes.
const deleteBatch = 1000

// Delete removes keys, and returns those that are gone (a key that was not there counts as
// gone). Failures are joined, one error per key; the keys that could be deleted are deleted all
// the same. In a bucket with versions the newest version is hidden, not removed.
func (b *Bucket) Delete(ctx context.Context, keys []string) (deleted []string, err error) {
	var failed []error
	for batch := range slices.Chunk(keys, deleteBatch) {
		gone, err := b.deleteBatch(ctx, batch)
		deleted = append(deleted, gone...)
		if err != nil {
			failed = append(failed, err)
		}
		if ctx.Err() != nil {
			break
		}
	}
	return deleted, errors.Join(failed...)
}

func (b *Bucket) deleteBatch(ctx context.Context, keys []string) ([]string, error) {
	ids := make([]types.ObjectIdentifier, len(keys))
	for i := range keys {
		ids[i].Key = &keys[i]
	}
	out, err := b.client.DeleteObjects(ctx, &s3.DeleteObjectsInput{
		Bucket: &b.opts.Bucket, Delete: &types.Delete{Objects: ids, Quiet: aws.Bool(true)}, ExpectedBucketOwner: b.owner(),
	})
	if err != nil {
		if batchUnsupported(err) {
			return b.deleteEach(ctx, keys)
		}
		return nil, b.fail(ctx, "delete", keys[0], err)
	}
	return b.sortOut(ctx, keys, out.Errors)
}

// sortOut tells the deleted keys from the failed ones. In quiet mode the store names only the
// latter, so that the names of a thousand keys need no second trip through XML.
func (b *Bucket) sortOut(ctx context.Context, keys []string, refused []types.Error) (deleted []string, err error) {
	bad := make(map[string]bool, len(refused))
	var failed []error
	for _, e := range refused {
		bad[aws.ToString(e.Key)] = true
		failed = append(failed, b.fail(ctx, "delete", aws.ToString(e.Key), &smithy.GenericAPIError{
			Code: aws.ToString(e.Code), Message: aws.ToString(e.Message),
		}))
	}
	for _, key := range keys {
		if !bad[key] {
			deleted = append(deleted, key)
		}
	}
	return deleted, errors.Join(failed...)
}

// batchUnsupported covers stores without DeleteObjects, those that insist on another checksum,
// and keys that XML cannot carry.
func batchUnsupported(err error) bool {
	switch codeOf(err) {
	case "NotImplemented", "MethodNotAllowed", "MalformedXML", "MissingContentMD5", "InvalidRequest", "InvalidDigest":
		return true
	}
	status := statusOf(err)
	return status == http.StatusNotImplemented || status == http.StatusMethodNotAllowed
}

func (b *Bucket) deleteEach(ctx context.Context, keys []string) (deleted []string, err error) {
	var failed []error
	for _, key := range keys {
		_, err := b.client.DeleteObject(ctx, &s3.DeleteObjectInput{
			Bucket: &b.opts.Bucket, Key: &key, ExpectedBucketOwner: b.owner(),
		})
		if err != nil && codeOf(err) != "NoSuchKey" {
			failed = append(failed, b.fail(ctx, "delete", key, err))
			if ctx.Err() != nil {
				break
			}
			continue
		}
		deleted = append(deleted, key)
	}
	return deleted, errors.Join(failed...)
}
