package backup

import (
	"slices"
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// criticalOf are the critical problems of a kind.
func criticalOf(h Health, kind ProblemKind) (found []string) {
	for _, p := range h.Problems {
		if p.Kind == kind && p.Critical {
			found = append(found, p.What)
		}
	}
	return found
}

func TestWhatIsGoneOfACommittedSetIsToldUntilSomebodyAcknowledgesIt(t *testing.T) {
	for what, remove := range map[string]func(w *world, t *testing.T, dir string){
		dumpName:                 func(w *world, t *testing.T, dir string) { w.drop(t, dir+dumpName) },
		contentsName:             func(w *world, t *testing.T, dir string) { w.drop(t, dir+contentsName) },
		"globals.sql.zst":        func(w *world, t *testing.T, dir string) { w.drop(t, dir+"globals.sql.zst") },
		manifestName:             func(w *world, t *testing.T, dir string) { w.drop(t, dir+manifestName) },
		"another size":           func(w *world, t *testing.T, dir string) { w.put(t, dir+dumpName, []byte("cut")) },
		"a manifest that is cut": func(w *world, t *testing.T, dir string) { w.put(t, dir+manifestName, []byte("{")) },
	} {
		t.Run(what, func(t *testing.T) {
			w := newWorldOn(t, pgOf(t), "small")
			older, newer := w.run(t).Manifest, w.run(t).Manifest
			w.run(t)
			if told := criticalOf(w.health(t), ProblemLoss); told != nil {
				t.Fatalf("nothing is gone: %q", told)
			}
			remove(w, t, w.find(t, newer.ID).Dir)
			told := criticalOf(w.health(t), ProblemLoss)
			if len(told) != 1 || !strings.Contains(told[0], newer.ID) || strings.Contains(told[0], older.ID) {
				t.Fatalf("told: %q", told)
			}
			w.pass(40 * 24 * time.Hour) // nothing but a person ends it, and nothing clears the evidence away
			w.run(t)
			if told := criticalOf(w.health(t), ProblemLoss); len(told) != 1 || !w.has(t, newer.ID) {
				t.Errorf("later: %q", told)
			}
			why := Acknowledgement{By: "ada", Host: "db1", At: w.env.Now(), Reason: "the disk of the store"}
			if err := Acknowledge(t.Context(), w.env.Bucket, w.find(t, newer.ID), why); err != nil {
				t.Fatal(err)
			}
			if told := criticalOf(w.health(t), ProblemLoss); told != nil {
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
	why := Acknowledgement{By: "ada", Host: "db1", At: time.Now(), Reason: "known"}
	wantCode(t, Acknowledge(t.Context(), w.env.Bucket, w.find(t, m.ID), why), fault.Refused)
	w.drop(t, dir+contentsName)
	wordless := Acknowledgement{By: "ada", Host: "db1", At: time.Now(), Reason: " "}
	wantCode(t, Acknowledge(t.Context(), w.env.Bucket, w.find(t, m.ID), wordless), fault.Usage)
	if err := Acknowledge(t.Context(), w.env.Bucket, w.find(t, m.ID), why); err != nil {
		t.Fatal(err)
	}
	w.drop(t, dir+dumpName)
	if told := criticalOf(w.health(t), ProblemLoss); len(told) != 1 {
		t.Errorf("more is gone: %q", told)
	}
}

func TestWhatRetentionDidNotFinishIsNoLossAndWhatItDeletedNeither(t *testing.T) {
	w := withDays(t)
	m := w.plant(t, ago(60))
	sum := w.find(t, m.ID).manifestSum
	w.plant(t, ago(1), func(after *Manifest) { after.Previous = &Previous{ID: m.ID, ManifestSHA256: sum} })
	w.removeHalf(t)
	if s := w.find(t, m.ID); s.Kind != KindIncomplete {
		t.Fatalf("it is %s", s.Kind)
	}
	if told := criticalOf(w.health(t), ProblemLoss); told != nil {
		t.Errorf("half deleted: %q", told)
	}
	if err := w.removeOld(t, 25*time.Hour); err != nil || w.has(t, m.ID) {
		t.Errorf("left: %q, %v", w.keys(t), err)
	}
	if told := criticalOf(w.health(t), ProblemLoss); told != nil {
		t.Errorf("deleted: %q", told)
	}
}

// Who may delete and not write leaves no mark: then a deletion that breaks off is told, rather than a loss
// kept quiet.
func TestAKeeperThatMayNotWriteDeletesAllTheSame(t *testing.T) {
	w := withDays(t)
	m := w.plant(t, ago(60))
	w.plant(t, ago(1))
	w.store.Inject(s3server.Rule{Op: s3server.OpPutObject, Key: retiredName, Fault: s3server.Fault{Kind: s3server.Answer, Code: "AccessDenied"}})
	if err := w.removeOld(t, 0); err != nil || w.has(t, m.ID) {
		t.Errorf("left: %q, %v", w.keys(t), err)
	}
}

func TestAnUnfinishedRunIsNoLoss(t *testing.T) {
	w := newWorldOn(t, pgOf(t), "small")
	w.run(t)
	w.put(t, Folder("postgresql", w.job.Instance, w.job.Database)+NewID(ago(0.01))+"/"+dumpName, []byte("half"))
	if told := criticalOf(w.health(t), ProblemLoss); told != nil {
		t.Errorf("%q", told)
	}
}

func TestOfManyLossesAFewAreNamedAndAllAreCounted(t *testing.T) {
	var sets []Set
	for i := range 300 {
		sets = append(sets, old(float64(i), func(s *Set) { s.Problem, s.Lost = "dump.pgc.zst is missing", []string{dumpName} }))
	}
	told := criticalOf(Assess(sets, Whose{}, Objectives{RPO: time.Hour}, epoch), ProblemLoss)
	if len(told) != 1 || !strings.Contains(told[0], "297 more") || len(told[0]) > 1000 || !strings.Contains(told[0], sets[0].ID) {
		t.Errorf("%q", told)
	}
	if slices.ContainsFunc(sets, func(s Set) bool { return s.Loss() == "" }) {
		t.Error("one is none")
	}
}
