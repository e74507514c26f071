package integration

import (
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
)

// As whom the code of a set's owners runs, and what it may use up.

func TestADrillNamesTheRowThatMayNotFit(t *testing.T) {
	w, set := smallSet.world(t)
	w.rewriteContents(t, set, func(c *backup.Contents) { c.Archive.Data[0].LargestRow = 900 << 20 })
	set = w.find(t, set.ID)
	dir := drillFolder(t)
	request := restore.DrillRequest{Dir: dir, SocketDir: dir, Unconfined: true, ServerMemory: 4 << 30, Memory: 4 << 30}
	if _, err := restore.Drill(t.Context(), w.job, w.env, set, request, nil); err != nil {
		t.Fatal(err) // what a row needs is not exact: it is tried
	}
	if text := w.log.text(); strings.Count(text, "a row of public.t has 900 MiB, which may need") != 1 || !strings.Contains(text, "the unit of the drill's server may have 4.0 GiB (MemoryMax=)") {
		t.Errorf("what is said before the load:\n%s", text)
	}
}

func TestAPreflightSaysAsWhomTheOwnersCodeRuns(t *testing.T) {
	w, set := smallSet.world(t)
	req := restore.Request{To: w.job.Instance + "_copy"}
	if c := w.check(t, set, req, "code"); !c.OK || !c.Warn || !strings.Contains(c.Detail, "code of the database's owners as superuser postgres") {
		t.Errorf("%+v", c)
	}
	w.pg.Exec(t, "postgres", "CREATE ROLE creator_"+w.job.Instance+" LOGIN CREATEDB")
	t.Cleanup(func() { w.pg.Exec(t, "postgres", "DROP ROLE creator_"+w.job.Instance) })
	w.job.Postgres.User = "creator_" + w.job.Instance
	if c := w.check(t, set, req, "code"); !c.OK || c.Warn || !strings.Contains(c.Detail, "not a superuser") {
		t.Errorf("%+v", c)
	}
}
