package integration

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/backuptest"
	"codeberg.org/pgbtui/pgbtui/internal/backup/lease"
	"codeberg.org/pgbtui/pgbtui/internal/backup/retention"
	"codeberg.org/pgbtui/pgbtui/internal/price"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// abandon leaves what a run leaves that is killed in its upload: globals, an open upload with some
// parts, and a lease that nobody renews. It returns the run's ID.
func (w *world) abandon(t testing.TB) string {
	t.Helper()
	id := backup.NewID(time.Now())
	dir := backup.Folder(w.job.S3.Prefix, w.job.Instance, w.job.Database) + id + "/"
	w.put(t, dir+backup.GlobalsName, []byte("globals"))
	w.openUpload(t, dir+backup.DumpName)
	return id
}

func (w *world) openUpload(t testing.TB, key string) {
	t.Helper()
	u, err := w.env.Bucket.Upload(t.Context(), key, s3.UploadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := u.Write(make([]byte, 2*partBytes)); err != nil {
		t.Fatal(err)
	}
	for tries := 0; ; tries++ {
		open, err := w.env.Bucket.Uploads(t.Context(), key)
		if err != nil || len(open) != 1 {
			t.Fatalf("%+v, %v", open, err)
		}
		if parts, err := w.env.Bucket.Parts(t.Context(), open[0]); err != nil || tries == 600 {
			t.Fatalf("%+v, %v", parts, err)
		} else if parts.Bytes >= partBytes {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func (w *world) plan(t testing.TB) *retention.Pruning {
	t.Helper()
	plan, err := retention.Plan(t.Context(), w.job, w.env, retention.Reach{})
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// leftover is what the plan says of one run's upload or objects.
func leftoverOf(t testing.TB, plan *retention.Pruning, run string, kind retention.LeftoverKind) retention.Leftover {
	t.Helper()
	for _, l := range plan.Leftovers {
		if l.Run == run && l.Kind == kind {
			return l
		}
	}
	t.Fatalf("no %s of %s in %+v", kind, run, plan.Leftovers)
	return retention.Leftover{}
}

func TestWhatADeadRunLeftIsListedAndAfterADayRemoved(t *testing.T) {
	w := newWorldOn(t, pgOf(t), "small") // without any rule
	good := w.plant(t, backuptest.Ago(1.5))
	run := w.abandon(t)
	plan := w.plan(t)
	upload, objects := leftoverOf(t, plan, run, retention.LeftoverUpload), leftoverOf(t, plan, run, retention.LeftoverObjects)
	if upload.Bytes < partBytes || upload.Bytes > 2*partBytes || objects.Bytes != int64(len("globals")) || time.Since(upload.Last).Abs() > time.Hour {
		t.Errorf("%+v\n%+v", upload, objects)
	}
	if upload.Remove || objects.Remove || len(plan.Decisions) != 1 {
		t.Errorf("removed on its first day: %+v", plan)
	}
	w.pass(25 * time.Hour)
	plan = w.plan(t)
	if plan.Removes() != 0 || len(plan.Doubts) != 0 {
		t.Errorf("leftovers are counted as sets: %+v", plan)
	}
	done, err := retention.Apply(t.Context(), w.env.Bucket, w.env.Log, plan, retention.Unconfirmed)
	if err != nil || len(done.Leftovers) != 2 || len(done.Sets) != 0 {
		t.Errorf("%+v, %v", done, err)
	}
	if w.has(t, run) || w.openUploads(t) != 0 || !w.find(t, good.ID).Good() {
		t.Errorf("left: %q, %d uploads", w.keys(t), w.openUploads(t))
	}
	if n := strings.Count(w.log.text(), "event=leftover-removed"); n != 2 {
		t.Errorf("%d events tell of it", n)
	}
}

func TestWhatALiveRunHasStoredIsNoLeftoverHoweverOldItIs(t *testing.T) {
	w := newWorldOn(t, pgOf(t), "small")
	run := w.abandon(t)
	w.lease(t, run)
	w.pass(50 * time.Hour)
	for _, kind := range []retention.LeftoverKind{retention.LeftoverUpload, retention.LeftoverObjects} {
		if l := leftoverOf(t, w.plan(t), run, kind); l.Remove || l.Reason != "its run is still active, on host elsewhere" {
			t.Errorf("%+v", l)
		}
	}
}

// lease makes a run one that holds the lease now.
func (w *world) lease(t testing.TB, run string) {
	t.Helper()
	raw, err := json.Marshal(lease.Record{Schema: 1, Run: run, Host: "elsewhere", Until: time.Now().Add(lease.Term)})
	if err != nil {
		t.Fatal(err)
	}
	w.put(t, backup.LeaseKey(w.job), raw)
}

func TestForeignUploadsAndThoseOfOtherJobsAreNotTouched(t *testing.T) {
	w := newWorldOn(t, pgOf(t), "small")
	folder := backup.Folder(w.job.S3.Prefix, w.job.Instance, w.job.Database)
	for _, key := range []string{
		folder + "notes.txt", folder + "20200101/dump", "postgresql/README", "postgresql/postgresql_small_20200101_000000.backup",
		backup.Folder("postgresql", w.job.Instance, "small_20200101") + backup.NewID(backuptest.Ago(3)) + "/dump", backup.Folder("postgresql", "elsewhere", "small") + backup.NewID(backuptest.Ago(3)) + "/dump",
	} {
		w.openUpload(t, key)
	}
	w.pass(25 * time.Hour)
	if plan := w.plan(t); len(plan.Leftovers) != 0 {
		t.Errorf("%+v", plan.Leftovers)
	}
	if _, err := w.prune(t); err != nil || w.openUploads(t) != 6 {
		t.Errorf("%d uploads are left, %v", w.openUploads(t), err)
	}
}

func TestLeftoversWhoseSizeNobodyMayAskAreStillListed(t *testing.T) {
	for name, op := range map[string]s3server.Op{"parts": s3server.OpListParts, "uploads": s3server.OpListMultipartUploads} {
		t.Run(name, func(t *testing.T) {
			w := newWorldOn(t, pgOf(t), "small")
			run := w.abandon(t)
			w.pass(25 * time.Hour)
			w.store.Inject(s3server.Rule{Op: op, Fault: s3server.Fault{Kind: s3server.Answer, Code: "AccessDenied"}})
			plan := w.plan(t)
			if len(plan.Notes) != 1 || !strings.Contains(plan.Notes[0], "open uploads") {
				t.Errorf("notes %q", plan.Notes)
			}
			leftoverOf(t, plan, run, retention.LeftoverObjects)
			if op != s3server.OpListParts {
				return
			}
			// Without a lease and without its parts, nobody knows whether it is dead.
			if l := leftoverOf(t, plan, run, retention.LeftoverUpload); l.Bytes != -1 || l.Remove || l.Reason != "it is not known whether its run is still active" {
				t.Errorf("%+v", l)
			}
			w.lease(t, "20200101T000000Z-aaaaaa")
			if l := leftoverOf(t, w.plan(t), run, retention.LeftoverUpload); !l.Remove {
				t.Errorf("%+v", l)
			}
		})
	}
}

func TestALeftoverThatCannotBeRemovedIsToldAndTheOthersGo(t *testing.T) {
	w := withDays(t)
	old := w.plant(t, backuptest.Ago(60))
	run := w.abandon(t)
	w.plant(t, time.Now())
	w.pass(25 * time.Hour)
	w.store.Inject(s3server.Rule{Op: s3server.OpAbortMultipart, Fault: s3server.Fault{Kind: s3server.Answer, Code: "AccessDenied"}})
	done, err := retention.Apply(t.Context(), w.env.Bucket, w.env.Log, w.plan(t), retention.Unconfirmed)
	if err == nil || !strings.Contains(err.Error(), run) || len(done.Sets) != 1 || len(done.Leftovers) != 1 {
		t.Errorf("%+v, %v", done, err)
	}
	if w.has(t, old.ID) || w.has(t, run) || w.openUploads(t) != 1 {
		t.Errorf("left: %q, %d uploads", w.keys(t), w.openUploads(t))
	}
}

func TestCostsAreKnownOnAWSAlone(t *testing.T) {
	const gib = 1 << 30
	for name, c := range map[string]struct {
		l        retention.Leftover
		endpoint string
		usd      float64
		known    bool
	}{
		"standard":                         {retention.Leftover{Kind: retention.LeftoverObjects, Bytes: 100 * gib}, "", 2.3, true},
		"infrequent access":                {retention.Leftover{Kind: retention.LeftoverObjects, Bytes: 100 * gib, Class: "STANDARD_IA"}, "", 1.25, true},
		"objects in an archive":            {retention.Leftover{Kind: retention.LeftoverObjects, Bytes: 100 * gib, Class: "DEEP_ARCHIVE"}, "", 0.099, true},
		"parts for an archive lie outside": {retention.Leftover{Kind: retention.LeftoverUpload, Bytes: 100 * gib, Class: "DEEP_ARCHIVE"}, "", 2.3, true},
		"nothing":                          {retention.Leftover{}, "", 0, true},
		"unknown size":                     {retention.Leftover{Bytes: -1}, "", 0, false},
		"unknown class":                    {retention.Leftover{Bytes: gib, Class: "COLDLINE"}, "", 0, false},
		"another store":                    {retention.Leftover{Bytes: gib}, "https://s3.example.com", 0, false},
	} {
		usd, known := c.l.MonthlyUSD(price.Place{Region: "us-east-1", Endpoint: c.endpoint})
		if known != c.known || usd < c.usd-1e-5 || usd > c.usd+1e-5 {
			t.Errorf("%s: %v, %v", name, usd, known)
		}
	}
}
