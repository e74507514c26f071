package s3suite

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// listAll pages through the case's keys, URL-encoded on the way since XML cannot hold every key.
func (s *session) listAll(change func(*s3.ListObjectsV2Input)) []string {
	s.Helper()
	in := &s3.ListObjectsV2Input{Bucket: &s.Bucket, Prefix: &s.prefix, EncodingType: types.EncodingTypeUrl}
	if change != nil {
		change(in)
	}
	var found []string
	for {
		out, err := s.c.ListObjectsV2(s.ctx, in)
		s.ok(err)
		for _, o := range out.Contents {
			found = append(found, s.decode(*o.Key))
		}
		for _, p := range out.CommonPrefixes {
			found = append(found, s.decode(*p.Prefix))
		}
		if got := len(out.Contents) + len(out.CommonPrefixes); in.MaxKeys != nil && got > int(*in.MaxKeys) {
			s.Fatalf("%d entries on a page of %d", got, *in.MaxKeys)
		}
		if !*out.IsTruncated {
			return found
		}
		in.ContinuationToken = out.NextContinuationToken
	}
}

func (s *session) decode(key string) string {
	s.Helper()
	if !s.Features.EncodesKeys {
		return key
	}
	plain, err := url.QueryUnescape(key)
	s.ok(err)
	return plain
}

func (s *session) names(full []string) []string {
	out := make([]string, len(full))
	for i, f := range full {
		out[i] = strings.TrimPrefix(f, s.prefix)
	}
	return out
}

func lists(s *session) {
	var want []string
	for _, dir := range []string{"a/", "b/", "b/c/", "d/"} {
		for i := range 7 {
			want = append(want, fmt.Sprintf("%sk%02d", dir, i))
		}
	}
	want = append(want, "top1", "top2")
	slices.Sort(want)
	for _, name := range want {
		s.mustPut(name, []byte(name))
	}
	equal := func(what string, got, want []string) {
		s.Helper()
		if !slices.Equal(s.names(got), want) {
			s.Errorf("%s:\n got %q\nwant %q", what, s.names(got), want)
		}
	}
	for _, page := range []int32{1, 4, 7, 1000} {
		equal(fmt.Sprint("all by ", page), s.listAll(func(in *s3.ListObjectsV2Input) { in.MaxKeys = &page }), want)
		got := s.listAll(func(in *s3.ListObjectsV2Input) { in.MaxKeys, in.Delimiter = &page, aws.String("/") })
		slices.Sort(got)
		equal(fmt.Sprint("top by ", page), got, []string{"a/", "b/", "d/", "top1", "top2"})
	}
	equal("below b/", s.listAll(func(in *s3.ListObjectsV2Input) { in.Prefix = aws.String(s.prefix + "b/c") }), want[7:14])
	equal("after b/k03", s.listAll(func(in *s3.ListObjectsV2Input) { in.StartAfter = aws.String(s.prefix + "b/k03") }),
		want[slices.Index(want, "b/k04"):])
	equal("nothing", s.listAll(func(in *s3.ListObjectsV2Input) { in.Prefix = aws.String(s.prefix + "zzz") }), []string{})
	s.listsV1(want)
	_, err := s.c.ListObjectsV2(s.ctx, &s3.ListObjectsV2Input{Bucket: &s.Bucket, MaxKeys: aws.Int32(-1)})
	s.fails(err, "InvalidArgument")
}

func (s *session) listsV1(want []string) {
	s.Helper()
	in := &s3.ListObjectsInput{Bucket: &s.Bucket, Prefix: &s.prefix, MaxKeys: aws.Int32(9)}
	var got []string
	for {
		out, err := s.c.ListObjects(s.ctx, in)
		s.ok(err)
		for _, o := range out.Contents {
			got = append(got, *o.Key)
			same(s, "size", *o.Size, int64(len(*o.Key)-len(s.prefix)))
		}
		if !*out.IsTruncated {
			break
		}
		in.Marker = &got[len(got)-1]
	}
	if !slices.Equal(s.names(got), want) {
		s.Errorf("version 1: got %q", got)
	}
}

// openUploads pages through the case's multipart uploads, of the keys where a store wants to be told them.
func (s *session) openUploads(page int32, keys ...*string) (found []types.MultipartUpload) {
	s.Helper()
	if !s.Features.UploadsByKey {
		return s.uploadsBelow(page, &s.prefix)
	}
	for _, key := range keys {
		found = append(found, s.uploadsBelow(page, key)...)
	}
	return found
}

func (s *session) uploadsBelow(page int32, prefix *string) []types.MultipartUpload {
	s.Helper()
	in := &s3.ListMultipartUploadsInput{Bucket: &s.Bucket, Prefix: prefix, MaxUploads: &page}
	var found []types.MultipartUpload
	for {
		out, err := s.c.ListMultipartUploads(s.ctx, in)
		s.ok(err)
		found = append(found, out.Uploads...)
		if !*out.IsTruncated {
			return found
		}
		in.KeyMarker = out.NextKeyMarker
		if s.Features.UploadPaging {
			in.UploadIdMarker = out.NextUploadIdMarker
		}
	}
}

func uploads(s *session) {
	var ids []string
	name := func(i int) string { return fmt.Sprintf("u%d", i) }
	if s.Features.UploadPaging {
		name = func(i int) string { return fmt.Sprintf("u%d", i/2) } // two uploads of most keys
	}
	var keys []*string
	for i := range 7 {
		ids = append(ids, *s.begin(name(i)).id)
		keys = append(keys, s.key(name(i)))
	}
	for _, page := range []int32{1, 2, 3, 1000} {
		var got []string
		for _, u := range s.openUploads(page, keys...) {
			got = append(got, *u.UploadId)
		}
		slices.Sort(got)
		sorted := slices.Sorted(slices.Values(ids))
		if !slices.Equal(got, sorted) {
			s.Errorf("by %d: got %d uploads, want %d", page, len(got), len(ids))
		}
	}
	for i, id := range ids {
		_, err := s.c.AbortMultipartUpload(s.ctx, &s3.AbortMultipartUploadInput{Bucket: &s.Bucket, Key: s.key(name(i)), UploadId: &id})
		s.ok(err)
	}
	same(s, "left", len(s.openUploads(1000, keys...)), 0)
	b := s.begin("parts")
	for range 5 {
		b.add(noise(100))
	}
	in := &s3.ListPartsInput{Bucket: &s.Bucket, Key: b.key, UploadId: b.id, MaxParts: aws.Int32(2)}
	var numbers []int32
	for {
		out, err := s.c.ListParts(s.ctx, in)
		s.ok(err)
		for _, p := range out.Parts {
			numbers = append(numbers, *p.PartNumber)
			same(s, "size", *p.Size, 100)
		}
		if !*out.IsTruncated {
			break
		}
		in.PartNumberMarker = out.NextPartNumberMarker
	}
	same(s, "parts", fmt.Sprint(numbers), "[1 2 3 4 5]")
	s.ok(b.abort())
}
