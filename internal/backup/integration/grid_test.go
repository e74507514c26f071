package integration

import (
	"slices"
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/backuptest"
	"codeberg.org/pgbtui/pgbtui/internal/backup/verify"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// The grid: every operation that a run makes, times every way in which a store fails. internal/s3 has the
// same grid for single calls.

const unavailable, denied, damaged, throttled = fault.Unavailable, fault.NotPermitted, fault.Integrity, fault.Temporary

// gridRow is an operation and the exit codes of the permanent faults there.
type gridRow struct {
	name                                  string
	op                                    s3server.Op
	key                                   string
	broken, throttled, forbidden, altered fault.Code // 500, resets, stalls for ever; 503 for ever; a refusal; another checksum in each answer
	lostForEver                           fault.Code // done each time, but never answered
}

var gridRows = []gridRow{
	{"lease", s3server.OpPutObject, backup.LeaseName, unavailable, throttled, denied, damaged, fault.OK},
	{"sweep", s3server.OpListMultipartUploads, "", fault.OK, fault.OK, fault.OK, fault.OK, fault.OK}, // a warning
	{"globals", s3server.OpPutObject, backup.GlobalsName, unavailable, throttled, denied, damaged, unavailable},
	{"create", s3server.OpCreateMultipart, "", unavailable, throttled, denied, fault.OK, unavailable},
	{"part", s3server.OpUploadPart, "", unavailable, throttled, denied, damaged, unavailable},
	{"complete", s3server.OpCompleteMultipart, "", unavailable, throttled, denied, fault.OK, fault.OK}, // looked up; its checksum is in the body
	{"read back", s3server.OpHeadObject, backup.DumpName, unavailable, unavailable, denied, damaged, unavailable},
	{"contents", s3server.OpPutObject, backup.ContentsName, unavailable, throttled, denied, damaged, unavailable},
	{"manifest", s3server.OpPutObject, backup.ManifestName, unavailable, throttled, denied, fault.OK, fault.OK}, // looked up
	{"list", s3server.OpListObjectsV2, "", unavailable, throttled, fault.OK, fault.OK, unavailable},             // some writers may not
	{"delete", s3server.OpDeleteObjects, "", fault.OK, fault.OK, fault.OK, fault.OK, fault.OK},                  // retention: a warning
}

type gridFault struct {
	name  string
	fault s3server.Fault
	times int // 0: for ever
	want  func(gridRow) fault.Code
}

func ok(gridRow) fault.Code        { return fault.OK }
func down(r gridRow) fault.Code    { return r.broken }
func refused(r gridRow) fault.Code { return r.forbidden }

// bent answers to a HEAD tell another size: that is no hiccup.
func bent(r gridRow) fault.Code {
	if r.op == s3server.OpHeadObject {
		return damaged
	}
	return fault.OK
}

var gridFaults = []gridFault{
	{"one 500", s3server.Fault{Kind: s3server.Answer, Status: 500}, 1, ok},
	{"500 for ever", s3server.Fault{Kind: s3server.Answer, Status: 500}, 0, down},
	{"503 three times", s3server.Fault{Kind: s3server.Answer, Status: 503}, 3, ok},
	{"503 for ever", s3server.Fault{Kind: s3server.Answer, Status: 503}, 0, func(r gridRow) fault.Code { return r.throttled }},
	{"two resets", s3server.Fault{Kind: s3server.Reset}, 2, ok},
	{"resets for ever", s3server.Fault{Kind: s3server.Reset}, 0, down},
	{"one answer lost", s3server.Fault{Kind: s3server.LoseAnswer}, 1, ok},
	{"every answer lost", s3server.Fault{Kind: s3server.LoseAnswer}, 0, func(r gridRow) fault.Code { return r.lostForEver }},
	{"one stall", s3server.Fault{Kind: s3server.Stall}, 1, ok},
	{"stalls for ever", s3server.Fault{Kind: s3server.Stall}, 0, down},
	{"an answer cut", s3server.Fault{Kind: s3server.Cut, After: 20}, 1, ok},
	{"an answer short", s3server.Fault{Kind: s3server.Short, After: 20}, 1, bent},
	{"an answer with more", s3server.Fault{Kind: s3server.Extra, After: 20}, 1, bent},
	{"wrong checksums", s3server.Fault{Kind: s3server.WrongChecksum}, 0, func(r gridRow) fault.Code { return r.altered }},
	{"access denied", s3server.Fault{Kind: s3server.Answer, Code: "AccessDenied"}, 0, refused},
	{"expired token", s3server.Fault{Kind: s3server.Answer, Code: "ExpiredToken"}, 0, refused},
	{"clock skew", s3server.Fault{Kind: s3server.Answer, Code: "RequestTimeTooSkewed"}, 0, refused},
}

func TestEveryOperationTimesEveryFault(t *testing.T) {
	pg, small := smallDatabase(t)
	for _, row := range gridRows {
		for _, f := range gridFaults {
			t.Run(row.name+"/"+f.name, func(t *testing.T) {
				t.Parallel()
				w := newWorldOn(t, pg, small)
				w.job.Keep.Days, w.job.Keep.MinGood = 30, 1
				w.plant(t, backuptest.Ago(50))
				if f.fault.Kind == s3server.Stall {
					w.impatient(t, f.times)
				}
				w.store.Inject(s3server.Rule{Op: row.op, Key: row.key, Times: f.times, Fault: f.fault})
				w.cell(t, f.want(row))
			})
		}
	}
}

// gridSpoilt are answers that arrive with other bytes than the store sent. What comes right at the second
// time was never damaged.
var gridSpoilt = []gridFault{
	{"a bit flipped once", s3server.Fault{Kind: s3server.Flip, After: 200}, 1, ok},
	{"a bit flipped for ever", s3server.Fault{Kind: s3server.Flip, After: 200}, 0, func(r gridRow) fault.Code { return r.altered }},
}

// impatient gives up connections on which nothing moves for a moment, sooner for good when all will stall.
func (w *world) impatient(t *testing.T, stalls int) {
	t.Helper()
	o := w.options(t, w.store.AccessKey, w.store.SecretKey)
	if o.IdleTimeout = 500 * time.Millisecond; stalls == 0 {
		o.IdleTimeout, o.MaxAttempts = 400*time.Millisecond, 2
	}
	b, err := s3.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	w.env.Bucket = b
}

// A run reads little: GetObject is held to the same faults when a set is verified and listed.
func TestEveryFaultOfAReadIsSurvivedOrNamed(t *testing.T) {
	row := gridRow{broken: unavailable, throttled: throttled, forbidden: denied, altered: damaged, lostForEver: unavailable}
	for _, f := range append(slices.Clone(gridFaults), gridSpoilt...) {
		for _, key := range []string{backup.DumpName, backup.ManifestName} {
			t.Run(f.name+"/"+key, func(t *testing.T) {
				t.Parallel()
				w, set := smallSet.world(t)
				if f.fault.Kind == s3server.Stall {
					w.impatient(t, f.times)
				}
				w.store.Inject(s3server.Rule{Op: s3server.OpGetObject, Key: key, Times: f.times, Fault: f.fault})
				want := f.want(row)
				if f.fault.Kind == s3server.WrongChecksum && key == backup.DumpName {
					want = fault.OK // the frames are those that the manifest vouches for
				}
				w.reads(t, set, key, want)
			})
		}
	}
}

// reads verifies a set, or lists it, under the fault of one of its objects.
func (w *world) reads(t *testing.T, set *backup.Set, key string, want fault.Code) {
	t.Helper()
	if key == backup.ManifestName {
		sets, err := backup.NewCatalogue(w.env.Bucket, w.job).Sets(t.Context(), backup.Scope{})
		if want != damaged {
			wantCode(t, err, want)
			if err == nil && !sets[0].Good() {
				t.Errorf("survived, but: %s", sets[0].Problem)
			}
			return
		}
		if err != nil || len(sets) != 1 || sets[0].Good() || sets[0].ProblemCode != damaged {
			t.Errorf("%+v, %v", sets, err)
		}
		return
	}
	_, err := verify.Whole(t.Context(), w.job, w.env, set, nil)
	wantCode(t, err, want)
	w.store.ClearFaults()
	if failure := w.find(t, set.ID).LastFailure(); failure != nil && want != damaged {
		t.Errorf("a store that fails was recorded against the set: %+v", failure)
	}
}

// cell runs under the fault and holds the outcome against the invariants.
func (w *world) cell(t *testing.T, want fault.Code) {
	t.Helper()
	result, err := w.try(t.Context())
	wantCode(t, err, want)
	w.store.ClearFaults()
	good := w.goodSets(t)
	switch {
	case err == nil && !strings.Contains(strings.Join(good, " "), result.Manifest.ID):
		t.Errorf("success without a set: %q", good)
	case err != nil && len(good) != 1:
		t.Errorf("failed, and the good sets are %q", good)
	case err != nil && fault.Remedy(err) == "":
		t.Errorf("no remedy for: %v", err)
	}
	w.recovers(t)
}

// recovers asserts that the next run removes what the one before could not, and that prune does
// so with the rest when it is old enough.
func (w *world) recovers(t *testing.T) {
	t.Helper()
	incomplete := func() (n int) {
		for _, s := range w.sets(t) {
			if s.Kind == backup.KindIncomplete {
				n++
			}
		}
		return n
	}
	if w.openUploads(t) > 0 || incomplete() > 0 {
		w.run(t)
	}
	if n := w.openUploads(t); n != 0 {
		t.Errorf("%d uploads are open after the next run", n)
	}
	if incomplete() > 0 {
		w.pass(25 * time.Hour)
		if _, err := w.prune(t); err != nil {
			t.Fatal(err)
		}
	}
	if n := incomplete(); n != 0 {
		t.Errorf("litter for ever: %q", w.keys(t))
	}
}

func (w *world) goodSets(t testing.TB) (ids []string) {
	t.Helper()
	for _, s := range w.sets(t) {
		if s.Good() {
			ids = append(ids, s.ID)
		}
	}
	return ids
}

func TestACompleteThatFailsInItsAnswerIsNoSuccess(t *testing.T) {
	pg, small := smallDatabase(t)
	for name, c := range map[string]struct {
		times int
		want  fault.Code
	}{"once": {1, fault.OK}, "for ever": {0, fault.Unavailable}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorldOn(t, pg, small)
			w.plant(t, backuptest.Ago(2))
			w.store.Inject(s3server.Rule{Op: s3server.OpCompleteMultipart, Times: c.times, Fault: s3server.Fault{Kind: s3server.ErrorIn200}})
			w.job.Keep.Days, w.job.Keep.MinGood = 1, 1
			w.cell(t, c.want)
		})
	}
}

func TestAManifestNobodyCanAskAboutLeavesItsSetInPeace(t *testing.T) {
	pg, small := smallDatabase(t)
	w := newWorldOn(t, pg, small)
	lost := s3server.Fault{Kind: s3server.LoseAnswer}
	w.store.Inject(s3server.Rule{Op: s3server.OpPutObject, Key: backup.ManifestName, Fault: lost})
	w.store.Inject(s3server.Rule{Op: s3server.OpHeadObject, Key: backup.ManifestName, Fault: s3server.Fault{Kind: s3server.Reset}})
	w.store.Inject(s3server.Rule{Op: s3server.OpGetObject, Key: backup.ManifestName, Fault: s3server.Fault{Kind: s3server.Reset}})
	_, err := w.try(t.Context())
	wantCode(t, err, fault.Unavailable)
	w.store.ClearFaults()
	sets := w.sets(t)
	if len(sets) != 1 || !sets[0].Good() {
		t.Fatalf("a committed set was taken apart: %+v", sets)
	}
	if _, err := verify.Whole(t.Context(), w.job, w.env, &sets[0], nil); err != nil {
		t.Error(err)
	}
}

func TestAStoreWithoutMultipartListingOrConditionsStillTakesBackups(t *testing.T) {
	pg, small := smallDatabase(t)
	w := newWorldOn(t, pg, small)
	w.store.Inject(s3server.Rule{Op: s3server.OpListMultipartUploads, Fault: s3server.Fault{Kind: s3server.Answer, Status: 501, Code: "NotImplemented"}})
	w.refuseConditions()
	result := w.run(t)
	if len(result.Warnings) > 0 {
		t.Errorf("every night ends with a warning: %q", result.Warnings)
	}
	for _, told := range []string{"no conditional writes", "uploads of runs that were killed are not looked for"} {
		if !strings.Contains(w.log.text(), told) {
			t.Errorf("the journal lacks %q", told)
		}
	}
}
