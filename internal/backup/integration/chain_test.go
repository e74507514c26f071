package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/backuptest"
	"codeberg.org/pgbtui/pgbtui/internal/backup/dump"
)

// chain makes sets that follow one another, the newest last; each finished so many hours ago.
func chain(hours ...float64) (sets []backup.Set) {
	for i, h := range hours {
		at := time.Now().Add(-time.Duration(h * float64(time.Hour)))
		s := backup.Set{ID: backup.NewID(at), Kind: backup.KindNative, FinishedAt: at, ManifestSum: fmt.Sprintf("%064d", i), Sequence: int64(i + 1), Manifest: &backup.Manifest{}}
		if i > 0 {
			s.Manifest.Previous = &backup.Previous{ID: sets[i-1].ID, ManifestSHA256: sets[i-1].ManifestSum}
		}
		sets = append(sets, s)
	}
	return sets
}

// newestFirst is the order of a listing.
func newestFirst(sets []backup.Set) []backup.Set {
	out := make([]backup.Set, 0, len(sets))
	for i := range sets {
		out = append(out, sets[len(sets)-1-i])
	}
	return out
}

func TestTheLinksOfSetsTellWhatWasDoneToTheBucket(t *testing.T) {
	for name, c := range map[string]struct {
		change func(sets []backup.Set) []backup.Set
		want   string // "" nothing
	}{
		"nothing":                       {func(s []backup.Set) []backup.Set { return s }, ""},
		"retention took the oldest":     {func(s []backup.Set) []backup.Set { return s[1:] }, ""},
		"retention took one between":    {func(s []backup.Set) []backup.Set { return append(s[:1:1], s[2:]...) }, ""},
		"a young one removed":           {func(s []backup.Set) []backup.Set { return append(s[:2:2], s[3]) }, "is gone, which"},
		"a manifest replaced":           {func(s []backup.Set) []backup.Set { s[1].ManifestSum = "other"; return s }, "was replaced"},
		"a manifest that can't be read": {func(s []backup.Set) []backup.Set { s[1].ManifestSum = ""; return s }, ""},
		"an older state put back": {func(s []backup.Set) []backup.Set {
			s[3].Manifest.Previous = &backup.Previous{ID: s[1].ID, ManifestSHA256: s[1].ManifestSum} // its run did not see s[2]
			return s
		}, "both follow"},
		"a forged one that accuses": {func(s []backup.Set) []backup.Set {
			s[3].Manifest.Previous.ManifestSHA256, s[3].Signature = "other", backup.SignatureForged
			return s
		}, ""},
		"long ago": {func(s []backup.Set) []backup.Set {
			s[3].Manifest.Previous = &backup.Previous{ID: s[1].ID, ManifestSHA256: s[1].ManifestSum}
			for i := range s {
				s[i].FinishedAt = s[i].FinishedAt.AddDate(0, 0, -8)
			}
			return s
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			sets := newestFirst(c.change(chain(50, 40, 20, 1)))
			got := backup.BrokenChain(sets, sets, time.Now())
			if (c.want == "") != (len(got) == 0) || len(got) > 1 || (c.want != "" && !strings.Contains(got[0], c.want)) {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

func TestEveryRunFollowsTheLastOne(t *testing.T) {
	w := newWorld(t)
	w.pg.Exec(t, w.job.Database, "CREATE TABLE a (b int)")
	w.plant(t, backuptest.Ago(3)) // from before there were links
	var before *backup.Set
	for i := range 3 {
		m := w.run(t).Manifest
		if m.Sequence != int64(i+1) || m.Previous == nil || (before != nil && *m.Previous != backup.Previous{ID: before.ID, ManifestSHA256: before.ManifestSum}) {
			t.Fatalf("run %d: sequence %d, %+v after %+v", i+1, m.Sequence, m.Previous, before)
		}
		before = w.find(t, m.ID)
	}
	if h := backup.Assess(w.sets(t), backup.Whose{}, backup.Objectives{RPO: 24 * time.Hour}, time.Now()); len(h.Problems) != 0 {
		t.Errorf("problems: %+v", h.Problems)
	}
	w.drop(t, before.Dir+backup.ManifestName)
	w.run(t)
	if h := backup.Assess(w.sets(t), backup.Whose{}, backup.Objectives{RPO: 24 * time.Hour}, time.Now()); len(h.Problems) != 0 {
		t.Errorf("a set without a manifest is no link: %+v", h.Problems)
	}
}

func TestALinkIsNotMadeToASetThatNobodyTrusts(t *testing.T) {
	w, signer := signedWorld(t)
	honest := w.find(t, w.runAs(t, signer))
	evil, _ := newSigner(t)
	w.runAs(t, evil)
	result, err := dump.Run(t.Context(), w.job, w.env, dump.RunOptions{ID: backup.NewID(w.env.Now()), Signer: signer})
	if err != nil {
		t.Fatal(err)
	}
	if p := result.Manifest.Previous; p == nil || p.ID != honest.ID {
		t.Errorf("it follows %+v, not %s", p, honest.ID)
	}
}

// remembering is a world whose runs keep what they committed, as on a host.
func remembering(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.pg.Exec(t, w.job.Database, "CREATE TABLE a (b int)")
	w.env.StateDir = t.TempDir()
	return w
}

func (w *world) removeSet(t *testing.T, id string) {
	t.Helper()
	if _, err := w.env.Bucket.Delete(t.Context(), w.keysOf(t, w.find(t, id))); err != nil {
		t.Fatal(err)
	}
}

func TestANewestSetThatIsGoneIsToldByStatusAndByTheNextRunOnce(t *testing.T) {
	w := remembering(t)
	older := w.run(t).Manifest
	newest := w.run(t).Manifest
	if lost := dump.Lost(w.env.StateDir, w.job, w.sets(t)); lost != "" {
		t.Fatalf("nothing was done: %s", lost)
	}
	w.removeSet(t, newest.ID)
	if lost := dump.Lost(w.env.StateDir, w.job, w.sets(t)); !strings.Contains(lost, newest.ID) || !strings.Contains(lost, "newest left is "+older.ID) {
		t.Errorf("status: %q", lost)
	}
	result := w.run(t)
	if len(result.Warnings) != 1 || !strings.Contains(result.Manifest.Warnings[0], "older state of the bucket") {
		t.Errorf("the next run: %q, in the manifest %q", result.Warnings, result.Manifest.Warnings)
	}
	if result.Manifest.Sequence != newest.Sequence+1 {
		t.Errorf("sequence %d after %d: the gap is not seen", result.Manifest.Sequence, newest.Sequence)
	}
	if again := w.run(t); len(again.Warnings) != 0 {
		t.Errorf("told again: %q", again.Warnings)
	}
}

func TestAnEmptiedBucketIsTold(t *testing.T) {
	w := remembering(t)
	w.removeSet(t, w.run(t).Manifest.ID)
	if lost := dump.Lost(w.env.StateDir, w.job, w.sets(t)); !strings.Contains(lost, "nothing is left") {
		t.Errorf("%q", lost)
	}
}

func TestASetThatOthersHaveFollowedMayGo(t *testing.T) {
	w := remembering(t)
	mine := w.run(t).Manifest
	dir := w.env.StateDir
	w.env.StateDir = "" // another host
	w.run(t)
	w.env.StateDir = dir
	w.removeSet(t, mine.ID)
	if lost := dump.Lost(w.env.StateDir, w.job, w.sets(t)); lost != "" {
		t.Errorf("%q", lost)
	}
	if result := w.run(t); len(result.Warnings) != 0 {
		t.Errorf("%q", result.Warnings)
	}
}

func TestAnOlderManifestInPlaceOfTheNewestIsTold(t *testing.T) {
	w := remembering(t)
	older := w.find(t, w.run(t).Manifest.ID)
	newest := w.find(t, w.run(t).Manifest.ID)
	w.put(t, newest.Dir+backup.ManifestName, w.body(t, older.Dir+backup.ManifestName))
	if set := w.find(t, newest.ID); set.Good() {
		t.Error("a manifest of another set is good")
	}
	if lost := dump.Lost(w.env.StateDir, w.job, w.sets(t)); !strings.Contains(lost, "has another manifest now") {
		t.Errorf("%q", lost)
	}
}

func TestADamagedMemoryCostsAWarningAndIsMended(t *testing.T) {
	w := remembering(t)
	w.run(t)
	files, err := filepath.Glob(w.env.StateDir + "/*")
	if err != nil || len(files) != 1 {
		t.Fatalf("%q, %v", files, err)
	}
	if err := os.WriteFile(files[0], []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if result := w.run(t); len(result.Warnings) != 1 || !strings.Contains(result.Warnings[0], "is damaged") {
		t.Errorf("%q", result.Warnings)
	}
	if result := w.run(t); len(result.Warnings) != 0 {
		t.Errorf("not mended: %q", result.Warnings)
	}
}
