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

// action is one operation of the grid, from a bucket that holds "there".
type action struct {
	op  s3server.Op
	run func(context.Context, *Bucket) error
}

func actions() []action {
	upload := func(ctx context.Context, b *Bucket) error {
		u, err := b.Upload(ctx, "new", UploadOptions{IfNoneMatch: true})
		if err != nil {
			return err
		}
		defer u.Abort(context.WithoutCancel(ctx)) // the uploads are counted afterwards
		if _, err := u.Write(someBytes(3 * smallPart)); err != nil {
			return err
		}
		_, err = u.Complete(ctx)
		return err
	}
	return []action{
		{s3server.OpPutObject, func(ctx context.Context, b *Bucket) error {
			_, err := b.Put(ctx, "new", someBytes(3*smallPart), PutOptions{IfNoneMatch: true})
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

func TestEveryOperationSurvivesPassingFaults(t *testing.T) {
	passing := map[string]s3server.Rule{
		"500":         {Times: 1, Fault: s3server.Fault{Kind: s3server.Answer, Status: 500}},
		"503 x3":      {Times: 3, Fault: s3server.Fault{Kind: s3server.Answer, Status: 503}},
		"429":         {Times: 2, Fault: s3server.Fault{Kind: s3server.Answer, Status: 429, Code: "TooManyRequests"}},
		"reset":       {Times: 2, Fault: s3server.Fault{Kind: s3server.Reset}},
		"lost answer": {Times: 2, Fault: s3server.Fault{Kind: s3server.LoseAnswer}},
		"stall":       {Times: 1, Fault: s3server.Fault{Kind: s3server.Stall}},
		"timeout":     {Times: 1, Fault: s3server.Fault{Kind: s3server.Answer, Status: 400, Code: "RequestTimeout"}},
		"cut":         {Times: 1, Fault: s3server.Fault{Kind: s3server.Cut, After: 20}},
	}
	for name, rule := range passing {
		for _, a := range actions() {
			if name == "timeout" && a.op == s3server.OpHeadObject {
				continue // an answer to HEAD has no body to name the timeout in
			}
			t.Run(fmt.Sprintf("%s/%s", name, a.op), func(t *testing.T) {
				srv := startServer(t)
				b := openAt(t, srv, func(o *Options) { o.IdleTimeout = 500 * time.Millisecond })
				mustPut(t, b, "there", someBytes(2*smallPart))
				rule.Op = a.op
				srv.Inject(rule)
				if err := a.run(t.Context(), b); err != nil {
					t.Fatal(err)
				}
				// An upload whose id was lost on the way is left to whoever sweeps by Uploads.
				if a.op != s3server.OpCreateMultipart || (name != "lost answer" && name != "cut") {
					noOpenUploads(t, b)
				}
				if head, err := b.Head(t.Context(), "new"); err == nil && head.CRC64NVME != crcOf(someBytes(3*smallPart)) {
					t.Errorf("stored with checksum %s", head.CRC64NVME)
				}
			})
		}
	}
}

func TestEveryOperationFailsRightlyUnderLastingFaults(t *testing.T) {
	answer := func(code string) s3server.Fault { return s3server.Fault{Kind: s3server.Answer, Code: code} }
	lasting := map[string]struct {
		fault s3server.Fault
		want  fault.Code
	}{
		"500":           {s3server.Fault{Kind: s3server.Answer, Status: 500}, fault.Unavailable},
		"reset":         {s3server.Fault{Kind: s3server.Reset}, fault.Unavailable},
		"stall":         {s3server.Fault{Kind: s3server.Stall}, fault.Unavailable},
		"denied":        {answer("AccessDenied"), fault.NotPermitted},
		"expired token": {answer("ExpiredToken"), fault.NotPermitted},
		"skewed clock":  {answer("RequestTimeTooSkewed"), fault.NotPermitted},
		"full":          {s3server.Fault{Kind: s3server.Answer, Status: 507, Code: "XMinioStorageFull"}, fault.NoSpace},
	}
	for name, c := range lasting {
		for _, a := range actions() {
			if a.op == s3server.OpHeadObject && c.want != fault.Unavailable {
				continue // an answer to HEAD has no body: see Probe
			}
			t.Run(fmt.Sprintf("%s/%s", name, a.op), func(t *testing.T) {
				srv := startServer(t)
				b := openAt(t, srv, func(o *Options) { o.MaxAttempts, o.IdleTimeout = 2, 150*time.Millisecond })
				mustPut(t, b, "there", someBytes(2*smallPart))
				srv.Inject(s3server.Rule{Op: a.op, Fault: c.fault})
				err := a.run(t.Context(), b)
				wantCode(t, err, c.want)
				srv.ClearFaults()
				noOpenUploads(t, b)
				if _, err := b.Head(t.Context(), "new"); !errors.Is(err, ErrNotFound) {
					t.Errorf("a failed write left something: %v", err)
				}
			})
		}
	}
}
