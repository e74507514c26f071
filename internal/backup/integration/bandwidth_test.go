package integration

import (
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/backuptest"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// limited opens a store's bucket with a limit.
func limited(t *testing.T, store *s3server.Running, to config.Bandwidth) *s3.Bucket {
	t.Helper()
	options := (&world{store: store}).options(t, store.AccessKey, store.SecretKey)
	options.Bandwidth = int64(to)
	b, err := s3.Open(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

// What is limited takes several times as long as nothing may move, and the last byte was read long before it is sent.
func TestALimitedUploadIsNoStallAndIsTold(t *testing.T) {
	w := newWorld(t)
	w.pg.Exec(t, w.job.Database, `CREATE TABLE noise AS
		SELECT sha512(i::text::bytea) AS h FROM generate_series(1, 12000) AS i`)
	const limit config.Bandwidth = 150_000
	w.job.StallAfter = 2 * time.Second
	w.job.Bandwidth = limit
	w.env.Bucket = limited(t, w.store, limit)
	w.env.Progress = told(t, "confirm") // pg_dump itself has long ended: all of it is held in parts
	set := w.run(t)
	if size := set.Manifest.Dump.SizeBytes; size < 4*int64(limit) {
		t.Fatalf("%d bytes are too few for this test", size)
	}
	if !strings.Contains(w.log.text(), "at most 150 kB/s (1.2 Mbit/s) are sent, by s3.bandwidth") {
		t.Error("the run does not say so")
	}
	w.env.Bucket = w.bucket(t, w.store.AccessKey, w.store.SecretKey)
	place := w.copyTo(t, true) // in one request, since the parts there are larger
	place.To = limited(t, place.store, limit)
	place.At.Bandwidth = limit
	place.Env.Progress = told(t, "copy")
	done, err := place.bring(t.Context())
	if err != nil || len(done) != 1 || done[0].ByStore {
		t.Errorf("%+v, %v", done, err)
	}
}

// told fails at its end unless a stage said what may be sent.
func told(t *testing.T, stage backup.Stage) func(backup.Progress) {
	var book backuptest.Told
	t.Cleanup(func() {
		for _, p := range book.All {
			if p.Stage == stage && strings.Contains(p.Status(), "sending at most 150 kB/s") {
				return
			}
		}
		t.Errorf("the progress of stage %s never said what is sent at most", stage)
	})
	return book.Add
}
