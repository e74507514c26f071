package integration

import (
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/backuptest"
	"codeberg.org/pgbtui/pgbtui/internal/backup/retention"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

func (w *world) hold(t testing.TB, id string, h backup.Hold) {
	t.Helper()
	if err := backup.HoldSet(t.Context(), w.env.Bucket, w.find(t, id), h); err != nil {
		t.Fatal(err)
	}
}

func (w *world) release(t testing.TB, id string, h backup.Hold) {
	t.Helper()
	if err := backup.ReleaseSet(t.Context(), w.env.Bucket, w.find(t, id), h); err != nil {
		t.Fatal(err)
	}
}

func TestAHeldSetOutlivesRetentionUntilItIsReleased(t *testing.T) {
	w := withDays(t)
	m := w.plant(t, backuptest.Ago(60))
	w.plant(t, backuptest.Ago(1.1))
	w.hold(t, m.ID, backup.Hold{By: "ada", Host: "db1", At: time.Now(), Reason: "audit 7"})
	set := w.find(t, m.ID)
	if set.Hold == nil || set.Hold.By != "ada" || set.Hold.Host != "db1" || set.Hold.Reason != "audit 7" || !set.Good() {
		t.Fatalf("%+v", set.Hold)
	}
	if gone, err := w.prune(t); err != nil || len(gone) != 0 {
		t.Errorf("deleted %+v, %v", gone, err)
	}
	w.release(t, m.ID, backup.Hold{By: "bob", Host: "db2", At: time.Now()})
	if set := w.find(t, m.ID); set.Hold != nil {
		t.Errorf("still %v", set.Hold)
	}
	if gone, err := w.prune(t); err != nil || len(gone) != 1 || w.has(t, m.ID) {
		t.Errorf("deleted %+v, %v; left %q", gone, err, w.keys(t))
	}
}

func TestAClockThatIsWrongDoesNotMakeAHoldAnOldOne(t *testing.T) {
	w := withDays(t)
	m := w.plant(t, backuptest.Ago(60))
	for i, step := range []struct {
		release bool
		at      time.Time
	}{{false, time.Now().AddDate(10, 0, 0)}, {true, time.Now()}, {false, time.Now().AddDate(-10, 0, 0)}, {true, time.Time{}}} {
		if step.release {
			w.release(t, m.ID, backup.Hold{By: "ada", At: step.at})
		} else {
			w.hold(t, m.ID, backup.Hold{By: "ada", At: step.at})
		}
		if held := w.find(t, m.ID).Hold != nil; held == step.release {
			t.Errorf("step %d: held %v", i, held)
		}
	}
}

func TestAHoldThatNobodyCanReadHolds(t *testing.T) {
	w := withDays(t)
	dir := func(m *backup.Manifest) string {
		return backup.Folder("postgresql", string(m.Instance), string(m.Database)) + m.ID + "/holds/"
	}
	const name = "20261122T020000.000Z-0a1b2c-"
	for what, body := range map[string]string{
		name + "hold.json":                         `{"schema":2,"set":"?","until":"2027-01-01"}`,
		name + "release.json":                      `{"schema":1,"set":"of-another","release":true,"at":"2026-11-22T02:00:00Z"}`,
		"20261122T020000.000Z-0a1b2d-release.json": `{"schema":1,"release":true`,
		"README": "keep this",
	} {
		m := w.plant(t, backuptest.Ago(60))
		w.put(t, dir(m)+what, []byte(body))
		set := w.find(t, m.ID)
		if set.Hold == nil || !strings.Contains(set.Hold.Reason, "cannot read") {
			t.Errorf("%s: %+v", what, set.Hold)
		}
		w.release(t, m.ID, backup.Hold{By: "ada", At: time.Now()})
		if set := w.find(t, m.ID); set.Hold != nil {
			t.Errorf("%s: a person's release does not end it: %v", what, set.Hold)
		}
	}
}

func TestAHoldOnASetThatIsBeingPrunedWins(t *testing.T) {
	w := withDays(t)
	m := w.plant(t, backuptest.Ago(60))
	w.plant(t, backuptest.Ago(1.1))
	plan, err := retention.Plan(t.Context(), w.job, w.env, retention.Reach{})
	if err != nil || plan.Removes() != 1 {
		t.Fatalf("%+v, %v", plan, err)
	}
	w.hold(t, m.ID, backup.Hold{By: "ada", At: time.Now()})
	gone, err := retention.Apply(t.Context(), w.env.Bucket, w.env.Log, plan, retention.Unconfirmed)
	wantCode(t, err, fault.Refused)
	if len(gone.Sets) != 0 || !w.find(t, m.ID).Good() {
		t.Errorf("deleted %+v, left %q", gone, w.keys(t))
	}
}

func TestOnlySetsWithAFolderCanBeHeld(t *testing.T) {
	w := newWorldOn(t, pgOf(t), "small")
	for _, kind := range []backup.Kind{backup.KindLegacy, backup.KindIncomplete} {
		set := &backup.Set{ID: "x", Kind: kind, Dir: "postgresql/x"}
		for _, do := range []error{backup.HoldSet(t.Context(), w.env.Bucket, set, backup.Hold{}), backup.ReleaseSet(t.Context(), w.env.Bucket, set, backup.Hold{})} {
			if fault.CodeOf(do) != fault.Refused || fault.Remedy(do) == "" {
				t.Errorf("%s: %v", kind, do)
			}
		}
	}
	if keys := w.keys(t); len(keys) != 0 {
		t.Errorf("written: %q", keys)
	}
}

func TestAHoldThatCannotBeWrittenIsNoHold(t *testing.T) {
	w := withDays(t)
	m := w.plant(t, backuptest.Ago(60))
	w.store.Inject(s3server.Rule{Op: s3server.OpPutObject, Fault: s3server.Fault{Kind: s3server.Answer, Code: "AccessDenied"}})
	err := backup.HoldSet(t.Context(), w.env.Bucket, w.find(t, m.ID), backup.Hold{By: "ada", At: time.Now()})
	wantCode(t, err, fault.NotPermitted)
	if set := w.find(t, m.ID); set.Hold != nil {
		t.Errorf("%v", set.Hold)
	}
}

func TestAHoldDoesNotCountAsBytesOrEvidence(t *testing.T) {
	w := withDays(t)
	m := w.plant(t, backuptest.Ago(60))
	before := w.find(t, m.ID)
	w.hold(t, m.ID, backup.Hold{By: "ada", At: time.Now()})
	after := w.find(t, m.ID)
	if after.StoredSize != before.StoredSize || len(after.Proofs) != 0 || !after.FinishedAt.Equal(before.FinishedAt) {
		t.Errorf("before %+v, after %+v", before, after)
	}
}
