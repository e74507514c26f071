package integration

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/backuptest"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

func TestAddressesAreReadAsTheyAreWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := func(label string) string {
			return string(rapid.SliceOfN(rapid.Byte(), 1, 20).Draw(t, label))
		}
		a := backup.Address{Instance: name("instance"), Database: name("database"), ID: backup.NewID(time.Unix(0, 0))}
		if rapid.Bool().Draw(t, "of a tenant") {
			a.Schema = name("schema")
		}
		if back, ok := backup.ParseAddress(a.String()); !ok || back != a {
			t.Fatalf("%+v became %q became %+v", a, a.String(), back)
		}
	})
	for _, text := range []string{"", "20261122T020000Z-1a2b3c", "a/b", "a/b/", "a//c", "/b/c", "a/b/c/", "a/b//d", "a/b/c/d/e", "a/%2f/c", "../b/c"} {
		if a, ok := backup.ParseAddress(text); ok {
			t.Errorf("%q was read as %+v", text, a)
		}
	}
}

func TestAnIDThatTwoSetsHaveIsRefusedWithTheirAddresses(t *testing.T) {
	w := newWorld(t)
	mine := w.plant(t, backuptest.Ago(2))
	w.plant(t, backuptest.Ago(1), func(m *backup.Manifest) { m.ID, m.Instance = mine.ID, "evilhost" })
	catalogue := backup.NewCatalogue(w.env.Bucket, w.job)
	for _, id := range []string{mine.ID, mine.ID[:17]} {
		set, err := catalogue.Find(t.Context(), backup.Scope{}, id)
		wantCode(t, err, fault.Refused)
		if set != nil || !strings.Contains(err.Error(), "evilhost/"+w.job.Database+"/"+mine.ID) || !strings.Contains(err.Error(), w.job.Instance+"/"+w.job.Database+"/"+mine.ID) {
			t.Errorf("%+v, %v", set, err)
		}
		set, err = catalogue.Find(t.Context(), backup.Scope{Instance: w.job.Instance}, id)
		if err != nil || set.Instance != w.job.Instance {
			t.Errorf("%q of one instance: %+v, %v", id, set, err)
		}
	}
}

func TestLatestIsTheNewestOfOneDatabaseThatHadEndedThen(t *testing.T) {
	w := newWorld(t)
	old, middle := w.plant(t, backuptest.Ago(3)), w.plant(t, backuptest.Ago(2))
	w.plant(t, backuptest.Ago(1))
	w.plant(t, backuptest.Ago(0.5), func(m *backup.Manifest) { m.Database = "other" })
	sets := w.sets(t)
	if found := backup.Candidates(sets, backup.Wanted{ID: backup.Latest}); len(found) != 2 {
		t.Errorf("of two databases: %d", len(found))
	}
	for at, want := range map[time.Time]string{middle.FinishedAt: middle.ID, middle.FinishedAt.Add(-time.Second): old.ID, old.FinishedAt.Add(-time.Second): ""} {
		set, err := backup.One(backup.Candidates(sets, backup.Wanted{ID: backup.Latest, At: at}), backup.Wanted{})
		if err != nil || (set == nil) != (want == "") || set != nil && set.ID != want {
			t.Errorf("at %s: %+v, %v, want %q", at, set, err, want)
		}
	}
}

// A drill or a verification answers a failure, so it has to find the set that failed.
func TestForWhatAnswersAFailureTheLatestIsTheSetThatFailed(t *testing.T) {
	failed, before := backuptest.Old(1, backuptest.Proven(backup.LevelReadable, false)), backuptest.Old(2)
	sets := []backup.Set{backuptest.Old(0.5, backuptest.Broken), failed, before}
	for want, id := range map[backup.Wanted]string{{ID: backup.Latest}: before.ID, {ID: backup.Latest, Doubted: true}: failed.ID} {
		if found := backup.Candidates(sets, want); len(found) != 1 || found[0].ID != id {
			t.Errorf("%+v: %+v, want %s", want, found, id)
		}
	}
}
