package beside

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/pitr/wal"
	"codeberg.org/pgbtui/pgbtui/test/pitrlab"
)

// beat commits a row, and has the time after it.
func beat(t *testing.T, lab *pitrlab.Lab) time.Time {
	t.Helper()
	lab.Postgres.Exec(t, "postgres", "CREATE TABLE IF NOT EXISTS beats (at timestamptz); INSERT INTO beats VALUES (now())")
	time.Sleep(10 * time.Millisecond)
	at := now(t, lab)
	time.Sleep(10 * time.Millisecond)
	return at
}

// position is the server's, now.
func position(t *testing.T, lab *pitrlab.Lab) wal.LSN {
	t.Helper()
	at, err := wal.ParseLSN(lab.Postgres.QueryString(t, "postgres", "SELECT pg_current_wal_insert_lsn()"))
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestATargetWhoseWayLeadsOverAGapIsRefusedBeforeAnythingStarts(t *testing.T) {
	lab := pitrlab.Start(t, nil)
	dir := copiesDir(t)
	lab.Backup(t, config.FullBackup)
	early := beat(t, lab)
	lab.Postgres.Exec(t, "postgres", "CREATE TABLE early (id int)")
	xid, err := strconv.ParseUint(lab.Postgres.QueryString(t, "postgres",
		"WITH i AS (INSERT INTO early VALUES (1) RETURNING 1) SELECT pg_current_xact_id()::text FROM i"), 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	beat(t, lab)
	lab.SwitchWAL(t)
	missing := lab.SwitchWAL(t)
	inGap := beat(t, lab)
	lsnInGap := position(t, lab)
	lab.Postgres.Exec(t, "postgres", "SELECT pg_create_restore_point('in the gap')")
	beat(t, lab)
	lab.SwitchWAL(t)
	lab.Delete(t, lab.SegmentFile(t, missing))

	plan := func(target Target) (Plan, error) {
		return Prepare(t.Context(), lab.Engine, Order{Target: target, Dir: dir}, nil)
	}
	refusedAt := func(target Target, remedy ...string) {
		t.Helper()
		_, err := plan(target)
		if fault.CodeOf(err) != fault.NotFound || !strings.Contains(err.Error(), "segment "+missing+" is missing") {
			t.Errorf("%s: %v", target, err)
		}
		for _, words := range remedy {
			if !strings.Contains(fault.Remedy(err), words) {
				t.Errorf("%s: the remedy is %q, without %q", target, fault.Remedy(err), words)
			}
		}
	}
	reached := func(target Target, label string) {
		t.Helper()
		if p, err := plan(target); err != nil || p.Set != label {
			t.Errorf("%s: from %s, not %s; %v", target, p.Set, label, err)
		}
	}
	state, err := lab.Engine.Look(t.Context(), time.Now())
	if err != nil || len(state.Windows) != 1 || len(state.Gaps) != 1 {
		t.Fatalf("%+v, %v", state, err)
	}
	first, until := state.Windows[0].Backups[0], serverTime(state.Windows[0].Until)
	for _, target := range []Target{{Time: inGap}, {LSN: lsnInGap}, {Name: "in the gap"}, {End: true}} {
		refusedAt(target, "before "+until, "Make a base backup")
	}
	reached(Target{Time: early}, first)
	reached(Target{XID: uint32(xid)}, first) // to which the search goes over the gap

	second := lab.Backup(t, config.FullBackup)
	late := beat(t, lab)
	beat(t, lab)
	lab.SwitchWAL(t)
	if state, err = lab.Engine.Look(t.Context(), time.Now()); err != nil || len(state.Windows) != 2 {
		t.Fatalf("%+v, %v", state, err)
	}
	for _, target := range []Target{{Time: inGap}, {LSN: lsnInGap}, {Name: "in the gap"}} {
		refusedAt(target, "before "+until, "after "+serverTime(state.Windows[1].After))
	}
	reached(Target{Time: early}, first)
	reached(Target{XID: uint32(xid)}, first)
	reached(Target{Time: late}, second)
	reached(Target{End: true}, second)
	nothingLeft(t, dir)
	c := restored(t, lab, dir, Target{Time: early})
	if c == nil {
		return
	}
	if got := ask(t, c, "postgres", "SELECT to_regclass('early') IS NULL"); got != "t" && got != "true" {
		t.Errorf("what came later is there: %s", got)
	}
	if err := c.Discard(); err != nil {
		t.Error(err)
	}
}
