package chaos

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// Moment is a point of a run at which it can be held, and be seen to be there.
type Moment struct {
	Name      string
	large     bool // needs the large database
	streams   int  // that the dump has; 0: as many as the program wants
	retention bool // needs a set that retention lets go
	committed bool // the backup exists from here on
	random    bool // how far the run has come is not known
	hold      func(*World) error
	reached   func(*World, context.Context) bool
}

// afterPart is the k of "after part k": later parts are on their way, unanswered.
const afterPart = 2

// Moments are the twelve, in the order in which a run comes to them.
func Moments() []Moment {
	return []Moment{
		{
			Name: "before the lock", hold: func(w *World) error { w.gate.shut(); return nil },
			reached: func(w *World, _ context.Context) bool { return w.gate.waiting.Load() > 0 },
		},
		{Name: "after the lock", hold: stall(s3server.OpListMultipartUploads, ""), reached: asked(s3server.OpListMultipartUploads, "")},
		{Name: "globals", hold: stall(s3server.OpPutObject, "globals.sql"), reached: asked(s3server.OpPutObject, "globals.sql")},
		{Name: "snapshot open", hold: (*World).lockTable, reached: (*World).dumpWaits},
		{Name: "mid-COPY", large: true, hold: stall(s3server.OpUploadPart, ""), reached: both(asked(s3server.OpUploadPart, ""), (*World).copies)},
		{Name: "dump closed", hold: stall(s3server.OpUploadPart, ""), reached: both(asked(s3server.OpUploadPart, ""), (*World).noDump)},
		{Name: "after CreateMultipartUpload", hold: loseAnswer(s3server.OpCreateMultipart), reached: (*World).hasUpload},
		{Name: fmt.Sprintf("after part %d", afterPart), large: true, hold: stallLaterParts, reached: (*World).partsDone},
		{Name: "before Complete", hold: stall(s3server.OpCompleteMultipart, ""), reached: asked(s3server.OpCompleteMultipart, "")},
		{Name: "Complete's answer lost", hold: loseAnswer(s3server.OpCompleteMultipart), reached: (*World).hasDump},
		{Name: "after the manifest", committed: true, hold: stallAfterManifest, reached: (*World).askedAfterManifest},
		{Name: "during retention", retention: true, committed: true, hold: stall(s3server.OpDeleteObjects, ""), reached: asked(s3server.OpDeleteObjects, "")},
	}
}

// stall lets requests wait for an answer that never comes. Nothing of them is done.
func stall(op s3server.Op, key string) func(*World) error {
	return func(w *World) error {
		w.hold(func(got s3server.Op, r *http.Request) *s3server.Fault {
			if got == op && strings.Contains(r.URL.Path, key) {
				return &s3server.Fault{Kind: s3server.Stall}
			}
			return nil
		})
		return nil
	}
}

// loseAnswer does what is asked and then stays silent.
func loseAnswer(op s3server.Op) func(*World) error {
	return func(w *World) error {
		w.hold(func(got s3server.Op, _ *http.Request) *s3server.Fault {
			if got == op {
				return &s3server.Fault{Kind: s3server.StallBody}
			}
			return nil
		})
		return nil
	}
}

func stallLaterParts(w *World) error {
	w.hold(func(op s3server.Op, r *http.Request) *s3server.Fault {
		if op == s3server.OpUploadPart && partNumber(r.URL.RawQuery) > afterPart {
			return &s3server.Fault{Kind: s3server.Stall}
		}
		return nil
	})
	return nil
}

func stallAfterManifest(w *World) error {
	w.hold(func(_ s3server.Op, _ *http.Request) *s3server.Fault {
		if w.manifestStored() {
			return &s3server.Fault{Kind: s3server.Stall}
		}
		return nil
	})
	return nil
}

func partNumber(query string) int {
	q, _ := url.ParseQuery(query)
	n, _ := strconv.Atoi(q.Get("partNumber"))
	return n
}

func asked(op s3server.Op, key string) func(*World, context.Context) bool {
	return func(w *World, _ context.Context) bool {
		for _, r := range w.store.Requests(op) {
			if strings.Contains(r.Key, key) && w.ofProgram(r) {
				return true
			}
		}
		return false
	}
}

func both(a, b func(*World, context.Context) bool) func(*World, context.Context) bool {
	return func(w *World, ctx context.Context) bool { return a(w, ctx) && b(w, ctx) }
}

// ofProgram tells the program's requests from the laboratory's.
func (w *World) ofProgram(r s3server.Request) bool {
	return strings.Contains(r.Header.Get("Authorization"), secretAccessKey)
}

// lockTable keeps pg_dump waiting for a table's lock, with its snapshot open, until release.
func (w *World) lockTable() error {
	ctx := context.Background()
	conn, err := w.lab.connect(ctx, w.database)
	if err != nil {
		return err
	}
	w.locker = conn
	_, err = conn.Exec(ctx, "BEGIN; LOCK TABLE held IN ACCESS EXCLUSIVE MODE")
	return err
}

// sessions counts the program's sessions, its tools' included, that a condition holds for.
func (w *World) sessions(ctx context.Context, condition string) int64 {
	n, err := w.lab.queryInt(ctx, "SELECT count(*) FROM pg_stat_activity WHERE datname = $1 AND application_name IN ('pgbtui', 'pg_dump', 'pg_dumpall') AND "+condition, w.database)
	if err != nil {
		return -1
	}
	return n
}

func (w *World) dumpWaits(ctx context.Context) bool {
	return w.sessions(ctx, "wait_event_type = 'Lock' AND backend_xmin IS NOT NULL") > 0
}

func (w *World) copies(ctx context.Context) bool {
	return w.sessions(ctx, "state = 'active' AND query LIKE 'COPY%'") > 0
}

func (w *World) noDump(ctx context.Context) bool {
	return w.sessions(ctx, "application_name = 'pg_dump'") == 0
}

func (w *World) hasUpload(ctx context.Context) bool {
	open, err := w.bucket.Uploads(ctx, "")
	return err == nil && len(open) > 0
}

func (w *World) hasDump(ctx context.Context) bool {
	for o, err := range w.bucket.List(ctx, w.folder()) {
		if err != nil {
			return false
		}
		id, key, _ := strings.Cut(o.Key[len(w.folder()):], "/")
		if strings.HasPrefix(key, "dump.pgc") && !slices.Contains(w.planted, id) {
			return true
		}
	}
	return false
}

func (w *World) partsDone(context.Context) bool {
	done, later := map[int]bool{}, false
	for _, r := range w.store.Requests(s3server.OpUploadPart) {
		n := partNumber(r.Query)
		later = later || n > afterPart
		done[n] = done[n] || r.Status == http.StatusOK
	}
	for n := 1; n <= afterPart; n++ {
		if !done[n] {
			return false
		}
	}
	return later
}

// manifestStored reports whether the program has put a manifest and was answered.
func (w *World) manifestStored() bool {
	for _, r := range w.store.Requests(s3server.OpPutObject) {
		if strings.HasSuffix(r.Key, "/"+manifestName) && r.Status == http.StatusOK && w.ofProgram(r) {
			return true
		}
	}
	return false
}

func (w *World) askedAfterManifest(context.Context) bool {
	requests := w.store.Requests()
	for i := len(requests) - 1; i >= 0; i-- {
		r := requests[i]
		if !w.ofProgram(r) {
			continue
		}
		return r.Status == 0 && w.manifestStored()
	}
	return false
}

// reachesWithin bounds how long a held run may take to get somewhere on a loaded machine.
const reachesWithin = 2 * time.Minute

// await polls until the run has reached the moment, and is false if it ended before.
func (m Moment) await(ctx context.Context, w *World, p *process) bool {
	for deadline := time.Now().Add(reachesWithin); time.Now().Before(deadline) && ctx.Err() == nil; {
		if m.reached(w, ctx) {
			return true
		}
		if p.within(10 * time.Millisecond) {
			return false
		}
	}
	return false
}
