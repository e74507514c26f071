package integration

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// Streams that are kept back until another one has ended.

// streamUneven are tables for two streams at once and two that are kept back: large, and quickly made.
const streamUneven = `DO $$ BEGIN FOR k IN 1..20 LOOP
	EXECUTE format('CREATE TABLE u%s (a text); ALTER TABLE u%s ALTER a SET STORAGE EXTERNAL', k, k);
	EXECUTE format('INSERT INTO u%s SELECT repeat(chr(64 + %s), 1000000) FROM generate_series(1, 8)', k, k);
END LOOP; END $$`

// gatedDump is a pg_dump that waits for a file before it begins: the lead for "lead", the stream of many tables that
// begins with it for "rows". Those that are kept back, with few tables, leave a file and do what they are told.
func gatedDump(t *testing.T, w *world, kept string) (gates string) {
	t.Helper()
	gates = t.TempDir()
	script := `real=` + w.pg.BinDir + `/pg_dump
wait_for() { while ! [ -e ` + gates + `/"$1" ]; do sleep 0.05; done; }
case "$*" in
*--data-only*)
	if [ "$(printf '%s\n' "$@" | grep -c -- --table=)" -gt 5 ]; then wait_for rows; exec "$real" "$@"; fi
	touch ` + gates + `/kept.$$
	` + kept + `;;
*--format=custom*) wait_for lead;;
esac
exec "$real" "$@"`
	w.job.Postgres.BinDir = tools(t, w, map[string]string{"pg_dump": script})
	return gates
}

// soon waits for something that must come.
func soon(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if is() {
			return
		}
	}
	t.Error("for a minute there was no " + what)
}

func TestWhoeverOfTheStreamsEndsFirstMakesRoomForThoseKeptBack(t *testing.T) {
	w := newWorld(t)
	w.pg.Exec(t, w.job.Database, streamUneven)
	w.job.Streams = 2
	bin := w.job.Postgres.BinDir
	gates := gatedDump(t, w, ":")
	open := func(gate string) {
		if err := os.WriteFile(filepath.Join(gates, gate), nil, 0o600); err != nil {
			t.Error(err)
		}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		soon(t, "start of all", func() bool {
			started, _ := filepath.Glob(filepath.Join(gates, "kept.*"))
			return len(started) == 2
		})
		if strings.Contains(w.log.text(), "is taken up") {
			t.Error("a stream is read before one has ended")
		}
		open("lead")
		// The one that began with the lead goes on, as it were, for hours.
		for _, stream := range []string{"stream 2", "stream 3"} {
			soon(t, stream, func() bool { return strings.Contains(w.log.text(), stream+" is taken up") })
		}
		open("rows")
	}()
	result, err := w.try(t.Context())
	<-done
	if err != nil {
		t.Fatal(err)
	}
	w.job.Postgres.BinDir = bin
	if m := result.Manifest; len(m.Streams) != 3 || m.Summary.Rows != 160 {
		t.Errorf("%d further streams, %+v", len(m.Streams), m.Summary)
	}
	to := w.job.Database + "_copy"
	restored, err := restore.Run(t.Context(), w.job, w.env, w.find(t, result.Manifest.ID), restore.Request{To: to, Jobs: 2}, nil)
	if err != nil || !restored.Compared || restored.Rows != 160 {
		t.Errorf("%+v, %v", restored, err)
	}
	w.pg.DropDatabase(t, to)
}

// The others of this run never begin to write: only its own end can end it.
func TestAStreamThatFailsWhileItIsKeptBackEndsTheRunAtOnce(t *testing.T) {
	w := newWorld(t)
	w.pg.Exec(t, w.job.Database, streamUneven)
	w.job.Streams = 2
	gatedDump(t, w, "echo 'pg_dump: error: it cannot' >&2; exit 1")
	if err := w.failed(t, t.Context(), fault.Failed); err != nil && !strings.Contains(err.Error(), "it cannot") {
		t.Error(err)
	}
	w.noBackends(t)
}
