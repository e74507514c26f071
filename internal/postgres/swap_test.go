package postgres

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/test/pgtest"
)

// pair is two databases that know who they are, in table me.
type pair struct {
	s         *pgtest.Server
	live      string
	keep      string
	swap      Swap
	maintains Target
}

func newPair(t *testing.T, s *pgtest.Server, live string) *pair {
	t.Helper()
	p := &pair{s: s, live: live, keep: "kept_" + random(), maintains: target(s, "postgres")}
	with := "with_" + random()
	for _, name := range []string{live, with} {
		s.CreateDatabaseNamed(t, name)
		s.Exec(t, name, "CREATE TABLE me AS SELECT current_database()::text AS name")
	}
	t.Cleanup(func() { s.DropDatabase(t, p.keep) })
	c := connect(t, p.maintains)
	p.swap = Swap{Live: lookAt(t, c, live), With: lookAt(t, c, with), Keep: p.keep}
	return p
}

func lookAt(t *testing.T, c *Server, name string) Database {
	t.Helper()
	d, ok, err := c.Database(t.Context(), name)
	if err != nil || !ok {
		t.Fatalf("%v, %v", ok, err)
	}
	return d
}

// want asserts the state, whole: names, who is behind them, and that both take connections.
func (p *pair) want(t *testing.T, swapped bool) {
	t.Helper()
	for name, was := range map[string]string{p.swap.Live.Name: p.swap.With.Name, p.keep: p.swap.Live.Name} {
		if !swapped && name == p.keep {
			name, was = p.swap.With.Name, p.swap.With.Name
		} else if !swapped {
			was = p.swap.Live.Name
		}
		if got := p.s.QueryString(t, name, "SELECT name FROM me"); got != was {
			t.Errorf("%q is what was %q, want %q", name, got, was)
		}
	}
}

// connected opens a session in the live database that does not go by itself.
func (p *pair) connected(t *testing.T) {
	t.Helper()
	config, err := pgx.ParseConfig(p.s.DSN("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	config.Database, config.RuntimeParams["application_name"] = p.live, "shop frontend"
	c, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close(context.Background()) })
}

func TestTwoDatabasesChangePlaces(t *testing.T) {
	s := pgtest.Shared(t)
	for _, live := range []string{"plain_" + random(), hostileNames[3], hostileNames[10]} {
		t.Run(live, func(t *testing.T) {
			p := newPair(t, s, live)
			ended, err := connect(t, p.maintains).Swap(t.Context(), p.swap)
			if err != nil || len(ended) > 0 {
				t.Fatal(ended, err)
			}
			p.want(t, true)
		})
	}
}

func TestNobodyIsDisconnectedWithoutBeingAskedFor(t *testing.T) {
	p := newPair(t, pgtest.Shared(t), "busy_"+random())
	p.connected(t)
	_, err := connect(t, p.maintains).Swap(t.Context(), p.swap)
	wantCode(t, err, fault.Refused)
	if !strings.Contains(fault.Remedy(err), "--terminate") {
		t.Error(fault.Remedy(err))
	}
	p.want(t, false)
	there, err := connect(t, p.maintains).Connections(t.Context(), p.swap.Live.OID)
	if err != nil || len(there) != 1 || there[0].Application != "shop frontend" || there[0].Client != "local" || there[0].Since.IsZero() {
		t.Errorf("%+v, %v", there, err)
	}
}

func TestConnectionsAreEndedOnlyBehindALockedDoor(t *testing.T) {
	p := newPair(t, pgtest.Shared(t), "busy_"+random())
	p.connected(t)
	p.connected(t)
	// Somebody who comes back at once, again and again, as applications do.
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			_ = p.s.TryExec(p.live, "SELECT pg_sleep(0.01)")
		}
	}()
	p.swap.Terminate = true
	ended, err := connect(t, p.maintains).Swap(t.Context(), p.swap)
	cancel()
	<-done
	if err != nil || len(ended) < 2 {
		t.Fatal(ended, err)
	}
	p.want(t, true)
}

func TestASwapThatIsCancelledBeforeItsCommitLeavesTheOldStateAndAfterItTheNewOne(t *testing.T) {
	p := newPair(t, pgtest.Shared(t), "live_"+random())
	for _, step := range []SwapStep{SwapBegun, SwapKept, SwapRenamed, SwapCommitted} {
		t.Run(string(step), func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			p.swap.Step = func(at SwapStep) {
				if at == step {
					cancel(fault.New(fault.Terminated, "stopped", "", nil))
				}
			}
			_, err := connect(t, p.maintains).Swap(ctx, p.swap)
			if step == SwapCommitted {
				wantCode(t, err, fault.OK)
			} else {
				wantCode(t, err, fault.Terminated)
			}
			p.want(t, step == SwapCommitted)
		})
	}
}

func TestASessionThatBreaksInMidSwapLeavesTheOldState(t *testing.T) {
	p := newPair(t, pgtest.Shared(t), "live_"+random())
	p.swap.Step = func(at SwapStep) {
		if at == SwapRenamed {
			p.s.Exec(t, "postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'postgres' AND state = 'idle in transaction' AND query LIKE '%"+p.swap.With.Name+"%'")
		}
	}
	_, err := connect(t, p.maintains).Swap(t.Context(), p.swap)
	wantCode(t, err, fault.Unavailable)
	p.want(t, false)
}

func TestADatabaseThatWasReplacedMeanwhileIsNotSwapped(t *testing.T) {
	p := newPair(t, pgtest.Shared(t), "live_"+random())
	p.s.DropDatabase(t, p.live)
	p.s.CreateDatabaseNamed(t, p.live)
	p.s.Exec(t, p.live, "CREATE TABLE me AS SELECT current_database()::text AS name")
	_, err := connect(t, p.maintains).Swap(t.Context(), p.swap)
	wantCode(t, err, fault.Refused)
	p.want(t, false)
	p.s.CreateDatabaseNamed(t, p.keep) // a kept one of that name
	p.swap.Live = lookAt(t, connect(t, p.maintains), p.live)
	_, err = connect(t, p.maintains).Swap(t.Context(), p.swap)
	wantCode(t, err, fault.Refused)
	p.want(t, false)
}

func TestALostAnswerToTheCommitIsAskedFor(t *testing.T) {
	p := newPair(t, pgtest.Shared(t), "live_"+random())
	for _, arrives := range []bool{false, true} {
		c := connect(t, Target{Host: loseCommit(t, p.s, arrives), Port: p.s.Port, User: p.s.User, Database: "postgres"})
		_, err := c.Swap(t.Context(), p.swap)
		if arrives != (err == nil) || errors.Is(err, ErrSwapUnknown) {
			t.Errorf("arrives %v: %v", arrives, err)
		}
		p.want(t, arrives)
	}
}

func TestACommitThatNobodyCanBeAskedAboutIsSaidToBeUnknown(t *testing.T) {
	p := newPair(t, pgtest.Shared(t), "live_"+random())
	dir := loseCommit(t, p.s, true)
	p.swap.Step = func(at SwapStep) {
		if at == SwapRenamed {
			_ = os.Remove(filepath.Join(dir, ".s.PGSQL."+p.s.Port))
		}
	}
	p.swap.Wait = 2 * time.Second
	_, err := connect(t, Target{Host: dir, Port: p.s.Port, User: p.s.User, Database: "postgres"}).Swap(t.Context(), p.swap)
	if !errors.Is(err, ErrSwapUnknown) || !strings.Contains(fault.Remedy(err), p.keep) {
		t.Error(err, fault.Remedy(err))
	}
	wantCode(t, err, fault.Unavailable)
	p.want(t, true)
}

// loseCommit is a folder with a socket that leads to the server; the first session that commits
// loses its connection with that, once the server has answered or before it is sent.
func loseCommit(t *testing.T, s *pgtest.Server, deliver bool) (dir string) {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "way") //nolint:usetesting // a socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	name := ".s.PGSQL." + s.Port
	listener, err := net.Listen("unix", filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go relay(client, filepath.Join(s.Host, name), deliver)
		}
	}()
	return dir
}

func relay(client net.Conn, to string, deliver bool) {
	defer client.Close()
	server, err := net.Dial("unix", to)
	if err != nil {
		return
	}
	defer server.Close()
	answers := make(chan []byte)
	go func() {
		defer close(answers)
		for {
			b := make([]byte, 64<<10)
			n, err := server.Read(b)
			if err != nil {
				return
			}
			answers <- b[:n]
		}
	}()
	requests := make(chan []byte)
	go func() {
		defer close(requests)
		for {
			b := make([]byte, 64<<10)
			n, err := client.Read(b)
			if err != nil {
				return
			}
			requests <- b[:n]
		}
	}()
	for {
		select {
		case b, ok := <-answers:
			if !ok {
				return
			}
			if _, err := client.Write(b); err != nil {
				return
			}
		case b, ok := <-requests:
			commits := bytes.Contains(b, []byte("COMMIT\x00"))
			if !ok || (commits && !deliver) {
				return
			}
			if _, err := server.Write(b); err != nil {
				return
			}
			if commits {
				<-answers
				return
			}
		}
	}
}

func TestWhatHoldsADatabaseIsFound(t *testing.T) {
	s := pgtest.StartWith(t, pgtest.Options{Settings: map[string]string{"max_prepared_transactions": "2", "wal_level": "logical"}})
	p := newPair(t, s, "held_"+random())
	c := connect(t, p.maintains)
	if ties, err := c.Ties(t.Context(), p.swap.Live.OID); err != nil || len(ties.Prepared)+len(ties.Slots)+len(ties.Subscriptions) > 0 || ties.Backup != nil {
		t.Fatalf("%+v, %v", ties, err)
	}
	s.Exec(t, p.live, "SELECT pg_create_logical_replication_slot('slot_1', 'pgoutput')")
	s.Exec(t, p.live, "BEGIN; CREATE TABLE two (a int); PREPARE TRANSACTION 'gid 1'")
	s.Exec(t, p.live, "CREATE SUBSCRIPTION sub_1 CONNECTION 'host=/nowhere' PUBLICATION p WITH (connect = false)")
	if lock, _, err := connect(t, target(s, p.live)).TryLock(t.Context(), "db1/shop"); lock == nil || err != nil {
		t.Fatal(err)
	}
	ties, err := c.Ties(t.Context(), p.swap.Live.OID)
	if err != nil || len(ties.Prepared) != 1 || ties.Prepared[0] != "gid 1" || len(ties.Slots) != 1 || len(ties.Subscriptions) != 0 || ties.Backup == nil {
		t.Errorf("%+v, %v", ties, err)
	}
	s.Exec(t, "postgres", "UPDATE pg_subscription SET subenabled = true")
	if ties, err = c.Ties(t.Context(), p.swap.Live.OID); err != nil || len(ties.Subscriptions) != 1 {
		t.Errorf("%+v, %v", ties, err)
	}
	s.Exec(t, p.live, "ROLLBACK PREPARED 'gid 1'")
	s.Exec(t, p.live, "ALTER SUBSCRIPTION sub_1 DISABLE; ALTER SUBSCRIPTION sub_1 SET (slot_name = NONE); DROP SUBSCRIPTION sub_1")
	s.Exec(t, p.live, "SELECT pg_drop_replication_slot('slot_1')")
}

func TestEveryMajorSwaps(t *testing.T) {
	servers(t, func(t *testing.T, s *pgtest.Server) {
		p := newPair(t, s, "live_"+random())
		p.connected(t)
		p.swap.Terminate = true
		ended, err := connect(t, p.maintains).Swap(t.Context(), p.swap)
		if err != nil || len(ended) != 1 {
			t.Fatal(ended, err)
		}
		p.want(t, true)
		if _, err := connect(t, p.maintains).Ties(t.Context(), p.swap.Live.OID); err != nil {
			t.Error(err)
		}
	})
}
