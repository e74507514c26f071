package integration

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/backuptest"
	"codeberg.org/pgbtui/pgbtui/internal/backup/meter"
	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// slowCatalogue has pg_dump, and nothing else, ask the catalogue for as long as the body takes.
func slowCatalogue(t *testing.T, body string) *world {
	t.Helper()
	w := newWorld(t)
	w.pg.Exec(t, w.job.Database, `CREATE TABLE a AS SELECT 1 AS i;
		CREATE FUNCTION slow() RETURNS bool LANGUAGE plpgsql STABLE AS $$ BEGIN `+body+` RETURN true; END $$;
		SET allow_system_table_mods = on;
		DO $$ BEGIN
			EXECUTE 'CREATE OR REPLACE VIEW pg_catalog.pg_seclabels AS SELECT * FROM ('
				|| rtrim(pg_get_viewdef('pg_catalog.pg_seclabels'::regclass), ';') || ') AS s WHERE public.slow()';
		END $$`)
	w.job.StallAfter = 4 * time.Second
	return w
}

func TestMinutesInTheCatalogueAreWorkAndNoStallAndAreTold(t *testing.T) {
	w := slowCatalogue(t, "WHILE clock_timestamp() < statement_timestamp() + interval '10 s' LOOP END LOOP;")
	var book backuptest.Told
	w.env.Progress = book.Add
	w.run(t)
	said := false
	for _, p := range book.All {
		said = said || p.Stage == backup.StageDump && strings.Contains(p.Status(), "reads its catalogue")
	}
	if !said {
		t.Error("the progress never said what pg_dump does while no byte moves")
	}
}

func TestAWaitForALockIsAStallAlsoWhereTheServerCallsItActive(t *testing.T) {
	w := slowCatalogue(t, "PERFORM pg_advisory_lock(4711);")
	ctx, release := context.WithCancel(t.Context())
	held := make(chan error, 1)
	go func() { held <- w.pg.TryExec(w.job.Database, "SELECT pg_advisory_lock(4711), pg_sleep(600)") }()
	defer func() {
		release()
		_ = w.pg.TryExec("postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(600)%' AND pid <> pg_backend_pid()")
		<-held
	}()
	for w.pg.QueryInt(t, w.job.Database, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711 AND granted") == 0 {
		time.Sleep(10 * time.Millisecond)
	}
	_, err := w.try(ctx)
	if !errors.Is(err, meter.ErrStalled) || fault.CodeOf(err) != fault.Unavailable || !strings.Contains(err.Error(), "waiting for a lock") {
		t.Error(err)
	}
}

func TestARestoreThatMakesTablesForLongIsNoStall(t *testing.T) {
	w := newWorld(t)
	// The first table's row takes long to be checked, while the second one's wait in the pipe.
	w.pg.Exec(t, w.job.Database, `CREATE FUNCTION slow(int) RETURNS bool LANGUAGE plpgsql IMMUTABLE AS $$
		BEGIN WHILE clock_timestamp() < statement_timestamp() + interval '10 s' LOOP END LOOP; RETURN true; END $$;
		CREATE TABLE a_first (i int CHECK (public.slow(i))); INSERT INTO a_first VALUES (1);
		CREATE TABLE b_second AS SELECT i, repeat(md5(i::text), 40) AS t FROM generate_series(1, 20000) AS i`)
	set := w.find(t, w.run(t).Manifest.ID)
	w.job.StallAfter = 4 * time.Second
	to := w.job.Database + "_copy"
	t.Cleanup(func() { w.pg.DropDatabase(t, to) })
	if _, err := restore.Run(t.Context(), w.job, w.env, set, restore.Request{To: to}, nil); err != nil {
		t.Fatal(err)
	}
}
