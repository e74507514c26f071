package integration

import (
	"slices"
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/backuptest"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// criticalOf are the critical problems of a kind.
func criticalOf(h backup.Health, kind backup.ProblemKind) (found []string) {
	for _, p := range h.Problems {
		if p.Kind == kind && p.Critical {
			found = append(found, p.What)
		}
	}
	return found
}

func TestWhatIsGoneOfACommittedSetIsToldUntilSomebodyAcknowledgesIt(t *testing.T) {
	for what, remove := range map[string]func(w *world, t *testing.T, dir string){
		backup.DumpName:          func(w *world, t *testing.T, dir string) { w.drop(t, dir+backup.DumpName) },
		backup.ContentsName:      func(w *world, t *testing.T, dir string) { w.drop(t, dir+backup.ContentsName) },
		"globals.sql.zst":        func(w *world, t *testing.T, dir string) { w.drop(t, dir+"globals.sql.zst") },
		backup.ManifestName:      func(w *world, t *testing.T, dir string) { w.drop(t, dir+backup.ManifestName) },
		"another size":           func(w *world, t *testing.T, dir string) { w.put(t, dir+backup.DumpName, []byte("cut")) },
		"a manifest that is cut": func(w *world, t *testing.T, dir string) { w.put(t, dir+backup.ManifestName, []byte("{")) },
	} {
		t.Run(what, func(t *testing.T) {
			w := newWorldOn(t, pgOf(t), "small")
			older, newer := w.run(t).Manifest, w.run(t).Manifest
			w.run(t)
			if told := criticalOf(w.health(t), backup.ProblemLoss); told != nil {
				t.Fatalf("nothing is gone: %q", told)
			}
			remove(w, t, w.find(t, newer.ID).Dir)
			told := criticalOf(w.health(t), backup.ProblemLoss)
			if len(told) != 1 || !strings.Contains(told[0], newer.ID) || strings.Contains(told[0], older.ID) {
				t.Fatalf("told: %q", told)
			}
			w.pass(40 * 24 * time.Hour) // nothing but a person ends it, and nothing clears the evidence away
			w.run(t)
			if told := criticalOf(w.health(t), backup.ProblemLoss); len(told) != 1 || !w.has(t, newer.ID) {
				t.Errorf("later: %q", told)
			}
			why := backup.Acknowledgement{By: "ada", Host: "db1", At: w.env.Now(), Reason: "the disk of the store"}
			if err := backup.Acknowledge(t.Context(), w.env.Bucket, w.find(t, newer.ID), why); err != nil {
				t.Fatal(err)
			}
			if told := criticalOf(w.health(t), backup.ProblemLoss); told != nil {
				t.Errorf("acknowledged: %q", told)
			}
			if a := w.find(t, newer.ID).Acknowledged; a == nil || a.Reason != why.Reason {
				t.Errorf("%+v", a)
			}
		})
	}
}

func TestAnAcknowledgementIsOfWhatWasGoneThen(t *testing.T) {
	w := newWorldOn(t, pgOf(t), "small")
	m := w.run(t).Manifest
	dir := w.find(t, m.ID).Dir
	why := backup.Acknowledgement{By: "ada", Host: "db1", At: time.Now(), Reason: "known"}
	wantCode(t, backup.Acknowledge(t.Context(), w.env.Bucket, w.find(t, m.ID), why), fault.Refused)
	w.drop(t, dir+backup.ContentsName)
	wordless := backup.Acknowledgement{By: "ada", Host: "db1", At: time.Now(), Reason: " "}
	wantCode(t, backup.Acknowledge(t.Context(), w.env.Bucket, w.find(t, m.ID), wordless), fault.Usage)
	if err := backup.Acknowledge(t.Context(), w.env.Bucket, w.find(t, m.ID), why); err != nil {
		t.Fatal(err)
	}
	w.drop(t, dir+backup.DumpName)
	if told := criticalOf(w.health(t), backup.ProblemLoss); len(told) != 1 {
		t.Errorf("more is gone: %q", told)
	}
}

func TestWhatRetentionDidNotFinishIsNoLossAndWhatItDeletedNeither(t *testing.T) {
	w := withDays(t)
	m := w.plant(t, backuptest.Ago(60))
	sum := w.find(t, m.ID).ManifestSum
	w.plant(t, backuptest.Ago(1), func(after *backup.Manifest) { after.Previous = &backup.Previous{ID: m.ID, ManifestSHA256: sum} })
	w.removeHalf(t)
	if s := w.find(t, m.ID); s.Kind != backup.KindIncomplete {
		t.Fatalf("it is %s", s.Kind)
	}
	if told := criticalOf(w.health(t), backup.ProblemLoss); told != nil {
		t.Errorf("half deleted: %q", told)
	}
	if err := w.removeOld(t, 25*time.Hour); err != nil || w.has(t, m.ID) {
		t.Errorf("left: %q, %v", w.keys(t), err)
	}
	if told := criticalOf(w.health(t), backup.ProblemLoss); told != nil {
		t.Errorf("deleted: %q", told)
	}
}

// Who may delete and not write leaves no mark: then a deletion that breaks off is told, rather than a loss
// kept quiet.
func TestAKeeperThatMayNotWriteDeletesAllTheSame(t *testing.T) {
	w := withDays(t)
	m := w.plant(t, backuptest.Ago(60))
	w.plant(t, backuptest.Ago(1))
	w.store.Inject(s3server.Rule{Op: s3server.OpPutObject, Key: backup.RetiredName, Fault: s3server.Fault{Kind: s3server.Answer, Code: "AccessDenied"}})
	if err := w.removeOld(t, 0); err != nil || w.has(t, m.ID) {
		t.Errorf("left: %q, %v", w.keys(t), err)
	}
}

func TestAnUnfinishedRunIsNoLoss(t *testing.T) {
	w := newWorldOn(t, pgOf(t), "small")
	w.run(t)
	w.put(t, backup.Folder("postgresql", w.job.Instance, w.job.Database)+backup.NewID(backuptest.Ago(0.01))+"/"+backup.DumpName, []byte("half"))
	if told := criticalOf(w.health(t), backup.ProblemLoss); told != nil {
		t.Errorf("%q", told)
	}
}

func TestOfManyLossesAFewAreNamedAndAllAreCounted(t *testing.T) {
	var sets []backup.Set
	for i := range 300 {
		sets = append(sets, backuptest.Old(float64(i), func(s *backup.Set) { s.Problem, s.Lost = "dump.pgc.zst is missing", []string{backup.DumpName} }))
	}
	told := criticalOf(backup.Assess(sets, backup.Whose{}, backup.Objectives{RPO: time.Hour}, backuptest.Epoch), backup.ProblemLoss)
	if len(told) != 1 || !strings.Contains(told[0], "297 more") || len(told[0]) > 1000 || !strings.Contains(told[0], sets[0].ID) {
		t.Errorf("%q", told)
	}
	if slices.ContainsFunc(sets, func(s backup.Set) bool { return s.Loss() == "" }) {
		t.Error("one is none")
	}
}
