package s3suite

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// inBucket moves the case into a bucket of its own, made as change says.
func (s *session) inBucket(change func(*s3.CreateBucketInput)) {
	s.Helper()
	s.Bucket = "own-" + random(8)
	in := &s3.CreateBucketInput{Bucket: &s.Bucket}
	if change != nil {
		change(in)
	}
	_, err := s.c.CreateBucket(s.ctx, in)
	s.ok(err)
}

func (s *session) setVersioning(status types.BucketVersioningStatus) error {
	_, err := s.c.PutBucketVersioning(s.ctx, &s3.PutBucketVersioningInput{
		Bucket: &s.Bucket, VersioningConfiguration: &types.VersioningConfiguration{Status: status},
	})
	return err
}

func (s *session) inVersionedBucket() {
	s.Helper()
	s.inBucket(nil)
	s.ok(s.setVersioning(types.BucketVersioningStatusEnabled))
}

// listed is an entry of ListObjectVersions.
type listed struct {
	key, version   string
	marker, latest bool
}

// versionsBy pages through the versions below the case's prefix. The SDK parts versions from markers, so
// their common order is not seen here.
func (s *session) versionsBy(page int32, delimiter string) (versions, markers []listed, prefixes []string) {
	s.Helper()
	in := &s3.ListObjectVersionsInput{Bucket: &s.Bucket, Prefix: &s.prefix, MaxKeys: &page}
	if delimiter != "" {
		in.Delimiter = &delimiter
	}
	for pages := 0; ; pages++ {
		out, err := s.c.ListObjectVersions(s.ctx, in)
		s.ok(err)
		if pages > 100 {
			s.Fatalf("by %d: the listing does not end, at %q %q", page, aws.ToString(in.KeyMarker), aws.ToString(in.VersionIdMarker))
		}
		if n := len(out.Versions) + len(out.DeleteMarkers) + len(out.CommonPrefixes); n > int(page) {
			s.Fatalf("%d entries on a page of %d", n, page)
		}
		for _, v := range out.Versions {
			versions = append(versions, listed{strings.TrimPrefix(*v.Key, s.prefix), *v.VersionId, false, *v.IsLatest})
		}
		for _, m := range out.DeleteMarkers {
			markers = append(markers, listed{strings.TrimPrefix(*m.Key, s.prefix), *m.VersionId, true, *m.IsLatest})
		}
		for _, p := range out.CommonPrefixes {
			prefixes = append(prefixes, strings.TrimPrefix(*p.Prefix, s.prefix))
		}
		if !aws.ToBool(out.IsTruncated) {
			return versions, markers, prefixes
		}
		in.KeyMarker, in.VersionIdMarker = out.NextKeyMarker, out.NextVersionIdMarker
	}
}

func (s *session) deleteKey(name, version string) (*s3.DeleteObjectOutput, error) {
	in := &s3.DeleteObjectInput{Bucket: &s.Bucket, Key: s.key(name)}
	if version != "" {
		in.VersionId = &version
	}
	return s.c.DeleteObject(s.ctx, in)
}

func (s *session) getVersion(name, version string) (string, error) {
	_, body, err := s.get(name, func(in *s3.GetObjectInput) { in.VersionId = &version })
	return string(body), err
}

func versions(s *session) {
	s.sub("are told by their bucket", func(s *session) {
		s.inBucket(nil)
		status := func() types.BucketVersioningStatus {
			out, err := s.c.GetBucketVersioning(s.ctx, &s3.GetBucketVersioningInput{Bucket: &s.Bucket})
			s.ok(err)
			return out.Status
		}
		same(s, "before", status(), "")
		for _, want := range []types.BucketVersioningStatus{types.BucketVersioningStatusEnabled, types.BucketVersioningStatusSuspended} {
			s.ok(s.setVersioning(want))
			same(s, "after", status(), want)
		}
	})
	s.sub("are kept and read one by one", keptVersions)
	s.sub("are hidden by a delete and come back without its marker", hiddenVersions)
	s.sub("are listed by page and folder", listedVersions)
	s.sub("are deleted by name among many", deletedVersions)
	s.sub("end when they are suspended", suspendedVersions)
}

func keptVersions(s *session) {
	s.inVersionedBucket()
	var ids []string
	for i := range 3 {
		out := s.mustPut("a", []byte(fmt.Sprint("body ", i)))
		ids = append(ids, aws.ToString(out.VersionId))
	}
	for i, id := range ids {
		body, err := s.getVersion("a", id)
		s.ok(err)
		same(s, "body of "+id, body, fmt.Sprint("body ", i))
	}
	s.holds("a", []byte("body 2"))
	head, err := s.head("a")
	s.ok(err)
	same(s, "head's version", aws.ToString(head.VersionId), ids[2])
	got, _, _ := s.versionsBy(1000, "")
	same(s, "versions", fmt.Sprint(got), fmt.Sprint([]listed{{"a", ids[2], false, true}, {"a", ids[1], false, false}, {"a", ids[0], false, false}}))
	_, err = s.deleteKey("a", ids[2])
	s.ok(err)
	s.holds("a", []byte("body 1"))
	_, err = s.getVersion("a", ids[2])
	s.fails(err, "NoSuchVersion", "NoSuchKey")
	if _, err = s.deleteKey("a", ids[2]); err != nil {
		s.fails(err, "NoSuchVersion", "NoSuchKey", "InvalidArgument")
	}
}

func hiddenVersions(s *session) {
	s.inVersionedBucket()
	first := s.mustPut("a", []byte("still there"))
	gone, err := s.deleteKey("a", "")
	s.ok(err)
	same(s, "is a marker", aws.ToBool(gone.DeleteMarker), true)
	_, _, err = s.get("a")
	s.fails(err, "NoSuchKey")
	s.absent("a")
	same(s, "listed", len(s.listAll(nil)), 0)
	got, markers, _ := s.versionsBy(1000, "")
	same(s, "versions", fmt.Sprint(got), fmt.Sprint([]listed{{"a", *first.VersionId, false, false}}))
	same(s, "markers", fmt.Sprint(markers), fmt.Sprint([]listed{{"a", *gone.VersionId, true, true}}))
	_, err = s.getVersion("a", *gone.VersionId)
	s.fails(err, "MethodNotAllowed")
	body, err := s.getVersion("a", *first.VersionId)
	s.ok(err)
	same(s, "body below the marker", body, "still there")
	// A new object may be put on top of a marker on the condition that there is none.
	_, err = s.put("a", []byte("again"), func(in *s3.PutObjectInput) {
		if s.Features.MarkerIsAbsent {
			in.IfNoneMatch = aws.String("*")
		}
	})
	s.ok(err)
	_, err = s.put("a", nil, func(in *s3.PutObjectInput) { in.IfNoneMatch = aws.String("*") })
	s.fails(err, "PreconditionFailed")
	newest, _, _ := s.versionsBy(1000, "")
	_, err = s.deleteKey("a", newest[0].version)
	s.ok(err)
	s.absent("a")
	_, err = s.deleteKey("a", *gone.VersionId)
	s.ok(err)
	s.holds("a", []byte("still there"))
}

func listedVersions(s *session) {
	s.inVersionedBucket()
	for _, name := range []string{"a", "b", "b", "d/x", "d/y", "e", "e", "e"} {
		s.mustPut(name, []byte(name))
	}
	for _, name := range []string{"b", "d/x"} {
		_, err := s.deleteKey(name, "")
		s.ok(err)
	}
	var want []listed
	pages := []int32{1000}
	if s.Features.VersionPaging {
		pages = append(pages, 1, 2, 3, 7)
	}
	for _, page := range pages {
		got, markers, _ := s.versionsBy(page, "")
		same(s, fmt.Sprint("markers by ", page), len(markers), 2)
		if want == nil {
			want = got
		}
		if !slices.Equal(got, want) || len(got) != 8 {
			s.Errorf("by %d:\n got %v\nwant %v", page, got, want)
		}
	}
	for _, page := range pages {
		got, markers, prefixes := s.versionsBy(page, "/")
		same(s, fmt.Sprint("top by ", page), len(got)+len(markers), 7)
		same(s, fmt.Sprint("folders by ", page), strings.Join(prefixes, " "), "d/")
	}
}

func deletedVersions(s *session) {
	s.inVersionedBucket()
	old := s.mustPut("a", []byte("old"))
	s.mustPut("a", []byte("new"))
	s.mustPut("b", []byte("b"))
	out, err := s.c.DeleteObjects(s.ctx, &s3.DeleteObjectsInput{Bucket: &s.Bucket, Delete: &types.Delete{Objects: []types.ObjectIdentifier{
		{Key: s.key("a"), VersionId: old.VersionId}, {Key: s.key("b")},
	}}})
	s.ok(err)
	same(s, "deleted", len(out.Deleted), 2)
	got, markers, _ := s.versionsBy(1000, "")
	same(s, "versions left", len(got), 2)
	same(s, "markers", len(markers), 1)
	s.holds("a", []byte("new"))
	s.absent("b")
}

func suspendedVersions(s *session) {
	s.inVersionedBucket()
	kept := s.mustPut("a", []byte("kept"))
	s.ok(s.setVersioning(types.BucketVersioningStatusSuspended))
	s.mustPut("a", []byte("one"))
	s.mustPut("a", []byte("two"))
	got, _, _ := s.versionsBy(1000, "")
	same(s, "versions", fmt.Sprint(got), fmt.Sprint([]listed{{"a", "null", false, true}, {"a", *kept.VersionId, false, false}}))
	body, err := s.getVersion("a", "null")
	s.ok(err)
	same(s, "the null version", body, "two")
	_, err = s.deleteKey("a", "")
	s.ok(err)
	s.absent("a")
	_, markers, _ := s.versionsBy(1000, "")
	same(s, "markers", fmt.Sprint(markers), fmt.Sprint([]listed{{"a", "null", true, true}}))
	if s.Features.NullMarkers {
		_, err = s.head("a", func(in *s3.HeadObjectInput) { in.VersionId = kept.VersionId })
		s.ok(err)
		_, err = s.head("a", func(in *s3.HeadObjectInput) { in.VersionId = aws.String("null") })
		s.status(err, http.StatusMethodNotAllowed)
	}
}
