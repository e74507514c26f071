package integration

import (
	"encoding/json"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/backuptest"
	"codeberg.org/pgbtui/pgbtui/internal/backup/verify"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

func TestOneSpoiltDocumentIsTheProblemOfItsSetAlone(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(t *testing.T, w *world, key string)
		want  string
		code  fault.Code
	}{
		"cut":       {func(t *testing.T, w *world, key string) { w.put(t, key, []byte(`{"schema": 1, "id`)) }, "not readable", fault.Integrity},
		"too large": {func(t *testing.T, w *world, key string) { w.put(t, key, make([]byte, backup.MaxManifest+2)) }, "larger than", fault.Integrity},
		"newer":     {func(t *testing.T, w *world, key string) { w.put(t, key, []byte(`{"schema": 9, "id": {}}`)) }, "schema 9", fault.Config},
		"no checksum": {func(t *testing.T, w *world, key string) {
			w.edit(t, key, func(m *backup.Manifest) { m.Dump.SHA256 = "" })
		}, "incomplete", fault.Integrity},
		"other set": {func(t *testing.T, w *world, key string) {
			w.edit(t, key, func(m *backup.Manifest) { m.ID = backup.NewID(backuptest.Ago(3)) })
		}, "of another set", fault.Integrity},
		"other db": {func(t *testing.T, w *world, key string) {
			w.edit(t, key, func(m *backup.Manifest) { m.Database = "x" })
		}, "of another set", fault.Integrity},
		"archived": {func(t *testing.T, w *world, key string) {
			if _, err := w.env.Bucket.Put(t.Context(), key, []byte("{}"), s3.PutOptions{Class: "GLACIER"}); err != nil {
				t.Fatal(err)
			}
		}, "archived", fault.Refused},
		"damaged at rest": {func(_ *testing.T, w *world, key string) {
			w.store.Inject(s3server.Rule{Op: s3server.OpGetObject, Key: key, Fault: s3server.Fault{Kind: s3server.Flip, After: 3}})
		}, "damaged", fault.Integrity},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorldOn(t, pgOf(t), "small")
			bad, fine := w.plant(t, backuptest.Ago(1)), w.plant(t, backuptest.Ago(2))
			c.spoil(t, w, backup.Folder("postgresql", w.job.Instance, w.job.Database)+bad.ID+"/"+backup.ManifestName)
			set := w.find(t, bad.ID)
			if set.Good() || !strings.Contains(set.Problem, c.want) || set.ProblemCode != c.code {
				t.Errorf("problem %q, code %d", set.Problem, set.ProblemCode)
			}
			if latest := w.find(t, "latest"); latest.ID != fine.ID {
				t.Errorf("latest is %s", latest.ID)
			}
			if _, err := verify.Whole(t.Context(), w.job, w.env, set, nil); fault.CodeOf(err) != c.code {
				t.Errorf("verification of it: %v", err)
			}
		})
	}
}

// edit changes a planted or real manifest.
func (w *world) edit(t testing.TB, key string, change func(*backup.Manifest)) {
	t.Helper()
	m := &backup.Manifest{}
	if err := json.Unmarshal(w.body(t, key), m); err != nil {
		t.Fatal(err)
	}
	change(m)
	w.putJSON(t, key, m)
}

func TestAListingCountsEachObjectOnce(t *testing.T) {
	w := newWorldOn(t, pgOf(t), "small")
	w.job.Instance = "postgresql_main" // listed under the folder and under the old script's names
	m := w.plant(t, backuptest.Ago(1))
	w.prove(t, m.ID, backup.LevelReadable, true, backuptest.Ago(0.5))
	sets, err := backup.NewCatalogue(w.env.Bucket, w.job).Sets(t.Context(), backup.Scope{Instance: w.job.Instance, Database: w.job.Database})
	if err != nil || len(sets) != 1 || len(sets[0].Proofs) != 1 {
		t.Fatalf("%+v, %v", sets, err)
	}
	if sets[0].StoredSize != m.StoredBytes() {
		t.Errorf("stored size %d, want %d", sets[0].StoredSize, m.StoredBytes())
	}
	if _, err := w.env.Bucket.Delete(t.Context(), []string{sets[0].Dir + backup.ManifestName}); err != nil {
		t.Fatal(err)
	}
	if left := w.sets(t); len(left) != 1 || left[0].StoredSize != m.Dump.SizeBytes {
		t.Errorf("without a manifest: %+v, want %d bytes", left, m.Dump.SizeBytes)
	}
}

func TestForeignAndHostileProofsAreNoEvidence(t *testing.T) {
	w := newWorldOn(t, pgOf(t), "small")
	m := w.plant(t, backuptest.Ago(1))
	dir := backup.Folder("postgresql", w.job.Instance, w.job.Database) + m.ID + "/proofs/"
	for name, body := range map[string]string{
		"a": `{"schema":1,"set":"another","ok":true,"level":"restored"}`, "b": `{"schema":9,"set":"` + m.ID + `","ok":true,"level":"restored"}`,
		"c": `nonsense`, "d": `{"set":"` + m.ID + `","ok":true,"level":"restored"}`, "e": strings.Repeat(" ", 256<<10+2),
		"f": `{"schema":1,"set":"` + m.ID + `","ok":true,"level":"perfect"}`,
	} {
		w.put(t, dir+name+".json", []byte(body))
	}
	if level, _ := w.find(t, m.ID).Proven(); level != backup.LevelStored {
		t.Errorf("proven %v", level)
	}
}

func TestAStoreThatFailsEndsTheListingWithItsCode(t *testing.T) {
	w := newWorldOn(t, pgOf(t), "small")
	w.plant(t, backuptest.Ago(1))
	for code, f := range map[fault.Code]s3server.Fault{
		fault.Unavailable:  {Kind: s3server.Answer, Status: 500},
		fault.NotPermitted: {Kind: s3server.Answer, Code: "AccessDenied"},
	} {
		for _, op := range []s3server.Op{s3server.OpListObjectsV2, s3server.OpGetObject} {
			w.store.Inject(s3server.Rule{Op: op, Fault: f})
			_, err := backup.NewCatalogue(w.env.Bucket, w.job).Sets(t.Context(), backup.Scope{})
			wantCode(t, err, code)
			w.store.ClearFaults()
		}
	}
}

// With years of sets, each look at all of them costs; a run looks several times.
func TestARunFetchesEachManifestOfTheSetsBeforeOnce(t *testing.T) {
	w := newWorld(t)
	w.job.Keep.Days, w.job.Warn = 30, defaultWarn
	old := w.plant(t, backuptest.Ago(2))
	w.run(t)
	fetched := 0
	for _, q := range w.store.Requests(s3server.OpGetObject) {
		if strings.HasSuffix(q.Key, old.ID+"/"+backup.ManifestName) {
			fetched++
		}
	}
	if fetched != 1 {
		t.Errorf("fetched %d times", fetched)
	}
}

// The newest sets say what a run has to know; it follows the newest and is held against the last ones.
func TestARunReadsTheNewestSetsOnly(t *testing.T) {
	w := newWorld(t)
	w.job.Warn = defaultWarn
	var newest *backup.Manifest
	old := map[string]bool{}
	for n := range 12 {
		m := w.plant(t, backuptest.Ago(0.9-float64(n)*0.05), func(m *backup.Manifest) { m.Sequence = int64(100 + n) })
		newest = m
	}
	for n := range 12 {
		old[w.plant(t, backuptest.Ago(float64(300+n)), func(m *backup.Manifest) { m.Sequence = int64(50 - n) }).ID] = true
	}
	manifest := w.run(t).Manifest
	if manifest.Previous == nil || manifest.Previous.ID != newest.ID || manifest.Sequence != 112 {
		t.Errorf("it is number %d after %+v", manifest.Sequence, manifest.Previous)
	}
	folder := backup.Folder("postgresql", w.job.Instance, w.job.Database)
	for _, q := range w.store.Requests(s3server.OpGetObject) {
		if id, _, _ := strings.Cut(strings.TrimPrefix(q.Key, folder), "/"); old[id] {
			t.Errorf("it read %s", q.Key)
		}
	}
}
