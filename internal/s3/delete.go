package s3

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// deleteBatch is what one DeleteObjects takes.
const deleteBatch = 1000

// Delete removes keys, and returns those that are gone (a key that was not there counts as
// gone). Failures are joined, one error per key; the keys that could be deleted are deleted all
// the same.
//
// In a bucket with versions this hides and removes nothing, also where an object lock holds: a delete
// marker comes on top, reads and lists see no key, and the bytes stay (and cost) until a lifecycle
// rule or somebody with s3:DeleteObjectVersion removes them. See Versions.
func (b *Bucket) Delete(ctx context.Context, keys []string) (deleted []string, err error) {
	plain, odd := byXML(keys)
	var failed []error
	note := func(gone []string, err error) {
		deleted = append(deleted, gone...)
		if err != nil {
			failed = append(failed, err)
		}
	}
	for batch := range slices.Chunk(plain, deleteBatch) {
		if note(b.deleteBatch(ctx, batch)); ctx.Err() != nil {
			return deleted, errors.Join(failed...)
		}
	}
	note(b.deleteEach(ctx, odd))
	return deleted, errors.Join(failed...)
}

// byXML parts the keys that the XML of DeleteObjects can carry from those that would arrive as
// another key: XML 1.0 has no control characters, and its encoder puts U+FFFD in their place.
func byXML(keys []string) (plain, odd []string) {
	for _, key := range keys {
		if strings.ContainsFunc(key, noXML) {
			odd = append(odd, key)
		} else {
			plain = append(plain, key)
		}
	}
	return plain, odd
}

func noXML(r rune) bool {
	return r < 0x20 && r != '\t' && r != '\n' || r >= 0xFFFD && r <= 0xFFFF
}

func (b *Bucket) deleteBatch(ctx context.Context, keys []string) ([]string, error) {
	if b.lacks.batches.Load() {
		return b.deleteEach(ctx, keys)
	}
	ids := make([]types.ObjectIdentifier, len(keys))
	for i := range keys {
		ids[i].Key = &keys[i]
	}
	out, err := b.client.DeleteObjects(ctx, &s3.DeleteObjectsInput{
		Bucket: &b.opts.Bucket, Delete: &types.Delete{Objects: ids, Quiet: aws.Bool(true)}, ExpectedBucketOwner: b.owner(),
	})
	if err != nil {
		if batchUnsupported(err) {
			b.lacks.batches.Store(true)
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
		key := aws.ToString(e.Key)
		err := b.deleteAsSeen(ctx, key, &smithy.GenericAPIError{
			Code: aws.ToString(e.Code), Message: aws.ToString(e.Message),
		})
		if err != nil {
			bad[key] = true
			failed = append(failed, b.fail(ctx, "delete", key, err))
		}
	}
	for _, key := range keys {
		if !bad[key] {
			deleted = append(deleted, key)
		}
	}
	return deleted, errors.Join(failed...)
}

// batchUnsupported covers stores without DeleteObjects, and those that insist on another checksum.
func batchUnsupported(err error) bool {
	switch codeOf(err) {
	case "NotImplemented", "MethodNotAllowed", "MalformedXML", "MissingContentMD5", "InvalidRequest", "InvalidDigest":
		return true
	}
	return unknownToStore(err) || checksumRefused(err)
}

func (b *Bucket) deleteEach(ctx context.Context, keys []string) (deleted []string, err error) {
	var failed []error
	for _, key := range keys {
		_, err := b.client.DeleteObject(ctx, &s3.DeleteObjectInput{
			Bucket: &b.opts.Bucket, Key: &key, ExpectedBucketOwner: b.owner(),
		})
		err = b.deleteAsSeen(ctx, key, err)
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

// deleteAsSeen is the second try of a deletion that the bucket's policy denied: a policy can demand that every deletion
// names the ETag of what it deletes (s3:if-match). Any other outcome of the first is returned as it is.
func (b *Bucket) deleteAsSeen(ctx context.Context, key string, first error) error {
	if !deniedByBucket(first) || b.lacks.denies.Load() {
		return first
	}
	seen, err := b.Head(ctx, key)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil || seen.ETag == "" {
		return first
	}
	_, err = b.client.DeleteObject(ctx, &s3.DeleteObjectInput{
		Bucket: &b.opts.Bucket, Key: &key, IfMatch: &seen.ETag, ExpectedBucketOwner: b.owner(),
	})
	if deniedByBucket(err) {
		b.lacks.denies.Store(true)
		return first
	}
	return err
}

// deniedByBucket reports whether a policy of the bucket denies, in AWS's words ("Troubleshoot access denied errors").
func deniedByBucket(err error) bool {
	return codeOf(err) == "AccessDenied" && says(err, "explicit deny in a resource-based policy")
}

// DeleteIf removes a key if it still has the ETag that the caller saw; else ErrChanged is in the chain, and it stays. A
// key that is not there counts as gone. It needs s3:GetObject as well. Where the store has no conditions on deletions,
// the key is deleted all the same: whoever must know looks at a list right before.
func (b *Bucket) DeleteIf(ctx context.Context, key, etag string) error {
	if etag == "" || b.lacks.deletesIf.Load() {
		_, err := b.deleteEach(ctx, []string{key})
		return err
	}
	_, err := b.client.DeleteObject(ctx, &s3.DeleteObjectInput{
		Bucket: &b.opts.Bucket, Key: &key, IfMatch: &etag, ExpectedBucketOwner: b.owner(),
	})
	switch {
	case err == nil, codeOf(err) == "NoSuchKey":
		return nil
	case conditionsRefused(err):
		b.lacks.deletesIf.Store(true)
		_, err = b.deleteEach(ctx, []string{key})
		return err
	case conditionFailedBy(err):
		// It may be the second time that it was sent: the answer to the first was lost, and nothing is there any more.
		if _, gone := b.Head(ctx, key); errors.Is(gone, ErrNotFound) {
			return nil
		}
		return b.because("delete", key, verdict{
			code: fault.Refused, sentinel: ErrChanged, remedy: "Look at it again: somebody replaced it meanwhile.",
		}, err)
	}
	return b.fail(ctx, "delete", key, err)
}
