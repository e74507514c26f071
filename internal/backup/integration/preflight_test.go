package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
	"codeberg.org/pgbtui/pgbtui/test/need"
)

// check is one line of a preflight, by its name.
func (w *world) check(t *testing.T, set *backup.Set, req restore.Request, name string) restore.Check {
	t.Helper()
	checks, _, err := restore.Preflight(t.Context(), w.job, w.env, set, req, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range checks {
		if c.Name == name {
			return c
		}
	}
	t.Fatalf("no check %s in %+v", name, checks)
	return restore.Check{}
}

func TestAPreflightSaysWhatARestoreWillMeet(t *testing.T) {
	pg, small := smallDatabase(t)
	w := newWorldOn(t, pg, small) // and a second set of the same instance
	set := w.find(t, w.run(t).Manifest.ID)
	req := restore.Request{To: w.job.Instance + "_copy"}
	for name, part := range map[string]string{
		"server": w.pg.Host + " port " + w.pg.Port + `, as role "postgres"`, "target": "does not exist yet",
		"locale": "UTF8, libc, C.UTF-8", "space": " needed, ", "source": "proven stored",
	} {
		if c := w.check(t, set, req, name); !c.OK || c.Warn || !strings.Contains(c.Detail, part) {
			t.Errorf("%+v", c)
		}
	}
	if c := w.check(t, set, req, "time"); !c.OK || !c.Warn || !strings.Contains(c.Detail, "no drill or restore") {
		t.Errorf("%+v", c)
	}
	if _, err := backup.PutProof(t.Context(), w.env.Bucket, set, backup.Proof{
		Schema: backup.ManifestSchema, Set: set.ID, Kind: "drill", Level: backup.LevelRestored.String(), OK: true,
		StartedAt: set.FinishedAt, FinishedAt: set.FinishedAt.Add(18 * time.Minute),
	}); err != nil {
		t.Fatal(err)
	}
	// The newer set has no evidence of its own.
	newer := w.find(t, w.run(t).Manifest.ID)
	if c := w.check(t, newer, req, "time"); c.Warn || !strings.Contains(c.Detail, "about 18m 00s, as the drill of ") || !strings.Contains(c.Detail, "scaled") {
		t.Errorf("%+v", c)
	}
}

func TestAPreflightNamesWhatTheTargetsServerCannotDo(t *testing.T) {
	w, set := smallSet.world(t)
	req := restore.Request{To: w.job.Instance + "_copy"}
	newer := *set.Manifest
	newer.Server.VersionNum, newer.Server.Version = 990001, "99.1"
	of := *set
	of.Manifest = &newer
	if c := w.check(t, &of, req, "tools"); c.OK || !strings.Contains(c.Detail, "older major version") {
		t.Errorf("%+v", c)
	}
	w.rewriteContents(t, set, func(c *backup.Contents) { c.Database.Locale.Collate = "xx_XX.UTF-8" })
	if c := w.check(t, w.find(t, set.ID), req, "locale"); c.OK || !strings.Contains(c.Detail, "xx_XX") || !strings.Contains(c.Remedy, "locale-gen") {
		t.Errorf("%+v", c)
	}
	w.pg.Exec(t, "postgres", "CREATE ROLE plain_"+w.job.Instance+" LOGIN")
	t.Cleanup(func() { w.pg.Exec(t, "postgres", "DROP ROLE plain_"+w.job.Instance) })
	w.job.Postgres.User = "plain_" + w.job.Instance
	if c := w.check(t, set, req, "server"); c.OK || !strings.Contains(c.Remedy, "CREATEDB") {
		t.Errorf("%+v", c)
	}
	// A role that may not know where the data lies: said, never passed over.
	if c := w.check(t, set, req, "space"); !c.OK || !c.Warn || !strings.Contains(c.Detail, "not known") {
		t.Errorf("%+v", c)
	}
}

func TestATargetWithoutRoomIsFoundBeforeAnythingIsCreated(t *testing.T) {
	w, set := smallSet.world(t)
	huge := *set.Manifest
	huge.Server.SizeBytes = 1 << 60
	of := *set
	of.Manifest = &huge
	to := w.job.Instance + "_copy"
	_, err := restore.Run(t.Context(), w.job, w.env, &of, restore.Request{To: to}, nil)
	wantCode(t, err, fault.Refused)
	if !strings.Contains(err.Error(), "1.0 EiB needed") || w.exists(t, to) {
		t.Error(err)
	}
	w.job.Postgres.Host = "127.0.0.1"
	if c := w.check(t, set, restore.Request{To: to}, "space"); !c.OK || !c.Warn || !strings.Contains(c.Detail, "over the network") {
		t.Errorf("%+v", c)
	}
	restored, err := restore.Run(t.Context(), w.job, w.env, set, restore.Request{To: to}, nil)
	if err != nil || len(restored.Notes) != 1 || !strings.Contains(restored.Notes[0], "space: not known") {
		t.Errorf("%+v, %v", restored, err)
	}
	w.pg.DropDatabase(t, to)
	huge.Server.SizeBytes = 0
	if c := w.check(t, &of, restore.Request{To: to}, "space"); !c.OK || !c.Warn {
		t.Errorf("%+v", c)
	}
}

func TestATablespacesOwnDiskIsLookedAt(t *testing.T) {
	need.Root(t)
	w := newWorld(t)
	name := "small_" + w.job.Instance
	mounted := t.TempDir()
	if err := unix.Mount("tmpfs", mounted, "tmpfs", 0, "size=1m"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Unmount(mounted, 0) })
	space := filepath.Join(mounted, "space")
	if err := os.Mkdir(space, 0o700); err != nil {
		t.Fatal(err)
	}
	w.openTo(t, space)
	w.pg.Exec(t, "postgres", "CREATE TABLESPACE "+name+" LOCATION '"+space+"'")
	t.Cleanup(func() { w.pg.Exec(t, "postgres", "DROP TABLESPACE "+name) })
	set := w.find(t, w.run(t).Manifest.ID)
	w.rewriteContents(t, set, func(c *backup.Contents) { c.Database.Tablespace = name })
	set = w.find(t, set.ID)
	req := restore.Request{To: w.job.Instance + "_copy"}
	if c := w.check(t, set, req, "space"); c.OK || !strings.Contains(c.Detail, name) {
		t.Errorf("%+v", c)
	}
	req.NoTablespaces = true
	if c := w.check(t, set, req, "space"); !c.OK || c.Warn {
		t.Errorf("%+v", c)
	}
	// Parts elsewhere: together there is room, on the small one alone there is not.
	w.rewriteContents(t, set, func(c *backup.Contents) {
		e := c.Archive.Entries[0]
		e.Tablespace, e.Owner = "pg_default", ""
		c.Archive.Entries = append(c.Archive.Entries, e)
	})
	req.NoTablespaces = false
	if c := w.check(t, w.find(t, set.ID), req, "space"); !c.OK || !c.Warn {
		t.Errorf("%+v", c)
	}
}

func TestASetInAnArchiveClassIsNamedWithItsThaw(t *testing.T) {
	w, set := smallSet.world(t)
	if _, err := w.env.Bucket.Put(t.Context(), set.Dir+backup.DumpName, []byte("x"), s3.PutOptions{Class: "GLACIER"}); err != nil {
		t.Fatal(err)
	}
	_, err := restore.Run(t.Context(), w.job, w.env, set, restore.Request{To: "never_made"}, nil)
	wantCode(t, err, fault.Refused)
	if !strings.Contains(err.Error(), "archived in GLACIER") || !strings.Contains(fault.Remedy(err), "pgbtui thaw "+set.Address().String()) {
		t.Error(err, fault.Remedy(err))
	}
}

func TestClientsThatCannotRestoreIntoTheirServerAreToldBeforeARestore(t *testing.T) {
	w, set := smallSet.world(t)
	newer := map[string]string{}
	for _, program := range []string{"pg_dump", "pg_dumpall", "pg_restore"} {
		newer[program] = "echo '" + program + " (PostgreSQL) 99.1'"
	}
	w.job.Postgres.BinDir = tools(t, w, newer)
	c := w.check(t, set, restore.Request{To: w.job.Database + "_copy"}, "tools")
	major := w.pg.QueryInt(t, "postgres", "SELECT current_setting('server_version_num')::int / 10000")
	if c.OK != (major >= 17) || !c.OK && !strings.Contains(c.Remedy, fmt.Sprintf("postgresql-client-%d", major)) {
		t.Errorf("into server %d: %+v", major, c)
	}
}
