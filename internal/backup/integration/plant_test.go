package integration

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

// plant writes a whole native set that finished at a time, without any dump: the catalogue and
// retention can't tell the difference.
func (w *world) plant(t testing.TB, finished time.Time, change ...func(*backup.Manifest)) *backup.Manifest {
	t.Helper()
	body := []byte("stands for a dump")
	m := &backup.Manifest{
		Schema: backup.ManifestSchema, ID: backup.NewID(finished), Instance: printable.Name(w.job.Instance), Database: printable.Name(w.job.Database), Job: w.job.Name,
		StartedAt: finished.Add(-time.Minute).UTC().Truncate(time.Second), FinishedAt: finished.UTC().Truncate(time.Second),
		Dump: backup.Object{Key: backup.DumpName, SizeBytes: int64(len(body)), SHA256: fmt.Sprintf("%x", sha256.Sum256(body)), RawBytes: 1},
	}
	for _, c := range change {
		c(m)
	}
	of := w.job
	of.Instance, of.Database = string(m.Instance), string(m.Database)
	dir := backup.FolderOf(of) + m.ID + "/"
	w.put(t, dir+backup.DumpName, body)
	raw, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	w.put(t, dir+backup.ManifestName, raw)
	return m
}

// prove plants evidence beside a set.
func (w *world) prove(t testing.TB, id string, level backup.Level, ok bool, at time.Time) {
	t.Helper()
	p := backup.Proof{Schema: 1, Set: id, Kind: "verify", Level: level.String(), OK: ok, FinishedAt: at.UTC(), Error: "planted"}
	if _, err := backup.PutProof(t.Context(), w.env.Bucket, w.find(t, id), p); err != nil {
		t.Fatal(err)
	}
}

func (w *world) put(t testing.TB, key string, body []byte) {
	t.Helper()
	if _, err := w.env.Bucket.Put(t.Context(), key, body, s3.PutOptions{}); err != nil {
		t.Fatal(err)
	}
}

func (w *world) putJSON(t testing.TB, key string, v any) {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	w.put(t, key, raw)
}
