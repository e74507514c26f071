package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// The grid: every operation of a set's way times every way in which a store fails. Each cell says how the
// call must end, and holds the bucket to what must be true after it. internal/backup has the same grid
// for whole runs.

// action is one operation of the grid, from a bucket that holds "there".
type action struct {
	op  s3server.Op
	run func(context.Context, *Bucket) error
}

const gridBytes = 3 * smallPart

func actions() []action {
	upload := func(ctx context.Context, b *Bucket) error {
		u, err := b.Upload(ctx, "new", UploadOptions{IfNoneMatch: true})
		if err != nil {
			return err
		}
		defer u.Abort(context.WithoutCancel(ctx)) // the uploads are counted afterwards
		if _, err := u.Write(someBytes(gridBytes)); err != nil {
			return err
		}
		_, err = u.Complete(ctx)
		return err
	}
	return []action{
		{s3server.OpPutObject, func(ctx context.Context, b *Bucket) error {
			_, err := b.Put(ctx, "new", someBytes(gridBytes), PutOptions{IfNoneMatch: true})
			return err
		}},
		{s3server.OpCreateMultipart, upload},
		{s3server.OpUploadPart, upload},
		{s3server.OpCompleteMultipart, upload},
		{s3server.OpHeadObject, func(ctx context.Context, b *Bucket) error { _, err := b.Head(ctx, "there"); return err }},
		{s3server.OpGetObject, func(ctx context.Context, b *Bucket) error {
			body, _, err := b.Get(ctx, "there", 0, -1)
			if err != nil {
				return err
			}
			defer body.Close()
			_, err = io.Copy(io.Discard, body)
			return err
		}},
		{s3server.OpListObjectsV2, func(ctx context.Context, b *Bucket) error {
			for _, err := range b.List(ctx, "") {
				if err != nil {
					return err
				}
			}
			return nil
		}},
		{s3server.OpDeleteObjects, func(ctx context.Context, b *Bucket) error {
			_, err := b.Delete(ctx, []string{"there"})
			return err
		}},
	}
}

// column is a fault, how often it strikes (0: for ever), and how a call then ends.
type column struct {
	name   string
	fault  s3server.Fault
	times  int
	ends   fault.Code
	except map[s3server.Op]fault.Code // operations that end otherwise
}

func gridColumns() []column {
	answer := func(status int, code string) s3server.Fault {
		return s3server.Fault{Kind: s3server.Answer, Status: status, Code: code}
	}
	bend := func(kind s3server.Kind, after int64) s3server.Fault { return s3server.Fault{Kind: kind, After: after} }
	type byOp map[s3server.Op]fault.Code
	return []column{
		{"500 once", answer(500, ""), 1, fault.OK, nil},
		{"500 for ever", answer(500, ""), 0, fault.Unavailable, nil},
		{"503 three times", answer(503, ""), 3, fault.OK, nil},
		{"503 for ever", answer(503, ""), 0, fault.Temporary, byOp{s3server.OpHeadObject: fault.Unavailable}}, // no word of SlowDown there
		{"429 twice", answer(429, "TooManyRequests"), 2, fault.OK, nil},
		{"request timeout", answer(400, "RequestTimeout"), 1, fault.OK, nil},
		{"reset twice", bend(s3server.Reset, 0), 2, fault.OK, nil},
		{"reset for ever", bend(s3server.Reset, 0), 0, fault.Unavailable, nil},
		{"answer lost twice", bend(s3server.LoseAnswer, 0), 2, fault.OK, nil},
		{"answer lost for ever", bend(s3server.LoseAnswer, 0), 0, fault.Unavailable, byOp{
			s3server.OpPutObject: fault.OK, s3server.OpCompleteMultipart: fault.OK, // looked up
		}},
		{"stall once", bend(s3server.Stall, 0), 1, fault.OK, nil},
		{"stall for ever", bend(s3server.Stall, 0), 0, fault.Unavailable, nil},
		{"answer cut", bend(s3server.Cut, 20), 1, fault.OK, nil},
		{"answer short", bend(s3server.Short, 20), 1, fault.OK, byOp{s3server.OpGetObject: fault.Integrity}},
		{"answer with more", bend(s3server.Extra, 20), 1, fault.OK, byOp{s3server.OpGetObject: fault.Integrity}},
		// Head tells whatever the store says: its caller compares. The other answers carry none.
		{"other checksum", bend(s3server.WrongChecksum, 0), 0, fault.OK, byOp{
			s3server.OpPutObject: fault.Integrity, s3server.OpUploadPart: fault.Integrity, s3server.OpGetObject: fault.Integrity,
		}},
		{"access denied", answer(403, "AccessDenied"), 0, fault.NotPermitted, nil},
		{"expired token", answer(400, "ExpiredToken"), 0, fault.NotPermitted, nil},
		{"skewed clock", answer(403, "RequestTimeTooSkewed"), 0, fault.NotPermitted, nil},
		{"full", answer(507, "XMinioStorageFull"), 0, fault.NoSpace, nil},
	}
}

func TestGridOfEveryOperationTimesEveryFault(t *testing.T) {
	for _, c := range gridColumns() {
		for _, a := range actions() {
			t.Run(fmt.Sprintf("%s/%s", c.name, a.op), func(t *testing.T) {
				want, other := c.except[a.op]
				if !other {
					want = c.ends
				}
				cell(t, a, s3server.Rule{Op: a.op, Times: c.times, Fault: c.fault}, want)
			})
		}
	}
}

func TestGridOfCompleteAnsweringAnErrorIn200(t *testing.T) {
	for name, c := range map[string]struct {
		times int
		want  fault.Code
	}{"twice": {2, fault.OK}, "for ever": {0, fault.Unavailable}} {
		t.Run(name, func(t *testing.T) {
			complete := actions()[3]
			cell(t, complete, s3server.Rule{Op: complete.op, Times: c.times, Fault: s3server.Fault{Kind: s3server.ErrorIn200}}, c.want)
		})
	}
}

// cell does one operation under one fault, in a bucket whose versions tell what was written twice.
func cell(t *testing.T, a action, rule s3server.Rule, want fault.Code) {
	t.Helper()
	const attempts = 5
	srv := startServer(t, s3server.WithVersions())
	b := openAt(t, srv, func(o *Options) {
		o.MaxAttempts, o.IdleTimeout = attempts, 500*time.Millisecond
		if rule.Fault.Kind == s3server.Stall && rule.Times == 0 {
			o.MaxAttempts, o.IdleTimeout = 2, 150*time.Millisecond
		}
	})
	mustPut(t, b, "there", someBytes(2*smallPart))
	srv.ForgetRequests()
	srv.Inject(rule)
	if a.op == s3server.OpHeadObject && want == fault.NotPermitted {
		rule.Op = s3server.OpGetObject // credentials and clocks are refused everywhere, and only here with a reason
		srv.Inject(rule)
	}
	err := a.run(t.Context(), b)
	if n, most := len(srv.Requests(a.op)), attempts*gridBytes/smallPart; n > most {
		t.Errorf("%d requests", n)
	}
	srv.ClearFaults()
	if want == fault.OK && err != nil {
		t.Fatal(err)
	}
	if want != fault.OK {
		wantCode(t, err, want)
	}
	if a.op == s3server.OpCreateMultipart {
		sweep(t, b) // an upload whose id was lost on the way is left to whoever sweeps
	}
	noOpenUploads(t, b)
	onceOrNever(t, b, a, err)
}

// onceOrNever asserts that a write happened once when it succeeded, else left nothing or all of it.
func onceOrNever(t *testing.T, b *Bucket, a action, err error) {
	t.Helper()
	versions := 0
	for v, err := range b.Versions(t.Context(), "new") {
		if err != nil {
			t.Fatal(err)
		}
		if versions++; v.Size != gridBytes {
			t.Errorf("a version of %d bytes", v.Size)
		}
	}
	writes := a.op == s3server.OpPutObject || a.op == s3server.OpCreateMultipart || a.op == s3server.OpUploadPart || a.op == s3server.OpCompleteMultipart
	switch {
	case versions > 1, writes && err == nil && versions == 0:
		t.Errorf("%d versions were written, the call said %v", versions, err)
	case err != nil && versions > 0 && fault.CodeOf(err) != fault.Integrity:
		t.Errorf("a failed write left something: %v", err)
	}
	if versions == 0 {
		return
	}
	if head, err := b.Head(t.Context(), "new"); err != nil || head.CRC64NVME != crcOf(someBytes(gridBytes)) {
		t.Errorf("stored with checksum %s: %v", head.CRC64NVME, err)
	}
}

func sweep(t *testing.T, b *Bucket) {
	t.Helper()
	open, err := b.Uploads(t.Context(), "")
	for _, u := range open {
		err = errors.Join(err, b.AbortUpload(t.Context(), u))
	}
	if err != nil {
		t.Fatal(err)
	}
}
