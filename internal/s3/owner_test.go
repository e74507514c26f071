package s3

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

const stranger = "210987654321"

func ofAccount(id string) func(*Options) {
	return func(o *Options) { o.ExpectedBucketOwner = id }
}

func TestABucketOfAnotherAccountIsNamedAndNothingIsDoneInIt(t *testing.T) {
	srv := startServer(t)
	mustPut(t, openAt(t, srv), "theirs", []byte("x"))
	b := openAt(t, srv, ofAccount(stranger))
	err := b.Probe(t.Context())
	wantCode(t, err, fault.NotPermitted)
	wantIs(t, err, ErrOtherOwner)
	if !strings.Contains(err.Error(), "another account than "+stranger) {
		t.Error(err)
	}
	for verb, try := range map[string]func() error{
		"put":    func() error { _, err := b.Put(t.Context(), "ours", []byte("secret"), PutOptions{}); return err },
		"upload": func() error { _, err := b.Upload(t.Context(), "ours", UploadOptions{}); return err },
		"get":    func() error { _, _, err := b.Get(t.Context(), "theirs", 0, -1); return err },
		"head":   func() error { _, err := b.Head(t.Context(), "theirs"); return err },
		"delete": func() error { _, err := b.Delete(t.Context(), []string{"theirs"}); return err },
	} {
		err := try()
		wantCode(t, err, fault.NotPermitted)
		if !strings.Contains(fault.Remedy(err), "still belongs to account "+stranger) {
			t.Errorf("%s: remedy %q for %v", verb, fault.Remedy(err), err)
		}
	}
	if keys := keysOf(t, openAt(t, srv), ""); !slices.Equal(keys, []string{"theirs"}) {
		t.Errorf("in the stranger's bucket: %q", keys)
	}
}

// A right that is missing is not taken for a stranger's bucket.
func TestADenialInOurOwnBucketNamesBothReasonsAndTheProbeNone(t *testing.T) {
	srv := startServer(t)
	b := openAt(t, srv, ofAccount(s3server.DefaultOwner))
	if err := errors.Join(b.Probe(t.Context()), b.CheckOwner(t.Context())); err != nil {
		t.Fatal(err)
	}
	srv.Inject(s3server.Rule{Fault: s3server.Fault{Kind: s3server.Answer, Code: "AccessDenied"}})
	err := b.Probe(t.Context())
	wantCode(t, err, fault.NotPermitted)
	if errors.Is(err, ErrOtherOwner) || !strings.Contains(fault.Remedy(err), "If it does, grant the identity this action") {
		t.Errorf("remedy %q for %v", fault.Remedy(err), err)
	}
}

func TestAStoreThatComparesNoAccountsIsSaid(t *testing.T) {
	srv := startServer(t, s3server.With(func(o *s3server.Options) { o.AnyOwner = true }))
	b := openAt(t, srv, ofAccount(stranger))
	if err := b.Probe(t.Context()); err != nil {
		t.Fatal(err)
	}
	err := b.CheckOwner(t.Context())
	wantCode(t, err, fault.Config)
	if err := openAt(t, srv).CheckOwner(t.Context()); err != nil {
		t.Errorf("with no account configured: %v", err)
	}
}

// Each call of the package, as docs/iam.md lists them.
func TestEveryRequestNamesTheAccount(t *testing.T) {
	srv := startServer(t, s3server.WithVersions())
	b := openAt(t, srv, ofAccount(s3server.DefaultOwner))
	mustPut(t, b, "a", []byte("a"))
	u := startUpload(t, b, UploadOptions{})
	if _, err := u.Complete(t.Context()); err != nil {
		t.Fatal(err)
	}
	dead := startUpload(t, b, UploadOptions{})
	if _, err := dead.Write(someBytes(3 * smallPart)); err != nil {
		t.Fatal(err)
	}
	open, err := b.Uploads(t.Context(), "")
	if err != nil || len(open) != 1 {
		t.Fatal(open, err)
	}
	if _, err := b.Parts(t.Context(), open[0]); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(b.AbortUpload(t.Context(), open[0]), dead.Abort(t.Context())); err != nil {
		t.Fatal(err)
	}
	readAll(t, b, "a")
	for v, err := range b.Versions(t.Context(), "") {
		if err != nil {
			t.Fatal(v, err)
		}
	}
	_, head := b.Head(t.Context(), "a")
	_, clock := b.Clock(t.Context())
	_, protection := b.Protection(t.Context())
	_, lifecycle := b.Lifecycle(t.Context())
	if err := errors.Join(b.Probe(t.Context()), head, clock, protection, lifecycle); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Delete(t.Context(), keysOf(t, b, "")); err != nil {
		t.Fatal(err)
	}
	seen := map[s3server.Op]bool{}
	for _, r := range srv.Requests() {
		seen[r.Op] = true
		if got := r.Header.Get("X-Amz-Expected-Bucket-Owner"); got != s3server.DefaultOwner {
			t.Errorf("%s %s names account %q", r.Op, r.Key, got)
		}
	}
	if len(seen) < 16 {
		t.Errorf("only %d kinds of requests: %v", len(seen), seen)
	}
}
