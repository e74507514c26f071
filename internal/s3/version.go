package s3

import (
	"context"
	"iter"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// Version is one version of a key in a bucket that keeps versions. A marker is what a delete left: it
// has no bytes and hides the versions below it.
type Version struct {
	Object
	Latest bool // what a read of the key meets
	Marker bool
}

// Versions yields every version and delete marker below prefix, page by page. Within a page versions come
// before markers. In a bucket that never had versions each object is one version; a store that does not
// have the call yields none. The first error ends it.
func (b *Bucket) Versions(ctx context.Context, prefix string) iter.Seq2[Version, error] {
	return func(yield func(Version, error) bool) {
		for page, err := range b.versionPages(ctx, prefix) {
			if err != nil {
				yield(Version{}, err)
				return
			}
			for _, v := range versionsOf(page) {
				if v.Key, err = decodeKey(page.EncodingType, &v.Key); err != nil {
					err = b.fail(ctx, "list versions", prefix, err)
				}
				if !yield(v, err) || err != nil {
					return
				}
			}
		}
	}
}

func versionsOf(page *s3.ListObjectVersionsOutput) []Version {
	var all []Version
	for _, v := range page.Versions {
		all = append(all, Version{Latest: aws.ToBool(v.IsLatest), Object: Object{
			Key: aws.ToString(v.Key), Size: bytesOf(v.Size), ETag: aws.ToString(v.ETag), VersionID: aws.ToString(v.VersionId),
			StorageClass: string(v.StorageClass), LastModified: aws.ToTime(v.LastModified),
		}})
	}
	for _, m := range page.DeleteMarkers {
		all = append(all, Version{Latest: aws.ToBool(m.IsLatest), Marker: true, Object: Object{
			Key: aws.ToString(m.Key), VersionID: aws.ToString(m.VersionId), LastModified: aws.ToTime(m.LastModified),
		}})
	}
	return all
}

func (b *Bucket) versionPages(ctx context.Context, prefix string) iter.Seq2[*s3.ListObjectVersionsOutput, error] {
	in := &s3.ListObjectVersionsInput{
		Bucket: &b.opts.Bucket, Prefix: &prefix, EncodingType: types.EncodingTypeUrl, ExpectedBucketOwner: b.owner(),
	}
	return func(yield func(*s3.ListObjectVersionsOutput, error) bool) {
		for {
			page, err := b.client.ListObjectVersions(ctx, in)
			if unknownToStore(err) {
				return
			}
			if err != nil {
				yield(nil, b.fail(ctx, "list versions", orDefault(prefix, b.Location()), err))
				return
			}
			if !yield(page, nil) || !aws.ToBool(page.IsTruncated) {
				return
			}
			next, err := decodeKey(page.EncodingType, page.NextKeyMarker)
			if err == nil && next == aws.ToString(in.KeyMarker) && sameOrNone(in.VersionIdMarker, page.NextVersionIdMarker) {
				err = errEndless
			}
			if err != nil {
				yield(nil, b.fail(ctx, "list versions", orDefault(prefix, b.Location()), err))
				return
			}
			in.KeyMarker, in.VersionIdMarker = &next, page.NextVersionIdMarker
		}
	}
}
