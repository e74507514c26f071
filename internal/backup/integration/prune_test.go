package integration

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/backuptest"
	"codeberg.org/pgbtui/pgbtui/internal/backup/retention"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// withDays is a world whose job keeps sets for 30 days, at least one.
func withDays(t *testing.T) *world {
	w := newWorldOn(t, pgOf(t), "small")
	w.job.Keep.Days, w.job.Keep.MinGood = 30, 1
	return w
}

func (w *world) has(t *testing.T, id string) bool {
	t.Helper()
	return slices.ContainsFunc(w.keys(t), func(key string) bool { return strings.Contains(key, id) })
}

func TestRetentionAfterARunTouchesItsOwnDatabaseOnly(t *testing.T) {
	w := withDays(t)
	mine := w.plant(t, backuptest.Ago(60))
	var others []string
	for _, change := range []func(*backup.Manifest){
		func(m *backup.Manifest) { m.Database = "other" },
		func(m *backup.Manifest) { m.Database = printable.Name(w.job.Database + "_20200101") },
		func(m *backup.Manifest) { m.Instance = "elsewhere" },
		func(m *backup.Manifest) { m.Instance = "postgresql_x" },
	} {
		others = append(others, w.plant(t, backuptest.Ago(60), change).ID)
	}
	foreign := []string{
		"postgresql/README", "README.md", "postgresql/pgbackrest/archive/main/archive.info", "postgresql/postgresql_small_20200101_000000.backup",
		"postgresql/postgresql_small_20200101.backup", backup.Folder("postgresql", w.job.Instance, w.job.Database) + "notes.txt",
		backup.Folder("postgresql", w.job.Instance, w.job.Database) + "20200101/dump", "postgresql/" + w.job.Instance + "/small/20200101T000000Z-aaaaa/x",
	}
	for _, key := range foreign {
		w.put(t, key, []byte("foreign"))
	}
	result := w.run(t)
	if len(result.Deleted) != 1 || result.Deleted[0].Set.ID != mine.ID || w.has(t, mine.ID) {
		t.Errorf("deleted: %+v", result.Deleted)
	}
	for _, kept := range append(others, foreign...) {
		if !w.has(t, kept) {
			t.Errorf("%s is gone", kept)
		}
	}
	if !strings.Contains(w.log.text(), "event=retention-deleted") {
		t.Error("no event tells of the deletion")
	}
}

func TestADatabaseWithADateInItsNameKeepsItsFreshBackup(t *testing.T) {
	w := withDays(t)
	w.job.Keep.Days = 1
	w.pg.CreateDatabaseNamed(t, "sales_20200101")
	w.job.Database = "sales_20200101"
	for range 2 {
		if result := w.run(t); !w.has(t, result.Manifest.ID) || len(result.Deleted) != 0 {
			t.Errorf("deleted: %+v", result.Deleted)
		}
	}
}

func TestAFailedBackupDeletesNothing(t *testing.T) {
	w := withDays(t)
	for days := range 5 {
		w.plant(t, backuptest.Ago(float64(60+days)))
	}
	w.store.Inject(s3server.Rule{Op: s3server.OpCompleteMultipart, Fault: s3server.Fault{Kind: s3server.Answer, Code: "AccessDenied"}})
	w.failed(t, t.Context(), fault.NotPermitted)
}

func TestSetsOfMoreThanAThousandObjectsGoWhole(t *testing.T) {
	w := withDays(t)
	m := w.plant(t, backuptest.Ago(60))
	for i := range 1100 {
		w.put(t, fmt.Sprintf("%s%s/proofs/%d.json", backup.Folder("postgresql", w.job.Instance, w.job.Database), m.ID, i), nil)
	}
	w.run(t)
	if w.has(t, m.ID) {
		t.Errorf("%d objects are left", len(w.keys(t)))
	}
}

func TestADeletionThatFailsIsAWarningAndTheOthersGoOn(t *testing.T) {
	w := withDays(t)
	first, second := w.plant(t, backuptest.Ago(60)), w.plant(t, backuptest.Ago(61))
	w.store.Inject(s3server.Rule{Op: s3server.OpDeleteObject, Times: 1, Fault: s3server.Fault{Kind: s3server.Answer, Code: "AccessDenied"}})
	result := w.run(t)
	if len(result.Warnings) != 1 || !strings.Contains(result.Warnings[0], "access") && !strings.Contains(result.Warnings[0], "AccessDenied") {
		t.Errorf("warnings %q", result.Warnings)
	}
	if len(result.Deleted) != 1 || !w.has(t, first.ID) || w.has(t, second.ID) {
		t.Errorf("deleted %+v", result.Deleted)
	}
	if set := w.find(t, first.ID); !set.Good() {
		t.Error("a set that stayed lost its manifest")
	}
}

func TestAWriterWithoutTheRightToDeleteStillMakesBackups(t *testing.T) {
	w := withDays(t)
	kept := w.plant(t, backuptest.Ago(60))
	w.plant(t, backuptest.Ago(61))
	w.env.Bucket = w.bucket(t, "no-delete", "no-delete-secret")
	result := w.run(t)
	if len(result.Warnings) != 1 || strings.Contains(result.Warnings[0], "\n") || !w.find(t, kept.ID).Good() {
		t.Errorf("warnings %q", result.Warnings)
	}
	// Its failures leave what only others may remove, as litter and not as a set.
	w.store.Inject(s3server.Rule{Op: s3server.OpPutObject, Key: backup.ManifestName, Fault: s3server.Fault{Kind: s3server.Answer, Code: "AccessDenied"}})
	before := len(w.goodSets(t))
	_, err := w.try(t.Context())
	wantCode(t, err, fault.NotPermitted)
	if after := len(w.goodSets(t)); after != before || w.openUploads(t) != 0 {
		t.Errorf("%d good sets, before %d", after, before)
	}
}

// removeHalf is a deletion of old sets that breaks off when the manifest is gone, and the rest is there.
func (w *world) removeHalf(t *testing.T) {
	t.Helper()
	w.onRequest(func(op s3server.Op, _ string) *s3server.Fault {
		if op == s3server.OpDeleteObjects { // the manifest goes by itself, before
			return &s3server.Fault{Kind: s3server.Reset}
		}
		return nil
	})
	if err := w.removeOld(t, 0); err == nil {
		t.Fatal("the deletion should fail")
	}
	w.onRequest(func(s3server.Op, string) *s3server.Fault { return nil })
}

func TestACrashInTheMiddleOfADeletionIsFinishedLater(t *testing.T) {
	w := withDays(t)
	m := w.plant(t, backuptest.Ago(60))
	w.plant(t, backuptest.Ago(1))
	w.removeHalf(t)
	if set := w.find(t, m.ID); set.Good() || set.Kind != backup.KindIncomplete {
		t.Errorf("half a set is %s, %q", set.Kind, set.Problem)
	}
	if err := w.removeOld(t, 25*time.Hour); err != nil || w.has(t, m.ID) {
		t.Errorf("left: %q, %v", w.keys(t), err)
	}
}

func TestASetThatWasCommittedAfterThePlanIsNotDeletedAsUnfinished(t *testing.T) {
	w := withDays(t)
	m := w.plant(t, backuptest.Ago(2))
	set := *w.find(t, m.ID)
	set.Kind, set.Manifest = backup.KindIncomplete, nil // as it was listed a moment earlier
	_, err := retention.Apply(t.Context(), w.env.Bucket, w.env.Log, &retention.Pruning{Decisions: []retention.Decision{{Set: set, Delete: true}}}, retention.Unconfirmed)
	if err == nil || !w.find(t, m.ID).Good() {
		t.Errorf("%v: %q", err, w.keys(t))
	}
}

// TestASetThatWasReplacedAfterThePlanIsNotDeleted: by the list that is read right before, and where somebody is faster
// than that, by the store.
func TestASetThatWasReplacedAfterThePlanIsNotDeleted(t *testing.T) {
	for name, faster := range map[string]bool{"before it is looked at again": false, "while it is deleted": true} {
		t.Run(name, func(t *testing.T) {
			w := withDays(t)
			m := w.plant(t, backuptest.Ago(60))
			set := *w.find(t, m.ID)
			replace := func() { w.put(t, set.Dir+backup.ManifestName, []byte("{}\n")) }
			if !faster {
				replace()
			}
			var once sync.Once
			w.onRequest(func(op s3server.Op, key string) *s3server.Fault {
				if faster && strings.HasSuffix(key, backup.RetiredName) {
					once.Do(replace)
				}
				return nil
			})
			plan := &retention.Pruning{Decisions: []retention.Decision{{Set: set, Delete: true}}}
			done, err := retention.Apply(t.Context(), w.env.Bucket, w.env.Log, plan, retention.Unconfirmed)
			if fault.CodeOf(err) != fault.Refused || !strings.Contains(err.Error(), "somebody has replaced it") || len(done.Sets) != 0 {
				t.Errorf("%+v, %v", done.Sets, err)
			}
			keys := strings.Join(w.keys(t), " ")
			if !strings.Contains(keys, set.Dir+backup.ManifestName) || !strings.Contains(keys, set.Dir+backup.DumpName) || strings.Contains(keys, backup.RetiredName) {
				t.Error(keys)
			}
		})
	}
}

func TestAPlanNeedsOneDatabase(t *testing.T) {
	w := withDays(t)
	w.plant(t, backuptest.Ago(60))
	w.job.Database = ""
	_, err := retention.Plan(t.Context(), w.job, w.env, retention.Reach{Legacy: true})
	wantCode(t, err, fault.Config)
}
