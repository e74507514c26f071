package s3

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

func fetch(t *testing.T, b *Bucket, key string, offset, length int64) ([]byte, error) {
	t.Helper()
	body, _, err := b.Get(t.Context(), key, offset, length)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	return io.ReadAll(body)
}

func TestGetReadsAnyRange(t *testing.T) {
	srv := startServer(t)
	b := openAt(t, srv)
	want := someBytes(100_000)
	mustPut(t, b, "k", want)
	for _, r := range []struct{ offset, length, end int64 }{
		{0, -1, 100_000},
		{0, 0, 0},
		{0, 1, 1},
		{1, 10, 11},
		{99_999, 1, 100_000},
		{50_000, -1, 100_000},
		{0, 100_000, 100_000},
		{99_000, 5000, 100_000},
	} {
		body, object, err := b.Get(t.Context(), "k", r.offset, r.length)
		if err != nil {
			t.Fatalf("%+v: %v", r, err)
		}
		got, err := io.ReadAll(body)
		if err != nil || !bytes.Equal(got, want[r.offset:r.end]) {
			t.Errorf("%+v: %d bytes, %v", r, len(got), err)
		}
		if object.Size != 100_000 || object.ETag == "" {
			t.Errorf("%+v: object %+v", r, object)
		}
		if err := body.Close(); err != nil {
			t.Error(err)
		}
	}
	_, err := fetch(t, b, "k", 100_001, 5)
	wantCode(t, err, fault.Integrity)
	_, err = fetch(t, b, "nothing", 0, -1)
	wantIs(t, err, ErrNotFound)
	wantCode(t, err, fault.NotFound)
}

func TestGetGoesOnAfterBrokenConnections(t *testing.T) {
	want := someBytes(5 << 20)
	for _, kind := range []s3server.Kind{s3server.Cut, s3server.Reset, s3server.StallBody} {
		t.Run(string(kind), func(t *testing.T) {
			srv := startServer(t)
			b := openAt(t, srv, func(o *Options) { o.IdleTimeout = 300 * time.Millisecond })
			mustPut(t, b, "k", want)
			srv.Inject(s3server.Rule{Op: s3server.OpGetObject, Times: 3, Fault: s3server.Fault{Kind: kind, After: 1 << 19}})
			got, err := fetch(t, b, "k", 0, -1)
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%d bytes, %v", len(got), err)
			}
		})
	}
}

func TestGetSurvivesMoreBreaksThanTriesWhileItAdvances(t *testing.T) {
	srv := startServer(t)
	b := openAt(t, srv, func(o *Options) { o.MaxAttempts = 3 })
	want := someBytes(10 << 20)
	mustPut(t, b, "k", want)
	srv.Inject(s3server.Rule{Op: s3server.OpGetObject, Fault: s3server.Fault{Kind: s3server.Cut, After: 1<<20 + 1}})
	got, err := fetch(t, b, "k", 0, -1)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

func TestGetGivesUpWhenItHardlyAdvances(t *testing.T) {
	srv := startServer(t)
	b := openAt(t, srv)
	mustPut(t, b, "k", someBytes(1<<20))
	srv.Inject(s3server.Rule{Op: s3server.OpGetObject, Fault: s3server.Fault{Kind: s3server.Cut, After: 10}})
	_, err := fetch(t, b, "k", 0, -1)
	wantCode(t, err, fault.Unavailable)
}

func TestGetRefusesToMixTwoObjects(t *testing.T) {
	srv := startServer(t)
	b := openAt(t, srv)
	mustPut(t, b, "k", someBytes(1<<20))
	srv.Inject(s3server.Rule{Op: s3server.OpGetObject, Times: 1, Fault: s3server.Fault{Kind: s3server.Cut, After: 1000}})
	body, _, err := b.Get(t.Context(), "k", 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	mustPut(t, b, "k", make([]byte, 1<<20))
	_, err = io.ReadAll(body)
	wantIs(t, err, ErrChanged)
	wantCode(t, err, fault.Integrity)
}

func TestGetNoticesAFlippedBitAcrossABreak(t *testing.T) {
	srv := startServer(t)
	b := openAt(t, srv)
	mustPut(t, b, "k", someBytes(1<<20))
	srv.Inject(s3server.Rule{Op: s3server.OpGetObject, Times: 1, Fault: s3server.Fault{Kind: s3server.Cut, After: 1000}})
	srv.Inject(s3server.Rule{Op: s3server.OpGetObject, Times: 1, Fault: s3server.Fault{Kind: s3server.Flip, After: 77}})
	_, err := fetch(t, b, "k", 0, -1)
	wantCode(t, err, fault.Integrity)
}

func TestGetStopsWhenCancelled(t *testing.T) {
	srv := startServer(t)
	b := openAt(t, srv)
	mustPut(t, b, "k", someBytes(1<<20))
	srv.Inject(s3server.Rule{Op: s3server.OpGetObject, Fault: s3server.Fault{Kind: s3server.StallBody, After: 1000}})
	ctx, cancel := context.WithCancelCause(t.Context())
	body, _, err := b.Get(ctx, "k", 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	why := errors.New("the operator left")
	if _, err := io.ReadFull(body, make([]byte, 1000)); err != nil {
		t.Fatal(err)
	}
	cancel(why)
	_, err = io.ReadAll(body)
	wantIs(t, err, why)
}
