package integration

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/backup/room"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/test/need"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

func (w *world) noSpool(t *testing.T) {
	t.Helper()
	if left, _ := os.ReadDir(w.job.SpoolDir); len(left) != 0 {
		t.Errorf("left in the spool: %v", left)
	}
}

// databases that look like to.
func (w *world) exists(t *testing.T, to string) bool {
	t.Helper()
	return w.pg.QueryInt(t, "postgres", "SELECT count(*) FROM pg_database WHERE datname = $1", to) > 0
}

func TestACancelledRestoreLeavesTheNamedDatabaseOrNothing(t *testing.T) {
	w, set := bigSet.world(t)
	for name, c := range map[string]struct {
		jobs int
		key  string
		left bool
	}{
		"while it looks": {1, backup.ContentsName, false}, "while it loads": {1, backup.DumpName, true}, "while it reads the head": {2, backup.DumpName, false},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			w.atFirst(s3server.OpGetObject, c.key, func() *s3server.Fault {
				cancel(terminated)
				return &s3server.Fault{Kind: s3server.StallBody, After: 100_000}
			})
			to := w.job.Instance + "_cancelled"
			_, err := restore.Run(ctx, w.job, w.env, set, restore.Request{To: to, Jobs: c.jobs}, nil)
			wantCode(t, err, fault.Terminated)
			if w.exists(t, to) != c.left || strings.Contains(err.Error(), to) != c.left {
				t.Errorf("database left: %v; %v", w.exists(t, to), err)
			}
			if c.left && !strings.Contains(fault.Remedy(err), "dropdb") {
				t.Errorf("remedy: %s", fault.Remedy(err))
			}
			w.noSpool(t)
			w.pg.DropDatabase(t, to)
		})
	}
}

func TestASpoolThatIsFullOrUnusableEndsWithItsCodeBeforeAnythingIsCreated(t *testing.T) {
	w, set := bigSet.world(t)
	set = w.withoutIndex(t, set) // others need no spool
	restore := func(to string) error {
		_, err := restore.Run(t.Context(), w.job, w.env, set, restore.Request{To: to, Jobs: 2}, nil)
		if w.exists(t, to) {
			t.Errorf("%s was created", to)
		}
		return err
	}
	w.job.SpoolDir = filepath.Join(t.TempDir(), "missing")
	wantCode(t, restore("no_spool"), fault.Config)
	need.Root(t)
	w.job.SpoolDir = t.TempDir()
	// Somebody else fills the disk meanwhile: what gets past the look at the room ends where the disk does.
	roomy := func(string) (room.Disk, error) { return room.Disk{Free: 1 << 40, Size: 1 << 40}, nil }
	for _, percent := range []int64{1, 50, 99} {
		size := fmt.Sprintf("size=%d", set.Manifest.Dump.RawBytes*percent/100)
		if err := unix.Mount("tmpfs", w.job.SpoolDir, "tmpfs", 0, size); err != nil {
			t.Fatal(err)
		}
		for _, w.env.Disks = range []func(string) (room.Disk, error){nil, roomy} {
			err := restore("small_spool")
			wantCode(t, err, fault.NoSpace)
			if w.env.Disks == nil && !strings.Contains(fault.Remedy(err), "--jobs") {
				t.Error(fault.Remedy(err))
			}
			w.noSpool(t)
		}
		if err := unix.Unmount(w.job.SpoolDir, 0); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWhatATargetLacksIsNamedBeforeAnythingIsCreated(t *testing.T) {
	w := newWorld(t)
	db := w.job.Database
	space := t.TempDir()
	if err := os.Chmod(filepath.Dir(space), 0o755); err == nil {
		w.openTo(t, space)
	}
	w.pg.Exec(t, "postgres", "CREATE ROLE granted_"+db)
	w.pg.Exec(t, "postgres", "CREATE ROLE policed_"+db)
	w.pg.Exec(t, "postgres", "CREATE TABLESPACE space_"+db+" LOCATION '"+space+"'")
	w.pg.Exec(t, db, `CREATE TABLE t TABLESPACE space_`+db+` AS SELECT 1 AS a; GRANT SELECT ON t TO granted_`+db+`;
		CREATE POLICY p ON t TO policed_`+db+` USING (true)`)
	set := w.find(t, w.run(t).Manifest.ID)
	w.pg.Exec(t, db, "DROP TABLE t")
	w.pg.Exec(t, "postgres", "DROP TABLESPACE space_"+db)
	w.pg.Exec(t, "postgres", "DROP ROLE granted_"+db+", policed_"+db)
	to := db + "_copy"
	_, err := restore.Run(t.Context(), w.job, w.env, set, restore.Request{To: to}, nil)
	wantCode(t, err, fault.Refused)
	for _, name := range []string{"granted_", "policed_", "space_"} {
		if !strings.Contains(err.Error(), name+db) {
			t.Errorf("%s is not named: %v", name, err)
		}
	}
	if w.exists(t, to) {
		t.Error("the refused restore created the database")
	}
	// Without owners nothing is granted, yet a policy still names its role.
	_, err = restore.Run(t.Context(), w.job, w.env, set, restore.Request{To: to, NoOwner: true, NoTablespaces: true}, nil)
	wantCode(t, err, fault.Refused)
	if strings.Contains(err.Error(), "granted_") || !strings.Contains(err.Error(), "policed_") {
		t.Error(err)
	}
	w.pg.Exec(t, "postgres", "CREATE ROLE policed_"+db)
	restored, err := restore.Run(t.Context(), w.job, w.env, set, restore.Request{To: to, NoOwner: true, NoTablespaces: true}, nil)
	if err != nil || !restored.Compared {
		t.Errorf("%+v, %v", restored, err)
	}
	w.pg.DropDatabase(t, to)
	w.pg.Exec(t, "postgres", "DROP ROLE policed_"+db)
}

// openTo gives a folder to the server's user.
func (w *world) openTo(t *testing.T, dir string) {
	t.Helper()
	need.Root(t)
	info, err := os.Stat(w.pg.Data)
	if err != nil {
		t.Fatal(err)
	}
	uid := ownerOf(info)
	for d := dir; d != "/" && d != "/tmp"; d = filepath.Dir(d) {
		_ = os.Chmod(d, 0o755)
	}
	if err := os.Chown(dir, uid, -1); err != nil {
		t.Fatal(err)
	}
}

func TestATargetWhoseNamePostgreSQLWouldCutIsRefused(t *testing.T) {
	w, set := smallSet.world(t)
	for _, to := range []string{strings.Repeat("x", 64), "a\x00b"} {
		if _, err := restore.Run(t.Context(), w.job, w.env, set, restore.Request{To: to}, nil); err == nil {
			t.Errorf("restored to %q", to)
		}
	}
	if w.exists(t, strings.Repeat("x", 63)) {
		t.Error("a database of another name was created")
	}
}

func TestAnExtensionThatTheTargetLacksRefusesTheRestore(t *testing.T) {
	w, set := smallSet.world(t)
	w.rewriteContents(t, set, func(c *backup.Contents) {
		e := c.Archive.Entries[0]
		e.Desc, e.Tag, e.Owner = "EXTENSION", "no_such_extension", ""
		c.Archive.Entries = append(c.Archive.Entries, e)
	})
	_, err := restore.Run(t.Context(), w.job, w.env, w.find(t, set.ID), restore.Request{To: "never_made"}, nil)
	wantCode(t, err, fault.Refused)
	if !strings.Contains(err.Error(), "no_such_extension") {
		t.Error(err)
	}
}

func TestRowsThatDifferFromTheDumpFailTheRestore(t *testing.T) {
	w, set := smallSet.world(t)
	w.rewriteContents(t, set, func(c *backup.Contents) { c.Archive.Data[0].Rows++ })
	to := w.job.Instance + "_copy"
	_, err := restore.Run(t.Context(), w.job, w.env, w.find(t, set.ID), restore.Request{To: to}, nil)
	wantCode(t, err, fault.Integrity)
	if !strings.Contains(err.Error(), "public.t: 5000 rows restored, 5001 dumped") || !strings.Contains(err.Error(), to) {
		t.Error(err)
	}
	w.pg.DropDatabase(t, to)
	if level, _ := w.find(t, set.ID).Proven(); level == backup.LevelRestored {
		t.Error("a restore that differs was recorded as a proof")
	}
}
