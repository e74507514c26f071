package integration

import (
	"net"
	"path/filepath"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// What goes on at the same time as a run.

func TestARestoreDuringABackupDisturbsNeither(t *testing.T) {
	w, set := smallSet.world(t)
	to := w.job.Instance + "_copy"
	t.Cleanup(func() { w.pg.DropDatabase(t, to) })
	var restored error
	w.atFirst(s3server.OpUploadPart, "", func() *s3server.Fault {
		_, restored = restore.Run(t.Context(), w.job, w.env, set, restore.Request{To: to}, nil)
		return nil
	})
	result := w.run(t)
	if restored != nil {
		t.Fatal(restored)
	}
	if again := w.find(t, result.Manifest.ID); !again.Good() || len(result.Warnings) > 0 {
		t.Errorf("%s, warnings %q", again.Problem, result.Warnings)
	}
	if level, _ := w.find(t, set.ID).Proven(); level != backup.LevelRestored {
		t.Errorf("the restored set is proven %v", level)
	}
}

// A person restores the very set that retention lets go just now: the store stops giving it.
func TestASetThatIsDeletedDuringItsRestoreFailsItWithoutALastingDatabase(t *testing.T) {
	w, set := smallSet.world(t)
	to := w.job.Instance + "_copy"
	w.atFirst(s3server.OpGetObject, backup.DumpName, func() *s3server.Fault {
		_, _ = w.env.Bucket.Delete(t.Context(), w.keysOf(t, set)) // what Apply does, with a set that it found too old
		return nil
	})
	_, err := restore.Run(t.Context(), w.job, w.env, set, restore.Request{To: to, Jobs: 2}, nil)
	wantCode(t, err, fault.Integrity)
	if w.exists(t, to) {
		t.Error("a database was created from a set that is gone")
	}
	w.noSpool(t)
}

func TestASocketThatADeadServerLeftIsNoServer(t *testing.T) {
	w := newWorldOn(t, pgOf(t), "small")
	dir := t.TempDir()
	l, err := net.Listen("unix", filepath.Join(dir, ".s.PGSQL."+w.job.Postgres.Port))
	if err != nil {
		t.Fatal(err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	l.Close()
	w.job.Postgres.Host, w.job.ConnectWait = dir, 1
	w.failed(t, t.Context(), fault.Unavailable)
}
