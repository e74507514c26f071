package integration

import (
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
)

// No dependency in an archive says that the constraint compares rooms by btree_gist.
func TestATableWithAnExclusionConstraintBringsTheExtensionsItMayCompareBy(t *testing.T) {
	w := newWorld(t)
	w.pg.Exec(t, w.job.Database, `CREATE EXTENSION btree_gist;
		CREATE TABLE booked (room int, during tstzrange, EXCLUDE USING gist (room WITH =, during WITH &&));
		INSERT INTO booked SELECT i, tstzrange(now(), now() + interval '1 day') FROM generate_series(1, 10) AS i; CREATE TABLE plain (a int);`)
	set := w.find(t, w.run(t).Manifest.ID)
	to := w.job.Instance + "_part"
	for table, extensions := range map[string]int64{"booked": 1, "plain": 0} {
		restored := w.restorePart(t, set, restore.Request{Tables: []string{table}})
		if n := w.pg.QueryInt(t, to, "SELECT count(*) FROM pg_extension WHERE extname = 'btree_gist'"); n != extensions {
			t.Errorf("%s: the extension is there %d times, %+v", table, n, restored)
		}
	}
	w.restorePart(t, set, restore.Request{Tables: []string{"booked"}})
	if err := w.pg.TryExec(to, "INSERT INTO booked SELECT * FROM booked"); err == nil {
		t.Error("the constraint does not hold")
	}
	w.pg.DropDatabase(t, to)
}
