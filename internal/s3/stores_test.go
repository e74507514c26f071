package s3

import (
	"bytes"
	"io"
	"slices"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/test/s3server"
	"codeberg.org/pgbtui/pgbtui/test/s3suite"
)

// The whole way of a set, on our server and on one that others wrote, in the clear and over TLS.
func TestASetsWayOnEveryStore(t *testing.T) {
	for name, start := range map[string]func(testing.TB) s3suite.Store{
		"ours":          func(t testing.TB) s3suite.Store { return s3suite.StartOurs(t) },
		"ours TLS":      func(t testing.TB) s3suite.Store { return s3suite.StartOurs(t, s3server.WithTLS()) },
		"versitygw":     s3suite.StartVersity,
		"versitygw TLS": s3suite.StartVersityTLS,
	} {
		t.Run(name, func(t *testing.T) {
			store := start(t)
			quietEnvironment(t)
			t.Setenv("AWS_ACCESS_KEY_ID", store.AccessKey)
			t.Setenv("AWS_SECRET_ACCESS_KEY", store.SecretKey)
			t.Setenv("AWS_CA_BUNDLE", store.CAFile)
			options := Options{
				Bucket: store.Bucket, Endpoint: store.Endpoint, Region: store.Region,
				PartSizeMin: 5 << 20, MaxAttempts: 3, MaxBackoff: time.Millisecond,
			}
			b, err := tryOpen(t, options)
			if err != nil {
				t.Fatal(err)
			}
			if err := b.Probe(t.Context()); err != nil {
				t.Fatal(err)
			}
			if at, err := b.Clock(t.Context()); err != nil || time.Since(at).Abs() > time.Hour {
				t.Errorf("the store's time is %v, %v", at, err)
			}
			wayOfASet(t, b)
			conditionsHold(t, b)
			uploadsAreSweptUp(t, b)
			accountsAreComparedOrItIsSaid(t, options)
		})
	}
}

func accountsAreComparedOrItIsSaid(t *testing.T, o Options) {
	t.Helper()
	o.ExpectedBucketOwner = stranger
	b, err := tryOpen(t, o)
	if err != nil {
		t.Fatal(err)
	}
	unsaid, denied := b.CheckOwner(t.Context()) == nil, b.Probe(t.Context()) != nil
	if unsaid != denied {
		t.Errorf("a bucket of another account: refused %t, nothing to be said %t", denied, unsaid)
	}
	t.Logf("compares accounts: %t", denied)
}

func wayOfASet(t *testing.T, b *Bucket) {
	t.Helper()
	want := someBytes(17<<20 + 3)
	for _, size := range []int{len(want), 10, 0} {
		u, err := b.Upload(t.Context(), "p/a b+c%25/数据库/dump.zst", UploadOptions{ExpectedBytes: int64(size), Metadata: map[string]string{"run": "r1"}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(u, bytes.NewReader(want[:size])); err != nil {
			t.Fatal(err)
		}
		done, err := u.Complete(t.Context())
		if err != nil {
			t.Fatalf("%d bytes: %v", size, err)
		}
		head, err := b.Head(t.Context(), done.Key)
		if err != nil || head.Size != int64(size) || head.CRC64NVME != done.CRC64NVME || head.ETag != done.ETag || head.Metadata["run"] != "r1" {
			t.Fatalf("%d bytes: head %+v, %v\nComplete said %+v", size, head, err, done)
		}
		if got := readAll(t, b, done.Key); !bytes.Equal(got, want[:size]) {
			t.Fatalf("%d bytes: %d other bytes came back", size, len(got))
		}
	}
	mustPut(t, b, "p/a b+c%25/数据库/manifest.json", []byte("{}"))
	keys := keysOf(t, b, "p/")
	if !slices.Equal(keys, []string{"p/a b+c%25/数据库/dump.zst", "p/a b+c%25/数据库/manifest.json"}) {
		t.Errorf("listed: %q", keys)
	}
	if dirs, err := b.ListDirs(t.Context(), "p/a b+c%25/"); err != nil || !slices.Equal(dirs, []string{"p/a b+c%25/数据库/"}) {
		t.Errorf("folders: %q, %v", dirs, err)
	}
	if deleted, err := b.Delete(t.Context(), keys); err != nil || len(deleted) != 2 {
		t.Errorf("deleted: %q, %v", deleted, err)
	}
	if left := keysOf(t, b, "p/"); len(left) != 0 {
		t.Errorf("left: %q", left)
	}
}

func conditionsHold(t *testing.T, b *Bucket) {
	t.Helper()
	first, err := b.Put(t.Context(), "lease", []byte("1"), PutOptions{IfNoneMatch: true})
	if err != nil {
		t.Fatal(err)
	}
	_, err = b.Put(t.Context(), "lease", []byte("1"), PutOptions{IfNoneMatch: true})
	wantIs(t, err, ErrExists)
	if _, err = b.Put(t.Context(), "lease", []byte("2"), PutOptions{IfMatch: first.ETag}); err != nil {
		t.Fatal(err)
	}
	_, err = b.Put(t.Context(), "lease", []byte("3"), PutOptions{IfMatch: first.ETag})
	wantIs(t, err, ErrChanged)
	_, err = b.Put(t.Context(), "gone", []byte("3"), PutOptions{IfMatch: first.ETag})
	wantIs(t, err, ErrChanged)
	u, err := b.Upload(t.Context(), "lease", UploadOptions{IfNoneMatch: true})
	if err != nil {
		t.Fatal(err)
	}
	_, err = u.Complete(t.Context())
	wantIs(t, err, ErrExists)
	if err := u.Abort(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func uploadsAreSweptUp(t *testing.T, b *Bucket) {
	t.Helper()
	u, err := b.Upload(t.Context(), "died/dump", UploadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := u.Write(someBytes(11 << 20)); err != nil {
		t.Fatal(err)
	}
	open, err := b.Uploads(t.Context(), "died/")
	if err != nil || len(open) != 1 || open[0].Key != "died/dump" {
		t.Fatalf("%+v, %v", open, err)
	}
	for tries := 0; ; tries++ { // two parts of 5 MiB are sent beside the writer
		parts, err := b.Parts(t.Context(), open[0])
		if err == nil && parts.Bytes == 10<<20 && time.Since(parts.Newest).Abs() < time.Hour {
			break
		}
		if err != nil || tries == 600 {
			t.Fatalf("%+v, %v", parts, err)
		}
		time.Sleep(100 * time.Millisecond)
	}
	for range 2 {
		if err := b.AbortUpload(t.Context(), open[0]); err != nil {
			t.Error(err)
		}
	}
	noOpenUploads(t, b)
	if parts, err := b.Parts(t.Context(), open[0]); err != nil || parts != (UploadedParts{}) {
		t.Errorf("an upload that is gone has %+v, %v", parts, err)
	}
}
