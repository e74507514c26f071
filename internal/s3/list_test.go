package s3

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

func keysOf(t *testing.T, b *Bucket, prefix string) (keys []string) {
	t.Helper()
	for object, err := range b.List(t.Context(), prefix) {
		if err != nil {
			t.Fatal(err)
		}
		if object.LastModified.IsZero() || object.ETag == "" {
			t.Errorf("listed without time or ETag: %+v", object)
		}
		keys = append(keys, object.Key)
	}
	return keys
}

func TestListReadsEveryPage(t *testing.T) {
	srv := startServer(t)
	b := openAt(t, srv)
	var want []string
	for i := range 1203 {
		key := fmt.Sprintf("p/%04d", i)
		want = append(want, key)
		mustPut(t, b, key, nil)
	}
	mustPut(t, b, "q", nil)
	if got := keysOf(t, b, "p/"); !slices.Equal(got, want) {
		t.Errorf("%d of %d keys listed", len(got), len(want))
	}
	srv.ForgetRequests()
	for range b.List(t.Context(), "p/") {
		break
	}
	if n := len(srv.Requests(s3server.OpListObjectsV2)); n != 1 {
		t.Errorf("a list left at its first object took %d requests", n)
	}
	deleted, err := b.Delete(t.Context(), want)
	if err != nil || len(deleted) != len(want) {
		t.Errorf("%d deleted, %v", len(deleted), err)
	}
	if left := keysOf(t, b, ""); !slices.Equal(left, []string{"q"}) {
		t.Errorf("left: %v", left)
	}
}

// hostileKeys are keys that other tools may have left in the bucket.
var hostileKeys = []string{
	"../up", "/absolute", "a b+c%25", "a&b<c>\"'", "esc\x1b]52;c;x\a", "new\nline\r", "数据库/ü", "a//b", "a/./b", "bidi\u202e", "tab\t",
}

func TestHostileKeysComeBackUnchangedAndCanBeDeleted(t *testing.T) {
	srv := startServer(t)
	b := openAt(t, srv)
	for _, key := range hostileKeys {
		if _, err := b.Put(t.Context(), "h/"+key, []byte(key), PutOptions{}); err != nil {
			t.Fatalf("%q: %v", key, err)
		}
		if got := readAll(t, b, "h/"+key); string(got) != key {
			t.Errorf("%q holds %q", key, got)
		}
	}
	got := keysOf(t, b, "h/")
	for _, key := range hostileKeys {
		if !slices.Contains(got, "h/"+key) {
			t.Errorf("%q is not listed among %q", key, got)
		}
	}
	deleted, err := b.Delete(t.Context(), got)
	if err != nil || len(deleted) != len(hostileKeys) {
		t.Errorf("%d of %d deleted: %v", len(deleted), len(hostileKeys), err)
	}
	if left := keysOf(t, b, "h/"); len(left) != 0 {
		t.Errorf("left: %q", left)
	}
}

func TestListDirsGivesTheNextLevelOnly(t *testing.T) {
	srv := startServer(t)
	b := openAt(t, srv)
	for _, key := range []string{"r/a/x/1", "r/a/2", "r/b c/3", "r/top", "s/4"} {
		mustPut(t, b, key, nil)
	}
	got, err := b.ListDirs(t.Context(), "r/")
	if err != nil || !slices.Equal(got, []string{"r/a/", "r/b c/"}) {
		t.Errorf("%q, %v", got, err)
	}
	if got, err = b.ListDirs(t.Context(), "none/"); err != nil || len(got) != 0 {
		t.Errorf("%q, %v", got, err)
	}
}

func TestDeleteNamesEachKeyThatStayed(t *testing.T) {
	srv := startServer(t)
	b := openAt(t, srv)
	mustPut(t, b, "a", nil)
	mustPut(t, b, "b", nil)
	// Without DeleteObjects, each key is deleted by itself; one of them is refused.
	srv.Inject(s3server.Rule{Op: s3server.OpDeleteObjects, Fault: s3server.Fault{Kind: s3server.Answer, Status: 501, Code: "NotImplemented"}})
	srv.Inject(s3server.Rule{Op: s3server.OpDeleteObject, Key: "b", Fault: s3server.Fault{Kind: s3server.Answer, Code: "AccessDenied"}})
	deleted, err := b.Delete(t.Context(), []string{"a", "b"})
	if !slices.Equal(deleted, []string{"a"}) {
		t.Errorf("deleted %q", deleted)
	}
	wantCode(t, err, fault.NotPermitted)
	if err.Error()[:len("s3: delete b: ")] != "s3: delete b: " {
		t.Errorf("the key is not named: %v", err)
	}
}

func TestDeleteWithoutTheRightIsDenied(t *testing.T) {
	srv := startServer(t)
	b := openAt(t, srv)
	srv.Inject(s3server.Rule{Op: s3server.OpDeleteObjects, Fault: s3server.Fault{Kind: s3server.Answer, Code: "AccessDenied"}})
	deleted, err := b.Delete(t.Context(), []string{"a"})
	wantCode(t, err, fault.NotPermitted)
	if len(deleted) != 0 {
		t.Errorf("deleted %q", deleted)
	}
	if deleted, err = b.Delete(t.Context(), nil); err != nil || deleted != nil {
		t.Errorf("deleting nothing: %q, %v", deleted, err)
	}
}

func TestUploadsListsWhatDiedAndAbortFreesIt(t *testing.T) {
	srv := startServer(t)
	b := openAt(t, srv)
	for _, key := range []string{"p/one", "p/two\n", "q/three"} {
		if _, err := b.Upload(t.Context(), key, UploadOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	open, err := b.Uploads(t.Context(), "p/")
	if err != nil || len(open) != 2 || open[0].Key != "p/one" || open[1].Key != "p/two\n" || open[0].Initiated.IsZero() {
		t.Fatalf("%+v, %v", open, err)
	}
	for range 2 {
		if err := b.AbortUpload(t.Context(), open[0]); err != nil {
			t.Error(err)
		}
	}
	if open, err = b.Uploads(t.Context(), ""); err != nil || len(open) != 2 {
		t.Errorf("%+v, %v", open, err)
	}
}

func TestListEndsAtTheFirstError(t *testing.T) {
	srv := startServer(t)
	b := openAt(t, srv)
	srv.Inject(s3server.Rule{Op: s3server.OpListObjectsV2, Fault: s3server.Fault{Kind: s3server.Answer, Code: "AccessDenied"}})
	var errs []error
	for _, err := range b.List(t.Context(), "p/") {
		errs = append(errs, err)
	}
	if len(errs) != 1 {
		t.Fatalf("%d results", len(errs))
	}
	wantCode(t, errors.Join(errs...), fault.NotPermitted)
}

func TestADeletionGoesByWhatWasSeen(t *testing.T) {
	srv := startServer(t)
	b := openAt(t, srv)
	etag := func() string {
		o, err := b.Head(t.Context(), "k")
		if err != nil {
			t.Fatal(err)
		}
		return o.ETag
	}
	mustPut(t, b, "k", []byte("first"))
	first := etag()
	mustPut(t, b, "k", []byte("second"))
	err := b.DeleteIf(t.Context(), "k", first)
	wantCode(t, err, fault.Refused)
	if !errors.Is(err, ErrChanged) || string(readAll(t, b, "k")) != "second" {
		t.Errorf("%v", err)
	}
	// The answer is lost: sent again, the deletion finds nothing, which is what was wanted.
	srv.Inject(s3server.Rule{Op: s3server.OpDeleteObject, Times: 1, Fault: s3server.Fault{Kind: s3server.LoseAnswer}})
	if err := b.DeleteIf(t.Context(), "k", etag()); err != nil {
		t.Error(err)
	}
	// And so is a store that says of nothing that the condition does not hold.
	srv.Inject(s3server.Rule{Op: s3server.OpDeleteObject, Times: 1, Fault: s3server.Fault{Kind: s3server.Answer, Status: 412, Code: "PreconditionFailed"}})
	if err := b.DeleteIf(t.Context(), "k", first); err != nil {
		t.Error(err)
	}
	mustPut(t, b, "k", nil)
	srv.Inject(s3server.Rule{Op: s3server.OpDeleteObject, Times: 1, Fault: s3server.Fault{Kind: s3server.Answer, Code: "AccessDenied"}})
	wantCode(t, b.DeleteIf(t.Context(), "k", etag()), fault.NotPermitted)
}

func TestAStoreWithoutConditionsOnDeletionsIsAskedOnceAndDeletes(t *testing.T) {
	b, srv := openPersonality(t, "b2")
	for range 2 {
		mustPut(t, b, "k", []byte("x"))
		o, err := b.Head(t.Context(), "k")
		if err != nil {
			t.Fatal(err)
		}
		if err := b.DeleteIf(t.Context(), "k", o.ETag); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Head(t.Context(), "k"); !errors.Is(err, ErrNotFound) {
			t.Error(err)
		}
	}
	if n := len(srv.Requests(s3server.OpDeleteObject)); n != 3 {
		t.Errorf("%d requests, want the refused one and two", n)
	}
}
