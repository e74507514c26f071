package integration

import (
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/test/pgtest"
)

// PostgreSQL drops no database that has a subscription, also where its slot is nobody's.
func TestADrillIntoANamedServerLeavesNoCopyBecauseOfItsSubscriptions(t *testing.T) {
	source, named := pgtest.Start(t), pgtest.Start(t)
	const database = "subscriber"
	source.Exec(t, "postgres", "CREATE DATABASE "+database)
	source.Exec(t, database, "CREATE TABLE t AS SELECT 1 AS i")
	for _, name := range []string{"plain", `"odd ""name"" $1"`} {
		source.Exec(t, database, "CREATE SUBSCRIPTION "+name+" CONNECTION 'host=nowhere' PUBLICATION p WITH (connect = false, slot_name = 'of_the_source')")
	}
	w := newWorldOn(t, source, database)
	set := w.find(t, w.run(t).Manifest.ID)
	w.job.Drill.Server = config.DrillServer{Host: named.Host, Port: named.Port, User: named.User}
	left := func() int64 {
		return named.QueryInt(t, "postgres", `SELECT count(*) FROM pg_database WHERE datname LIKE 'pgbtui\_drill\_%'`)
	}

	drilled, err := w.drill(t, set)
	if err != nil || !drilled.Proof.OK || len(drilled.Warnings) > 0 || left() > 0 {
		t.Fatalf("code %d: %v (%s), %+v; %d copies are left", fault.CodeOf(err), err, fault.Remedy(err), drilled, left())
	}

	// What a killed drill left, the next one drops, enabled subscriptions too.
	killed := "pgbtui_drill_20260101t000000z_abcdef"
	named.Exec(t, "postgres", "CREATE DATABASE "+killed)
	named.Exec(t, killed, "CREATE SUBSCRIPTION left_over CONNECTION 'host=nowhere' PUBLICATION p WITH (connect = false, slot_name = 'of_the_source')")
	named.Exec(t, killed, "ALTER SUBSCRIPTION left_over ENABLE")
	if _, err = w.drill(t, set); err != nil || left() > 0 {
		t.Errorf("%v; %d copies are left", err, left())
	}
	if n := source.QueryInt(t, database, "SELECT count(*) FROM pg_subscription"); n != 2 {
		t.Errorf("the source has %d subscriptions", n)
	}
}
