package integration

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/backup/restore/kept"
	"codeberg.org/pgbtui/pgbtui/internal/event"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// replaced is a database that was dumped with one row and has two since.
type replaced struct {
	*world
	live string
	set  *backup.Set
}

func newReplaced(t *testing.T, name string) *replaced {
	t.Helper()
	pg := pgOf(t)
	pg.CreateDatabaseNamed(t, name)
	w := newWorldOn(t, pg, name)
	pg.Exec(t, name, "CREATE TABLE t AS SELECT 1 AS a")
	r := &replaced{world: w, live: name, set: w.find(t, w.run(t).Manifest.ID)}
	pg.Exec(t, name, "INSERT INTO t VALUES (2)")
	r.deserted(t)
	t.Cleanup(func() {
		for _, beside := range r.beside(t) {
			pg.DropDatabase(t, beside)
		}
	})
	return r
}

func (r *replaced) request() restore.Request {
	return restore.Request{Replace: r.live, Confirm: r.live}
}

func (r *replaced) restore(ctx context.Context, req restore.Request) (*restore.Restored, error) {
	return restore.Run(ctx, r.job, r.env, r.set, req, nil)
}

// beside are the databases that stand beside the live one, sorted.
func (r *replaced) beside(t *testing.T) []string {
	t.Helper()
	s, err := postgres.Connect(context.Background(), postgres.Target{Host: r.pg.Host, Port: r.pg.Port, User: r.pg.User, Database: "postgres"}, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close(context.Background())
	names, err := s.DatabasesLike(context.Background(), kept.Stem(r.live)+"_")
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// wantLive asserts the state by the live database's rows, and that it takes connections.
func (r *replaced) wantLive(t *testing.T, rows int64) {
	t.Helper()
	if got := r.pg.QueryInt(t, r.live, "SELECT count(*) FROM t"); got != rows {
		t.Errorf("the live database has %d rows, want %d", got, rows)
	}
}

func (r *replaced) wantBeside(t *testing.T, words ...string) (names []string) {
	t.Helper()
	var got []string
	names = r.beside(t)
	for _, name := range names {
		got = append(got, kept.WordOf(r.live, name))
	}
	if fmt.Sprint(got) != fmt.Sprint(words) {
		t.Errorf("beside the live database are %q (%q), want %q", got, names, words)
	}
	return names
}

// deserted waits for sessions that have been closed: the server takes its time to notice.
func (r *replaced) deserted(t *testing.T) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if r.pg.QueryInt(t, "postgres", "SELECT count(*) FROM pg_stat_activity WHERE datname = $1", r.live) == 0 {
			return
		}
	}
	t.Fatal("somebody stays connected")
}

// connected opens a session of an application in the live database. It may be called from any
// goroutine.
func (r *replaced) connected(t *testing.T) {
	t.Helper()
	config, err := pgx.ParseConfig(r.pg.DSN("postgres"))
	if err != nil {
		t.Error(err)
		return
	}
	config.Database, config.RuntimeParams["application_name"] = r.live, "shop frontend"
	c, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Error(err)
		return
	}
	t.Cleanup(func() { _ = c.Close(context.Background()) })
}

func TestAReplacedDatabaseIsKeptAndComesBackByAnUndo(t *testing.T) {
	for _, name := range []string{"shop_" + backup.NewID(time.Now())[17:], `hostile "$(id)" dbname=postgres ` + strings.Repeat("界", 10)} {
		t.Run(name, func(t *testing.T) {
			r := newReplaced(t, name)
			done, err := r.restore(t.Context(), r.request())
			if err != nil || done.Database != name || !done.Compared || kept.WordOf(name, done.Kept) != kept.Before || done.Recorded == "" {
				t.Fatalf("%+v, %v", done, err)
			}
			r.wantLive(t, 1)
			r.wantBeside(t, kept.Before)
			if last := done.Stages[len(done.Stages)-1].Stage; last != backup.StageSwap || !strings.Contains(r.log.text(), "event="+event.Replaced) {
				t.Errorf("stage %s; %s", last, r.log.text())
			}
			undo := restore.UndoRequest{Database: name, Confirm: name}
			back, err := restore.Undo(t.Context(), r.job, r.env, undo)
			if err != nil || back.With != done.Kept || kept.WordOf(name, back.Kept) != kept.Undone {
				t.Fatalf("%+v, %v", back, err)
			}
			r.wantLive(t, 2)
			r.wantBeside(t, kept.Undone)
			// And forth again, by name; an undo without one has nothing to go back to.
			_, err = restore.Undo(t.Context(), r.job, r.env, undo)
			wantCode(t, err, fault.Refused)
			undo.With = back.Kept
			if _, err = restore.Undo(t.Context(), r.job, r.env, undo); err != nil {
				t.Fatal(err)
			}
			r.wantLive(t, 1)
		})
	}
}

func TestAnApplicationThatComesDuringTheRestoreStopsTheSwapUnlessItMayBeEnded(t *testing.T) {
	r := newReplaced(t, "late_"+backup.NewID(time.Now())[17:])
	// The proof is stored right before the swap.
	r.atFirst(s3server.OpPutObject, "-restore.json", func() *s3server.Fault { r.connected(t); return nil })
	_, err := r.restore(t.Context(), r.request())
	wantCode(t, err, fault.Refused)
	left := r.wantBeside(t, kept.Restored)
	if !strings.Contains(err.Error(), "is as it was; its complete, compared copy is") || !strings.Contains(err.Error(), left[0]) || !strings.Contains(fault.Remedy(err), "`sudo -u postgres -g pgbtui pgbtui restore swap --with="+left[0]+" --confirm="+r.live+" "+r.live+"`") {
		t.Error(err, fault.Remedy(err))
	}
	r.wantLive(t, 2)
	// The copy is not lost: it takes its place later.
	swap := restore.UndoRequest{Database: r.live, Confirm: r.live, With: left[0]}
	_, err = restore.Undo(t.Context(), r.job, r.env, swap)
	wantCode(t, err, fault.Refused)
	swap.Terminate = true
	done, err := restore.Undo(t.Context(), r.job, r.env, swap)
	if err != nil || done.Ended != 1 || kept.WordOf(r.live, done.Kept) != kept.Before {
		t.Fatalf("%+v, %v", done, err)
	}
	r.wantLive(t, 1)
	back, err := restore.Undo(t.Context(), r.job, r.env, restore.UndoRequest{Database: r.live, Confirm: r.live, Terminate: true})
	if err != nil || back.With != done.Kept {
		t.Fatalf("%+v, %v", back, err)
	}
	r.wantLive(t, 2)
}

func TestACancelledReplacementLeavesTheOldStateOrTheNewAndSaysWhich(t *testing.T) {
	r := newReplaced(t, "cancelled_"+backup.NewID(time.Now())[17:])
	for _, step := range []postgres.SwapStep{postgres.SwapBegun, postgres.SwapKept, postgres.SwapRenamed, postgres.SwapCommitted} {
		t.Run(string(step), func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			r.env.SwapStep = func(at postgres.SwapStep) {
				if at == step {
					cancel(terminated)
				}
			}
			done, err := r.restore(ctx, r.request())
			if step == postgres.SwapCommitted {
				if err != nil || done.Kept == "" {
					t.Fatalf("%+v, %v", done, err)
				}
				r.wantLive(t, 1)
				return
			}
			wantCode(t, err, fault.Terminated)
			left := r.wantBeside(t, kept.Restored)
			if !strings.Contains(err.Error(), fmt.Sprintf("database %q is as it was; its complete, compared copy is %q", r.live, left[0])) {
				t.Error(err)
			}
			r.wantLive(t, 2)
			r.pg.DropDatabase(t, left[0])
		})
	}
}

func TestAReplacementThatEndsEarlyLeavesTheLiveDatabaseAndNamesWhatIsBesideIt(t *testing.T) {
	r := newReplaced(t, "early_"+backup.NewID(time.Now())[17:])
	stalled := &s3server.Fault{Kind: s3server.StallBody, After: 10}
	denied := &s3server.Fault{Kind: s3server.Answer, Status: 403, Code: "AccessDenied"}
	for name, c := range map[string]struct {
		key    string
		cancel bool
		fault  *s3server.Fault
		want   fault.Code
		left   []string
	}{
		"cancelled while it looks":  {backup.ContentsName, true, stalled, fault.Terminated, nil},
		"cancelled while it loads":  {backup.DumpName, true, stalled, fault.Terminated, []string{kept.Restoring}},
		"an error while it loads":   {backup.DumpName, false, denied, fault.NotPermitted, []string{kept.Restoring}},
		"cancelled at its evidence": {"-restore.json", true, &s3server.Fault{Kind: s3server.Stall}, fault.Terminated, []string{kept.Restoring}},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			r.onRequest(func(op s3server.Op, path string) *s3server.Fault {
				if !strings.HasSuffix(path, c.key) || op == s3server.OpHeadObject {
					return nil
				}
				if c.cancel {
					cancel(terminated)
				}
				return c.fault
			})
			_, err := r.restore(ctx, r.request())
			r.onRequest(func(s3server.Op, string) *s3server.Fault { return nil })
			wantCode(t, err, c.want)
			if !strings.Contains(err.Error(), fmt.Sprintf("database %q is as it was", r.live)) {
				t.Error(err)
			}
			for _, left := range r.wantBeside(t, c.left...) {
				if !strings.Contains(err.Error(), fmt.Sprintf("unfinished database %q is left", left)) {
					t.Error(err)
				}
				r.pg.DropDatabase(t, left)
			}
			r.wantLive(t, 2)
		})
	}
}

func TestAKilledReplacementLeavesOneOfTwoStatesAndNothingToRepair(t *testing.T) {
	r := newReplaced(t, "killed_"+backup.NewID(time.Now())[17:])
	for _, step := range []postgres.SwapStep{postgres.SwapBegun, postgres.SwapKept, postgres.SwapRenamed, postgres.SwapCommitted} {
		t.Run(string(step), func(t *testing.T) {
			cmd, lines := r.startOrder(t, childOrder{Replace: r.set.ID, DieAt: step})
			var said []string
			for lines.Scan() {
				said = append(said, lines.Text())
			}
			if err := cmd.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
				t.Fatalf("the child ended by itself: %v\n%s", err, strings.Join(said, "\n"))
			}
			if step == postgres.SwapCommitted {
				r.wantLive(t, 1)
				r.wantBeside(t, kept.Before)
				return
			}
			// A connection waits at the locked name until the server has noticed, and is then let in.
			r.wantLive(t, 2)
			r.pg.DropDatabase(t, r.wantBeside(t, kept.Restored)[0])
		})
	}
}

func TestACopyThatIsNotWholeNeverTakesAPlace(t *testing.T) {
	r := newReplaced(t, "differs_"+backup.NewID(time.Now())[17:])
	r.rewriteContents(t, r.set, func(c *backup.Contents) { c.Archive.Data[0].Rows++ })
	r.set = r.find(t, r.set.ID)
	_, err := r.restore(t.Context(), r.request())
	wantCode(t, err, fault.Integrity)
	left := r.wantBeside(t, kept.Restoring)
	if !strings.Contains(err.Error(), left[0]) || !strings.Contains(err.Error(), "is as it was") {
		t.Error(err)
	}
	_, err = restore.Undo(t.Context(), r.job, r.env, restore.UndoRequest{Database: r.live, Confirm: r.live, With: left[0]})
	wantCode(t, err, fault.Refused)
	if !strings.Contains(err.Error(), "not finished") {
		t.Error(err)
	}
	r.pg.DropDatabase(t, left[0])
	// Rights of the database that its server refuses are no detail: the copy is not the same.
	r.rewriteContents(t, r.set, func(c *backup.Contents) {
		c.Archive.Data[0].Rows--
		c.Database.Parameters = []postgres.Parameter{{Name: "no_such_setting", Value: "1"}}
	})
	r.set = r.find(t, r.set.ID)
	_, err = r.restore(t.Context(), r.request())
	wantCode(t, err, fault.Refused)
	if !strings.Contains(err.Error(), "no_such_setting") {
		t.Error(err)
	}
	// Nor does one whose rows nobody counted.
	r.rewriteContents(t, r.set, func(c *backup.Contents) { c.Archive = nil })
	if c := r.check(t, r.find(t, r.set.ID), r.request(), "counts"); c.OK {
		t.Errorf("%+v", c)
	}
	r.wantLive(t, 2)
}

func TestAnUndoTakesOnlyWhatWasKeptForThatName(t *testing.T) {
	r := newReplaced(t, "names_"+backup.NewID(time.Now())[17:])
	foreign := r.live + "_before_noon"
	r.pg.CreateDatabaseNamed(t, foreign)
	for with, part := range map[string]string{"": "no database", foreign: "was not kept or restored", "postgres": "was not kept or restored", kept.Name(r.live, kept.Before, time.Unix(0, 0)): "there is no database"} {
		_, err := restore.Undo(t.Context(), r.job, r.env, restore.UndoRequest{Database: r.live, Confirm: r.live, With: with})
		wantCode(t, err, fault.Refused)
		if !strings.Contains(err.Error(), part) {
			t.Error(err)
		}
	}
	// The newest counts, also where another name is a prefix of this one.
	for _, name := range []string{kept.Name(r.live, kept.Before, time.Unix(100, 0)), kept.Name(r.live, kept.Before, time.Unix(200, 0)), kept.Name(r.live+"_before", kept.Before, time.Unix(300, 0))} {
		r.pg.CreateDatabaseNamed(t, name)
	}
	checks, err := restore.UndoPreflight(t.Context(), r.job, r.env, restore.UndoRequest{Database: r.live})
	if err != nil || len(checks) < 2 || !strings.Contains(checks[1].Detail, kept.Name(r.live, kept.Before, time.Unix(200, 0))) {
		t.Errorf("%+v, %v", checks, err)
	}
	r.wantLive(t, 2)
}
