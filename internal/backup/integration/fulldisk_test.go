package integration

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/test/need"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// There was room when the preflight looked. The server's own disk is full when the tables come.
func TestAServersDiskThatFillsUpDuringARestoreEndsItWithItsCode(t *testing.T) {
	need.Root(t)
	w := newWorld(t)
	mounted := t.TempDir()
	if err := unix.Mount("tmpfs", mounted, "tmpfs", 0, "size=32m"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Unmount(mounted, 0) })
	space, name := filepath.Join(mounted, "space"), "filling_"+w.job.Instance
	if err := os.Mkdir(space, 0o700); err != nil {
		t.Fatal(err)
	}
	w.openTo(t, space)
	w.pg.Exec(t, "postgres", "CREATE TABLESPACE "+name+" LOCATION '"+space+"'")
	w.pg.Exec(t, w.job.Database, "CREATE TABLE filled TABLESPACE "+name+" AS SELECT i, md5(i::text) AS a FROM generate_series(1, 5000) AS i")
	set, to := w.find(t, w.run(t).Manifest.ID), w.job.Instance+"_copy"
	t.Cleanup(func() {
		w.pg.DropDatabase(t, to)
		w.pg.Exec(t, w.job.Database, "DROP TABLE filled")
		w.pg.Exec(t, "postgres", "DROP TABLESPACE "+name)
	})
	filler := filepath.Join(mounted, "somebody-elses")
	w.onRequest(func(op s3server.Op, key string) *s3server.Fault {
		if op == s3server.OpGetObject && strings.Contains(key, backup.DumpName) && w.exists(t, to) {
			fill(t, filler)
		}
		return nil
	})
	_, err := restore.Run(t.Context(), w.job, w.env, set, restore.Request{To: to}, nil)
	wantCode(t, err, fault.NoSpace)
	if !strings.Contains(err.Error(), to) || !strings.Contains(err.Error(), "No space left on device") || fault.Remedy(err) == "" {
		t.Errorf("%v (%s)", err, fault.Remedy(err))
	}
	w.onRequest(func(s3server.Op, string) *s3server.Fault { return nil })
	if err := os.Remove(filler); err != nil {
		t.Error(err)
	}
	w.pg.DropDatabase(t, to)
	if _, err := restore.Run(t.Context(), w.job, w.env, w.find(t, set.ID), restore.Request{To: to}, nil); err != nil {
		t.Errorf("with room again: %v", err)
	}
}

// fill takes what is left of a disk.
func fill(t *testing.T, file string) {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		t.Error(err)
		return
	}
	defer f.Close()
	for block := make([]byte, 1<<20); err == nil; {
		_, err = f.Write(block)
	}
}
