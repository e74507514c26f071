package postgres

import (
	"context"
	"errors"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/test/pgtest"
)

// twoSchemas are a live one and one that is to take its place, each with a table that says which it was.
func twoSchemas(t *testing.T, s *pgtest.Server) (database string, swap SchemaSwap) {
	t.Helper()
	database = s.CreateDatabase(t)
	for _, name := range []string{"live", "copy"} {
		s.Exec(t, database, "CREATE SCHEMA "+name+"; CREATE TABLE "+name+".me AS SELECT '"+name+"' AS name")
	}
	c := connect(t, target(s, database))
	swap = SchemaSwap{Live: "live", With: "copy", Keep: "kept"}
	var err error
	if swap.LiveOID, err = c.SchemaOID(t.Context(), "live"); err != nil {
		t.Fatal(err)
	}
	if swap.WithOID, err = c.SchemaOID(t.Context(), "copy"); err != nil {
		t.Fatal(err)
	}
	return database, swap
}

func wantLiveSchema(t *testing.T, s *pgtest.Server, database, was string) {
	t.Helper()
	if got := s.QueryString(t, database, "SELECT name FROM live.me"); got != was {
		t.Errorf("schema live is what was %q, want %q", got, was)
	}
}

func TestALostAnswerToTheCommitOfSchemasIsAskedFor(t *testing.T) {
	s := pgtest.Shared(t)
	for _, arrives := range []bool{false, true} {
		database, swap := twoSchemas(t, s)
		c := connect(t, Target{Host: loseCommit(t, s, arrives), Port: s.Port, User: s.User, Database: database})
		err := c.SwapSchemas(t.Context(), swap)
		if arrives != (err == nil) || errors.Is(err, ErrSwapUnknown) {
			t.Errorf("arrives %v: %v", arrives, err)
		}
		wantLiveSchema(t, s, database, map[bool]string{false: "live", true: "copy"}[arrives])
	}
}

func TestASwapOfSchemasThatIsCancelledBeforeItsCommitLeavesTheOldState(t *testing.T) {
	s := pgtest.Shared(t)
	for _, step := range []SwapStep{SwapBegun, SwapKept, SwapRenamed, SwapCommitted} {
		database, swap := twoSchemas(t, s)
		ctx, cancel := context.WithCancelCause(t.Context())
		swap.Step = func(at SwapStep) {
			if at == step {
				cancel(fault.New(fault.Terminated, "stopped", "", nil))
			}
		}
		err := connect(t, target(s, database)).SwapSchemas(ctx, swap)
		cancel(nil)
		if step == SwapCommitted {
			wantCode(t, err, fault.OK)
			wantLiveSchema(t, s, database, "copy")
			continue
		}
		wantCode(t, err, fault.Terminated)
		wantLiveSchema(t, s, database, "live")
	}
}

func TestASchemaThatWasReplacedMeanwhileIsNotSwapped(t *testing.T) {
	s := pgtest.Shared(t)
	database, swap := twoSchemas(t, s)
	s.Exec(t, database, "DROP SCHEMA live CASCADE; CREATE SCHEMA live; CREATE TABLE live.me AS SELECT 'another' AS name")
	wantCode(t, connect(t, target(s, database)).SwapSchemas(t.Context(), swap), fault.Refused)
	wantLiveSchema(t, s, database, "another")
}

// A commit that waits for a standby would keep the locks of both names for as long as that one hangs.
func TestASwapDoesNotWaitForAStandbyThatIsGone(t *testing.T) {
	s := pgtest.Start(t)
	database, schemas := twoSchemas(t, s)
	p := newPair(t, s, "live_"+random())
	s.Exec(t, "postgres", "ALTER SYSTEM SET synchronous_standby_names = 'gone'")
	s.Exec(t, "postgres", "SELECT pg_reload_conf()")
	c := connect(t, target(s, database))
	for { // the reload is not awaited
		var names string
		if err := c.row(t.Context(), "SHOW synchronous_standby_names", nil, &names); err != nil {
			t.Fatal(err)
		}
		if names == "gone" {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	waits := waitsForStandby(t, s)
	if err := c.SwapSchemas(t.Context(), schemas); err != nil {
		t.Errorf("schemas: %v", err)
	}
	wantLiveSchema(t, s, database, "copy")
	if _, err := connect(t, p.maintains).Swap(t.Context(), p.swap); err != nil {
		t.Errorf("databases: %v", err)
	}
	if waits() {
		t.Error("a swap waited for the standby")
	}
	p.want(t, true)
	s.Exec(t, "postgres", "ALTER SYSTEM RESET synchronous_standby_names")
	s.Exec(t, "postgres", "SELECT pg_reload_conf()")
	for deadline := time.Now().Add(10 * time.Second); s.QueryString(t, "postgres", "SHOW synchronous_standby_names") != ""; {
		if time.Now().After(deadline) {
			t.Fatal("the server does not forget its standby")
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// waitsForStandby looks, until it is asked, whether any session waits for one.
func waitsForStandby(t *testing.T, s *pgtest.Server) (asked func() bool) {
	t.Helper()
	c := connect(t, target(s, "postgres"))
	ctx, stop := context.WithCancel(t.Context())
	seen := make(chan bool, 1)
	go func() {
		waits := false
		for ctx.Err() == nil && !waits {
			err := c.row(ctx, "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event = 'SyncRep')", nil, &waits)
			if err != nil && ctx.Err() == nil {
				t.Error(err)
				break
			}
			time.Sleep(5 * time.Millisecond)
		}
		seen <- waits
	}()
	return func() bool {
		stop()
		return <-seen
	}
}
