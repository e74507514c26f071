package integration

import (
	"net/http"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// ofAccount makes the job's bucket one that has to belong to an account.
func (w *world) ofAccount(t *testing.T, id string) {
	t.Helper()
	o := w.options(t, w.store.AccessKey, w.store.SecretKey)
	o.ExpectedBucketOwner = id
	b, err := s3.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	w.env.Bucket = b
}

// The bucket was deleted, and a stranger has made one of its name who lets everybody write.
func TestARunIntoABucketThatIsAStrangersByNowEndsBeforeItsDump(t *testing.T) {
	pg, small := smallDatabase(t)
	w := newWorldOn(t, pg, small)
	w.ofAccount(t, s3server.DefaultOwner)
	w.run(t)

	stranger := newWorldOn(t, pg, small, s3server.With(func(o *s3server.Options) { o.Owner = "210987654321" }))
	stranger.ofAccount(t, s3server.DefaultOwner)
	_, err := stranger.try(t.Context())
	wantCode(t, err, fault.NotPermitted)
	if remedy := fault.Remedy(err); !strings.Contains(remedy, "still belongs to account "+s3server.DefaultOwner) {
		t.Errorf("remedy %q for %v", remedy, err)
	}
	stranger.noDump(t)
	stranger.env.Bucket = stranger.bucket(t, stranger.store.AccessKey, stranger.store.SecretKey)
	if keys := stranger.keys(t); len(keys) > 0 {
		t.Errorf("the stranger got %q", keys)
	}
	// So it is that nobody notices without the account.
	stranger.run(t)
}

// noDump: nothing of the database has left this host.
func (w *world) noDump(t *testing.T) {
	t.Helper()
	for _, r := range w.store.Requests(s3server.OpPutObject, s3server.OpCreateMultipart, s3server.OpUploadPart) {
		if r.Status == http.StatusOK || !strings.HasSuffix(r.Key, "lease.json") {
			t.Errorf("%s %s: %d", r.Op, r.Key, r.Status)
		}
	}
}

func TestABucketThatIsElsewhereOrForbiddenEndsTheRunBeforeItsDump(t *testing.T) {
	for code, want := range map[string]struct {
		answer s3server.Fault
		code   fault.Code
		remedy string
	}{
		"AccessDenied": {s3server.Fault{Kind: s3server.Answer, Code: "AccessDenied"}, fault.NotPermitted, "Grant the identity this action on the bucket"},
		"PermanentRedirect": {s3server.Fault{
			Kind: s3server.Answer, Status: http.StatusMovedPermanently, Code: "PermanentRedirect",
			Header: map[string]string{"x-amz-bucket-region": "eu-north-1"},
		}, fault.Config, "eu-north-1"},
	} {
		pg, small := smallDatabase(t)
		w := newWorldOn(t, pg, small)
		w.store.Inject(s3server.Rule{Fault: want.answer})
		_, err := w.try(t.Context())
		wantCode(t, err, want.code)
		if !strings.Contains(fault.Remedy(err), want.remedy) || !strings.Contains(w.log.text(), "backup-failed") {
			t.Errorf("%s: remedy %q for %v", code, fault.Remedy(err), err)
		}
		w.noDump(t)
	}
}
