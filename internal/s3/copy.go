package s3

import (
	"context"
	"errors"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// LargestCopy is how large an object may be that the store copies by one request ("CopyObject" in the S3 API
// reference), in bytes.
const LargestCopy = 5 << 30

// Copy has the store itself copy an object of another of its buckets to key, as it is now: if it was replaced
// meanwhile, the error is ErrChanged. The credentials are this bucket's, and may have to read the other one. Class is
// that of the copy, "" the store's default; the encryption is this bucket's own. What came of it is for Head to tell.
func (b *Bucket) Copy(ctx context.Context, from *Bucket, source Object, key string, o PutOptions) error {
	meta, _ := withToken(o.Metadata, source.SHA256)
	in := &s3.CopyObjectInput{
		Bucket: &b.opts.Bucket, Key: &key, CopySource: aws.String(copySource(from.opts.Bucket, source.Key)),
		CopySourceIfMatch: optional(source.ETag), MetadataDirective: types.MetadataDirectiveReplace, Metadata: meta,
		ContentType: optional(o.ContentType), StorageClass: types.StorageClass(o.Class),
		ExpectedBucketOwner: b.owner(), ExpectedSourceBucketOwner: from.owner(),
		ChecksumAlgorithm: types.ChecksumAlgorithmCrc64nvme,
	}
	in.ServerSideEncryption, in.SSEKMSKeyId = b.sse()
	if b.lacks.checksums.Load() {
		in.ChecksumAlgorithm = ""
	}
	_, err := b.client.CopyObject(ctx, in)
	switch {
	case err == nil:
		return nil
	case conditionFailedBy(err):
		return b.because("copy to", key, verdict{
			code: fault.Integrity, sentinel: ErrChanged, remedy: "Run again: the object was replaced meanwhile.",
		}, errors.New("the source was replaced"))
	}
	return b.failWrite(ctx, "copy to", key, err)
}

// copySource is the header's form: bucket and key, each part of the key URL-encoded.
func copySource(bucket, key string) string {
	parts := strings.Split(key, "/")
	for i := range parts {
		// a plus sign would be read as a space
		parts[i] = strings.ReplaceAll(url.PathEscape(parts[i]), "+", "%2B")
	}
	return bucket + "/" + strings.Join(parts, "/")
}

// SameStore reports whether both are buckets of one store, which may copy between them by itself.
func (b *Bucket) SameStore(other *Bucket) bool { return b.endpoint == other.endpoint }
