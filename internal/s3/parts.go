package s3

import (
	"context"
	"math"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// UploadedParts is what an open upload has stored so far. It is billed like objects are.
type UploadedParts struct {
	Bytes        int64
	Newest       time.Time // when the newest part came, by the store's clock; zero: there is none
	StorageClass string
}

// Parts asks what an open upload has stored. An upload that is gone has nothing.
func (b *Bucket) Parts(ctx context.Context, u OpenUpload) (UploadedParts, error) {
	in := &s3.ListPartsInput{Bucket: &b.opts.Bucket, Key: &u.Key, UploadId: &u.UploadID, ExpectedBucketOwner: b.owner()}
	var all UploadedParts
	for {
		page, err := b.client.ListParts(ctx, in)
		if codeOf(err) == "NoSuchUpload" {
			return UploadedParts{}, nil
		}
		if err != nil {
			return UploadedParts{}, b.fail(ctx, "list parts", u.Key, err)
		}
		all.StorageClass = string(page.StorageClass)
		for _, p := range page.Parts {
			all.Bytes += min(bytesOf(p.Size), math.MaxInt64-all.Bytes)
			if at := aws.ToTime(p.LastModified); at.After(all.Newest) {
				all.Newest = at.UTC()
			}
		}
		if !aws.ToBool(page.IsTruncated) {
			return all, nil
		}
		if sameOrNone(in.PartNumberMarker, page.NextPartNumberMarker) {
			return UploadedParts{}, b.fail(ctx, "list parts", u.Key, errEndless)
		}
		in.PartNumberMarker = page.NextPartNumberMarker
	}
}
