package s3

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// openPersonality is a bucket of a store with habits.
func openPersonality(t *testing.T, name string, change ...func(*Options)) (*Bucket, *s3server.Running) {
	t.Helper()
	p, ok := s3server.PersonalityNamed(name)
	if !ok {
		t.Fatalf("there is no personality %s", name)
	}
	srv := startServer(t, s3server.WithPersonality(p))
	b := openAt(t, srv, append(change, func(o *Options) {
		if p.SSENone {
			o.SSE = SSENone
		}
	})...)
	return b, srv
}

// Whatever a store lacks, what is put is read back, listed, and gone once it is deleted.
func TestAnObjectsWayInStoresOfOtherMakes(t *testing.T) {
	for _, p := range s3server.Personalities() {
		t.Run(p.Name, func(t *testing.T) {
			b, _ := openPersonality(t, p.Name)
			if err := b.Probe(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, err := b.Head(t.Context(), "p/dump"); !errors.Is(err, ErrNotFound) {
				t.Errorf("nothing is there: %v", err)
			}
			want := someBytes(3*smallPart + 1)
			uploadWhole(t, b, "p/dump", want)
			mustPut(t, b, "p/small", want[:100])
			for key, size := range map[string]int{"p/dump": len(want), "p/small": 100} {
				if head, err := b.Head(t.Context(), key); err != nil || head.Size != int64(size) {
					t.Errorf("%s: %+v, %v", key, head, err)
				}
				if got := readAll(t, b, key); !bytes.Equal(got, want[:size]) {
					t.Errorf("%s: %d other bytes came back", key, len(got))
				}
			}
			keys := keysOf(t, b, "p/")
			deleted, err := b.Delete(t.Context(), keys)
			if err != nil || len(deleted) != 2 || len(keysOf(t, b, "p/")) != 0 {
				t.Errorf("deleted of %q: %q, %v", keys, deleted, err)
			}
		})
	}
}

func uploadWhole(t *testing.T, b *Bucket, key string, body []byte) {
	t.Helper()
	u, err := b.Upload(t.Context(), key, UploadOptions{ExpectedBytes: int64(len(body))})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := u.Write(body); err != nil {
		t.Fatal(err)
	}
	if _, err := u.Complete(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// Each lack costs its request once, however much is done in the store.
func TestWhatAStoreLacksIsAskedForOnce(t *testing.T) {
	b, srv := openPersonality(t, "b2")
	for range 3 {
		mustPut(t, b, "k", []byte("x"))
		if _, err := b.Head(t.Context(), "k"); err != nil {
			t.Fatal(err)
		}
		_ = readAll(t, b, "k")
		if _, err := b.Delete(t.Context(), []string{"k"}); err != nil {
			t.Fatal(err)
		}
	}
	for op, want := range map[s3server.Op]int{
		s3server.OpPutObject: 4, s3server.OpHeadObject: 3, s3server.OpGetObject: 3, s3server.OpDeleteObjects: 1,
	} {
		if n := len(srv.Requests(op)); n != want {
			t.Errorf("%d requests of %s, want %d", n, op, want)
		}
	}
}

// A HEAD that was garbled once on its way says nothing of the store.
func TestOneRefusalWithoutAWordIsNoHabit(t *testing.T) {
	srv := startServer(t)
	b := openAt(t, srv)
	mustPut(t, b, "k", []byte("x"))
	srv.Inject(s3server.Rule{Op: s3server.OpHeadObject, Times: 1, Fault: s3server.Fault{
		Kind: s3server.Answer, Status: 400, Code: "BadRequest",
	}})
	if head, err := b.Head(t.Context(), "k"); err != nil || head.CRC64NVME == "" || b.lacks.checksums.Load() {
		t.Errorf("%+v, %v; checksums are given up: %t", head, err, b.lacks.checksums.Load())
	}
}

func TestAConditionThatDoesNotHoldIsKnownWhateverItsStatus(t *testing.T) {
	b, _ := openPersonality(t, "minio-2023")
	conditionsHold(t, b)
}

func TestAStoreWithoutAListOfUploadsIsKnown(t *testing.T) {
	b, _ := openPersonality(t, "gateway")
	_, err := b.Uploads(t.Context(), "p/")
	wantIs(t, err, ErrUploadsUnlisted)
}

func TestARegionThatTheStoreDoesNotHaveIsNamed(t *testing.T) {
	srv := startServer(t)
	srv.Inject(s3server.Rule{Fault: s3server.Fault{
		Kind: s3server.Answer, Status: 400, Code: "InvalidRegionName",
		Message: "The region name 'x' is not valid. Must be one of: auto",
	}})
	wantCode(t, openAt(t, srv).Probe(t.Context()), fault.Config)
}

// Where the guess at a dump's size was too low, parts grow, unless the store wants them equal.
func TestPartsAreAsTheStoreWantsThemWhenTheStreamIsLongerThanExpected(t *testing.T) {
	few := func(o *Options) { o.MaxParts = 10 }
	equal := func(o *Options) { o.EqualParts = true }
	want := someBytes(12 << 20)
	b, _ := openPersonality(t, "r2", few)
	err := uploadExpecting(t, b, 8<<20, want)
	wantCode(t, err, fault.Config)
	if r := fault.Remedy(err); !strings.Contains(r, "s3.equal_parts: true") {
		t.Errorf("remedy %q", r)
	}
	b, _ = openPersonality(t, "r2", few, equal)
	if err := uploadExpecting(t, b, 8<<20, want); err != nil || !bytes.Equal(readAll(t, b, "dump"), want) {
		t.Error(err)
	}
	err = uploadExpecting(t, b, 1, want)
	wantCode(t, err, fault.Failed)
	noOpenUploads(t, b)
}

func TestAStoreThatAllowsFewerPartsIsKnownByItsAnswer(t *testing.T) {
	b, _ := openPersonality(t, "scaleway", func(o *Options) { o.PartSizeMin = 1 << 10 })
	err := uploadExpecting(t, b, 0, someBytes(1002<<10))
	wantCode(t, err, fault.Config)
	if r := fault.Remedy(err); !strings.Contains(r, "s3.max_parts") {
		t.Errorf("remedy %q", r)
	}
	b, _ = openPersonality(t, "scaleway", func(o *Options) { o.PartSizeMin, o.MaxParts = 1<<10, 1000 })
	if err := uploadExpecting(t, b, 0, someBytes(1002<<10)); err != nil {
		t.Error(err)
	}
}

func TestR2IsKnownByItsEndpoint(t *testing.T) {
	quietEnvironment(t)
	for endpoint, want := range map[string]bool{
		"https://0123abcd.r2.cloudflarestorage.com": true, "https://0123abcd.eu.R2.cloudflarestorage.com": true,
		"https://r2.cloudflarestorage.com.example.org": false, "https://s3.example.org/x.r2.cloudflarestorage.com": false,
	} {
		b, err := tryOpen(t, Options{Bucket: "b", Endpoint: endpoint})
		if err != nil || b.opts.EqualParts != want {
			t.Errorf("%s: equal parts %t, %v", endpoint, b.opts.EqualParts, err)
		}
	}
}

// uploadExpecting uploads body where a guess of its length was given.
func uploadExpecting(t *testing.T, b *Bucket, guess int64, body []byte) error {
	t.Helper()
	u, err := b.Upload(t.Context(), "dump", UploadOptions{ExpectedBytes: guess})
	if err != nil {
		return err
	}
	defer func() { _ = u.Abort(t.Context()) }()
	if _, err := u.Write(body); err != nil {
		return err
	}
	_, err = u.Complete(t.Context())
	return err
}
