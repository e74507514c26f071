package beside

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/test/pitrlab"
)

// owned is a folder of the owner of the server's files.
func owned(t *testing.T, lab *pitrlab.Lab, name string) string {
	t.Helper()
	dir := filepath.Join(lab.Dir, name)
	err := os.Mkdir(dir, 0o700)
	if err == nil && os.Geteuid() == 0 {
		err = os.Chown(dir, int(lab.Engine.Server.UID), int(lab.Engine.Server.GID))
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestACopyHasItsTablespacesWithItsFilesAndFollowsTheTimelineThatIsWanted(t *testing.T) {
	lab := pitrlab.Start(t, nil)
	dir, at, space := copiesDir(t), owned(t, lab, "at"), owned(t, lab, "space")
	lab.Postgres.Exec(t, "postgres", "CREATE TABLESPACE fast LOCATION '"+space+"'")
	lab.Postgres.Exec(t, "postgres", "CREATE TABLE there TABLESPACE fast AS SELECT generate_series(1, 300) AS id")
	lab.Backup(t, config.FullBackup)
	lab.Postgres.Exec(t, "postgres", "DELETE FROM there WHERE id > 100")
	early := beat(t, lab)
	beat(t, lab)
	lab.SwitchWAL(t)
	lab.Promote(t)
	lab.Postgres.Exec(t, "postgres", "INSERT INTO there VALUES (1000)")
	lab.SwitchWAL(t)

	copyOf := func(o Order) *Copy {
		t.Helper()
		o.Dir, o.At = dir, at
		c, plan, err := Restore(t.Context(), lab.Engine, o, nil)
		if err != nil {
			t.Fatalf("%+v: %v", plan, err)
		}
		t.Cleanup(func() { _ = c.Discard() })
		return c
	}
	c := copyOf(Order{Target: Target{End: true}})
	if got := ask(t, c, "postgres", "SELECT count(*)::text FROM there"); got != "101" || c.Timeline != 2 {
		t.Errorf("%s rows on timeline %d", got, c.Timeline)
	}
	location := ask(t, c, "postgres", "SELECT pg_tablespace_location(oid) FROM pg_tablespace WHERE spcname = 'fast'")
	if !strings.HasPrefix(location, filepath.Join(at, c.ID)+"/tablespaces/") {
		t.Errorf("the copy's tablespace is in %s", location)
	}
	old := copyOf(Order{Target: Target{Time: early}, Timeline: 1})
	if got := ask(t, old, "postgres", "SELECT count(*)::text FROM there"); got != "100" || old.Timeline != 1 {
		t.Errorf("%s rows on timeline %d", got, old.Timeline)
	}
	for _, one := range []*Copy{c, old} {
		if err := one.Discard(); err != nil {
			t.Error(err)
		}
	}
	nothingLeft(t, dir)
	nothingLeft(t, at)
	if got := lab.Postgres.QueryString(t, "postgres", "SELECT count(*)::text FROM there"); got != "101" {
		t.Errorf("the live cluster has %s rows", got)
	}
}
