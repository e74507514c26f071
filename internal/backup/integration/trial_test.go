package integration

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/backup/trial"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
	"codeberg.org/pgbtui/pgbtui/test/pgtest"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

func TestATrialOfTheBucketFindsEachRightThatABackupWouldMiss(t *testing.T) {
	w := newWorldOn(t, pgtest.Shared(t), "postgres")
	before := w.keys(t)
	cases := []struct {
		deny    s3server.Op
		missing string // of what else works
	}{
		{"", ""},
		{s3server.OpPutObject, "put"},
		{s3server.OpGetObject, "get"},
		{s3server.OpListObjectsV2, "list"},
		{s3server.OpCreateMultipart, "multipart upload"},
		{s3server.OpUploadPart, "multipart upload"},
		{s3server.OpAbortMultipart, "multipart upload"},
		{s3server.OpListMultipartUploads, "list of uploads"},
	}
	for _, c := range cases {
		t.Run(string(c.deny), func(t *testing.T) {
			w.onRequest(func(op s3server.Op, _ string) *s3server.Fault {
				if op == c.deny {
					return &s3server.Fault{Kind: s3server.Answer, Code: "AccessDenied"}
				}
				return nil
			})
			got := trial.Bucket(t.Context(), w.env.Bucket, w.job)
			err := got.Err()
			if (err != nil) != (c.deny != "") || err != nil && fault.CodeOf(err) != fault.NotPermitted {
				t.Fatalf("code %d: %v", fault.CodeOf(err), err)
			}
			if slices.Contains(got.Allowed, c.missing) || strings.Contains(got.Key, "\n") || err != nil && strings.Contains(err.Error(), "\n") {
				t.Errorf("allowed are %q; %v", got.Allowed, err)
			}
			if want := []string{"put", "get", "list", "multipart upload", "list of uploads", "delete", "conditional delete"}; c.deny == "" && !slices.Equal(got.Allowed, want) {
				t.Errorf("allowed are %q", got.Allowed)
			}
		})
	}
	w.onRequest(func(s3server.Op, string) *s3server.Fault { return nil })
	open, err := w.env.Bucket.Uploads(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range open { // of the case that may not abort; the rest left none
		if err := w.env.Bucket.AbortUpload(t.Context(), u); err != nil {
			t.Error(err)
		}
	}
	if len(open) > 1 {
		t.Errorf("uploads are left: %v", open)
	}
	if after := w.keys(t); !slices.Equal(before, after) {
		t.Errorf("objects are left: %q", after)
	}
}

func TestATrialByAKeyThatMayNotDeleteLeavesOneObjectThatIsNoSet(t *testing.T) {
	w := newWorldOn(t, pgtest.Shared(t), "postgres")
	bucket := w.bucket(t, "no-delete", "no-delete-secret")
	for range 2 {
		got := trial.Bucket(t.Context(), bucket, w.job)
		if got.Err() != nil || got.MayNotDelete == nil || errors.Is(got.MayNotDelete, s3.ErrNotFound) {
			t.Fatalf("%+v: %v", got, got.Err())
		}
	}
	if keys := w.keys(t); len(keys) != 1 || !strings.HasSuffix(keys[0], "/trial") {
		t.Errorf("left are %q", keys)
	}
	if sets := w.sets(t); len(sets) != 0 {
		t.Errorf("sets are %+v", sets)
	}
}

func TestASetsSizeIsWhatItsManifestVouchesFor(t *testing.T) {
	w := newWorldOn(t, pgtest.Shared(t), "postgres")
	want := w.run(t).Manifest.StoredBytes()
	if got := w.sets(t)[0].StoredSize; got != want {
		t.Errorf("the listing says %d bytes, the manifest %d", got, want)
	}
}

// Whoever asked for a trial may leave in the middle of it.
func TestATrialThatIsCancelledLeavesNothing(t *testing.T) {
	w := newWorldOn(t, pgtest.Shared(t), "postgres")
	ctx, cancel := context.WithCancel(t.Context())
	got := trial.BucketWhile(ctx, w.env.Bucket, w.job, func(string) { cancel() })
	if got.MayNotDelete != nil {
		t.Error(got.MayNotDelete)
	}
	if keys := w.keys(t); len(keys) != 0 {
		t.Errorf("left are %q", keys)
	}
}
