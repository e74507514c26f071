package integration

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
)

// fromOlder makes a set one of the major version before this host's.
func (w *world) fromOlder(t *testing.T, set *backup.Set) (older *backup.Set, major int) {
	t.Helper()
	major = set.Manifest.Server.VersionNum/10000 - 1
	w.edit(t, set.Dir+backup.ManifestName, func(m *backup.Manifest) {
		m.Server.Version, m.Server.VersionNum = fmt.Sprintf("%d.3", major), major*10000+3
	})
	return w.find(t, set.ID), major
}

func leavesOpen(p backup.Proof, major int) bool {
	return slices.ContainsFunc(p.NotProven, func(what string) bool {
		return strings.Contains(what, fmt.Sprintf("restores into PostgreSQL %d", major))
	})
}

func TestADrillInAnotherMajorVersionSaysWhatItDoesNotProve(t *testing.T) {
	w, set := smallSet.world(t)
	w.named(t)
	same, err := w.drill(t, set)
	if err != nil || leavesOpen(same.Proof, set.Manifest.Server.VersionNum/10000) {
		t.Errorf("in the same version: %+v, %v", same, err)
	}
	older, major := w.fromOlder(t, set)
	drilled, err := w.drill(t, older)
	if err != nil || drilled.Recorded == "" || !leavesOpen(drilled.Proof, major) {
		t.Errorf("%+v, %v", drilled, err)
	}
	facts := postgres.Facts{VersionNum: older.Manifest.Server.VersionNum}
	if where, err := restore.Drillable(t.Context(), w.job, facts, restore.DrillRequest{}); err != nil || !strings.Contains(where, "do not prove") {
		t.Errorf("before the first drill: %q, %v", where, err)
	}
	w.job.Drill.Server = config.DrillServer{}
	where, err := restore.Drillable(t.Context(), w.job, facts, restore.DrillRequest{Dir: t.TempDir()})
	if err != nil || !strings.Contains(where, fmt.Sprintf("Install postgresql-%d", major)) {
		t.Errorf("before the first drill in a server of its own: %q, %v", where, err)
	}
}

func TestWhatAnotherMajorVersionRefusesIsNotHeldAgainstTheSet(t *testing.T) {
	w := newWorld(t)
	w.named(t)
	// It fails in every version; that it is from another one is only what the set says.
	w.pg.Exec(t, w.job.Database, `CREATE TABLE known (a text); INSERT INTO known VALUES ('x');
		CREATE FUNCTION is_known(i text) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT EXISTS (SELECT FROM known WHERE a = i)';
		CREATE TABLE t (i text CHECK (is_known(i))); INSERT INTO t VALUES ('x')`)
	older, major := w.fromOlder(t, w.find(t, w.run(t).Manifest.ID))
	w.provesNothing(t, older, fault.Refused, "may be the server's doing")

	// The dump of the old script says by itself what it is from.
	key := w.script(t, w.job.Database)
	version := w.pg.QueryString(t, "postgres", "SHOW server_version")
	named := strings.Replace(version, strconv.Itoa(major+1), strconv.Itoa(major), 1)
	archive := bytes.Replace(w.body(t, key), []byte(version), []byte(named), 1)
	w.put(t, key, archive)
	w.provesNothing(t, w.scripted(t, key), fault.Refused, "may be the server's doing")
}

func TestOfACopyInAnotherMajorVersionOnlyItsRowsCountAgainstTheSet(t *testing.T) {
	w, set := smallSet.world(t)
	w.named(t)
	older, _ := w.fromOlder(t, set)
	w.job.Drill.Expect = []config.Expectation{{SQL: "SELECT no_longer_there()", Result: "1"}}
	w.provesNothing(t, older, fault.Refused, "no_longer_there")
	w.job.Drill.Expect = nil
	w.rewriteContents(t, older, func(c *backup.Contents) {
		for i, e := range c.Archive.Entries {
			if e.Desc == "TABLE" {
				c.Archive.Entries[i].Owner = "pg_monitor"
			}
		}
	})
	w.provesNothing(t, w.find(t, older.ID), fault.Refused, "in the dump to \"pg_monitor\"")
	w.rewriteContents(t, w.find(t, older.ID), func(c *backup.Contents) { c.Archive.Data[0].Rows++ })
	w.provenWrong(t, w.find(t, older.ID), "5000 rows restored, 5001 dumped")
}
