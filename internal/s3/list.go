package s3

import (
	"context"
	"errors"
	"iter"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

var errEndless = errors.New("the store gives the same page again and again")

// List yields every object below prefix, in the store's order, page by page. The first error
// ends it. Keys are taken apart from URL encoding, so that any byte in a key comes through.
func (b *Bucket) List(ctx context.Context, prefix string) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		for page, err := range b.ListPages(ctx, prefix, "") {
			if err != nil {
				yield(Object{}, err)
				return
			}
			for _, o := range page.Objects {
				if !yield(o.object(), nil) {
					return
				}
			}
		}
	}
}

// Listed is what a list tells of an object. Its texts are parts of the whole page's: whoever keeps one for
// longer keeps them all, or clones it.
type Listed struct {
	Key          string
	ETag         string
	StorageClass string // "" is STANDARD
	Size         int64  // bytes
	LastModified time.Time
}

func (o Listed) object() Object {
	return Object{
		Key: strings.Clone(o.Key), Size: o.Size, ETag: strings.Clone(o.ETag), StorageClass: strings.Clone(o.StorageClass),
		LastModified: o.LastModified,
	}
}

// Page is what one request of a list gave.
type Page struct {
	Objects []Listed
	More    bool // there are further pages
}

// ListPages is List by pages, without the keys up to and with after; "" leaves none out.
func (b *Bucket) ListPages(ctx context.Context, prefix, after string) iter.Seq2[Page, error] {
	return func(yield func(Page, error) bool) {
		read := &listPage{}
		for out, err := range b.pages(ctx, listing{prefix: prefix, after: after}, read.decode) {
			if err != nil {
				yield(Page{}, err)
				return
			}
			objects, err := read.objects()
			if err != nil {
				yield(Page{}, b.fail(ctx, "list", prefix, err))
				return
			}
			if !yield(Page{Objects: objects, More: aws.ToBool(out.IsTruncated)}, nil) {
				return
			}
		}
	}
}

// ListDirs returns the next level of "folders" below prefix, whole and with their slash at the
// end. The prefix itself should end in a slash, or be empty.
func (b *Bucket) ListDirs(ctx context.Context, prefix string) ([]string, error) {
	var dirs []string
	for page, err := range b.pages(ctx, listing{prefix: prefix, delimiter: "/"}) {
		if err != nil {
			return nil, err
		}
		for _, p := range page.CommonPrefixes {
			dir, err := decodeKey(page.EncodingType, p.Prefix)
			if err != nil {
				return nil, b.fail(ctx, "list", prefix, err)
			}
			dirs = append(dirs, dir)
		}
	}
	return dirs, nil
}

// listing is what is asked for.
type listing struct{ prefix, delimiter, after string }

func (b *Bucket) pages(
	ctx context.Context, ask listing, change ...func(*s3.Options),
) iter.Seq2[*s3.ListObjectsV2Output, error] {
	in := &s3.ListObjectsV2Input{
		Bucket: &b.opts.Bucket, Prefix: &ask.prefix, Delimiter: optional(ask.delimiter), StartAfter: optional(ask.after),
		EncodingType: types.EncodingTypeUrl, ExpectedBucketOwner: b.owner(),
	}
	return func(yield func(*s3.ListObjectsV2Output, error) bool) {
		for {
			page, err := b.client.ListObjectsV2(ctx, in, change...)
			if err == nil && aws.ToBool(page.IsTruncated) && sameOrNone(in.ContinuationToken, page.NextContinuationToken) {
				err = errEndless
			}
			if err != nil {
				yield(nil, b.fail(ctx, "list", orDefault(ask.prefix, b.Location()), err))
				return
			}
			if !yield(page, nil) || !aws.ToBool(page.IsTruncated) {
				return
			}
			in.ContinuationToken = page.NextContinuationToken
		}
	}
}

func sameOrNone(before, next *string) bool {
	return aws.ToString(next) == "" || aws.ToString(before) == aws.ToString(next)
}

// decodeKey undoes the encoding that was asked for, if the store says that it applied it.
func decodeKey(enc types.EncodingType, key *string) (string, error) {
	if enc != types.EncodingTypeUrl {
		return aws.ToString(key), nil
	}
	return url.QueryUnescape(aws.ToString(key))
}

// OpenUpload is a multipart upload that was neither completed nor aborted.
type OpenUpload struct {
	Key       string
	UploadID  string
	Initiated time.Time
}

// maxUploads is how many open uploads are told of at once. A run leaves one; whoever aborts them all
// and asks again sees the next ones.
const maxUploads = 10_000

// Uploads lists the open multipart uploads below prefix, the first maxUploads: litter of runs that
// died, and uploads that are under way.
func (b *Bucket) Uploads(ctx context.Context, prefix string) ([]OpenUpload, error) {
	in := &s3.ListMultipartUploadsInput{
		Bucket: &b.opts.Bucket, Prefix: &prefix, EncodingType: types.EncodingTypeUrl, ExpectedBucketOwner: b.owner(),
	}
	var open []OpenUpload
	for {
		page, err := b.client.ListMultipartUploads(ctx, in)
		if unknownToStore(err) {
			return nil, b.because("list uploads", prefix, verdict{
				code: fault.Failed, sentinel: ErrUploadsUnlisted,
				remedy: "Let a lifecycle rule abort uploads that nobody completes.",
			}, err)
		}
		if err != nil {
			return nil, b.fail(ctx, "list uploads", prefix, err)
		}
		for _, u := range page.Uploads {
			key, err := decodeKey(page.EncodingType, u.Key)
			if err != nil {
				return nil, b.fail(ctx, "list uploads", prefix, err)
			}
			open = append(open, OpenUpload{Key: key, UploadID: aws.ToString(u.UploadId), Initiated: aws.ToTime(u.Initiated)})
		}
		if !aws.ToBool(page.IsTruncated) || len(open) >= maxUploads {
			return open, nil
		}
		marker, err := decodeKey(page.EncodingType, page.NextKeyMarker)
		if err != nil || marker == aws.ToString(in.KeyMarker) && sameOrNone(in.UploadIdMarker, page.NextUploadIdMarker) {
			return nil, b.fail(ctx, "list uploads", prefix, errEndless)
		}
		in.KeyMarker, in.UploadIdMarker = &marker, page.NextUploadIdMarker
	}
}

// AbortUpload frees the parts of an open upload. One that is gone already is no error.
func (b *Bucket) AbortUpload(ctx context.Context, u OpenUpload) error {
	_, err := b.client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{
		Bucket: &b.opts.Bucket, Key: &u.Key, UploadId: &u.UploadID, ExpectedBucketOwner: b.owner(),
	})
	if err == nil || codeOf(err) == "NoSuchUpload" {
		return nil
	}
	return b.fail(ctx, "abort upload", u.Key, err)
}
