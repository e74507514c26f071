package restore

import (
	"bytes"
	"errors"
	"io/fs"
	"log/slog"
	"syscall"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/stored"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

func TestTheHeadThatEachSessionReadsIsNoProgress(t *testing.T) {
	var counted bytes.Buffer
	b := &behind{skip: 5, to: &counted}
	for _, piece := range []string{"hea", "", "d:ro", "ws"} {
		if n, err := b.Write([]byte(piece)); n != len(piece) || err != nil {
			t.Fatal(n, err)
		}
	}
	if counted.String() != "rows" {
		t.Errorf("counted %q", counted.String())
	}
}

func TestADiskThatTakesNoFileCostsSessionsOnlyWhereNobodyAskedForThem(t *testing.T) {
	disk := func(reason error) error {
		return stored.SpoolError(&fs.PathError{Op: "open", Path: "/srv/dump.pgc", Err: reason})
	}
	for name, c := range map[string]struct {
		err    error
		chosen bool
		goesOn bool
	}{
		"full":                {disk(syscall.ENOSPC), true, true},
		"read-only":           {disk(syscall.EROFS), true, true},
		"not ours":            {disk(syscall.EACCES), true, true},
		"not there":           {disk(syscall.ENOENT), true, true},
		"full, and asked for": {disk(syscall.ENOSPC), false, false},
		"the store's refusal": {fault.New(fault.NotPermitted, "s3: get", "", nil), true, false},
		"damaged":             {fault.New(fault.Integrity, "sealed: frame 0", "", nil), true, false},
	} {
		env := backup.Env{Log: slog.New(slog.DiscardHandler)}
		r := &restoring{env: env, log: env.Log, req: Request{Jobs: 4}}
		r.sessions.chosen = c.chosen
		r.sessions.archive = &stored.Archive{}
		err := r.orOneSession(t.Context(), c.err)
		if c.goesOn && (err != nil || r.req.Jobs != 1 || r.sessions.archive != nil || len(r.result.Notes) != 1) {
			t.Errorf("%s: %v, %d sessions, %q", name, err, r.req.Jobs, r.result.Notes)
		}
		if !c.goesOn && (!errors.Is(err, c.err) || r.req.Jobs != 4) {
			t.Errorf("%s: %v, %d sessions", name, err, r.req.Jobs)
		}
	}
}
