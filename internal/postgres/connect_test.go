package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/test/pgtest"
)

func TestConnectRefusesNamesThatTheServerWouldCut(t *testing.T) {
	s := pgtest.Shared(t)
	for _, name := range []string{strings.Repeat("x", 64), "a\x00b"} {
		_, err := Connect(t.Context(), target(s, name), 0)
		wantCode(t, err, fault.Usage)
	}
}

func TestConnectRefusesAServiceThatCouldNameAnotherDatabase(t *testing.T) {
	t.Setenv("PGSERVICE", "other")
	_, err := Connect(t.Context(), Target{Database: "x"}, 0)
	wantCode(t, err, fault.Config)
	_, err = Tools{Dir: "/nowhere"}.Dump(t.Context(), Target{Database: "x"}, DumpOptions{})
	wantCode(t, err, fault.Config)
}

func TestConnectClassifiesRefusals(t *testing.T) {
	s := pgtest.StartWith(t, pgtest.Options{HBA: "local all refused reject\nlocal all password md5\nlocal all all trust\n"})
	s.Exec(t, "postgres", "CREATE ROLE refused LOGIN; CREATE ROLE password LOGIN PASSWORD 'right'; CREATE ROLE nologin; CREATE ROLE plain LOGIN")
	s.CreateDatabaseNamed(t, "closed")
	s.Exec(t, "postgres", "REVOKE CONNECT ON DATABASE closed FROM PUBLIC")
	t.Setenv("PGPASSWORD", "wrong")
	for _, c := range []struct {
		user, db string
		code     fault.Code
	}{
		{"postgres", "missing", fault.NotFound},
		{"refused", "postgres", fault.NotPermitted},
		{"password", "postgres", fault.NotPermitted},
		{"nologin", "postgres", fault.NotPermitted},
		{"nobody at all", "postgres", fault.NotPermitted},
		{"plain", "closed", fault.NotPermitted},
	} {
		to := Target{Host: s.Host, Port: s.Port, User: c.user, Database: c.db}
		_, err := Connect(t.Context(), to, time.Hour) // a refusal must not be waited for
		wantCode(t, err, c.code)
		if fault.Remedy(err) == "" {
			t.Errorf("no remedy: %v", err)
		}
		_, err = tryDump(t, tools(t, s), to, DumpOptions{})
		wantCode(t, err, c.code)
	}
}

func TestWhoWaitsForAServerIsToldAtOnceAndAgain(t *testing.T) {
	for every, once := range map[time.Duration]bool{time.Hour: true, time.Nanosecond: false} {
		var told []string
		_, err := ConnectTelling(t.Context(), Target{Host: t.TempDir(), Database: "x"}, Waiting{
			Most: time.Second, Every: every, Tell: func(why error) { told = append(told, why.Error()) },
		})
		wantCode(t, err, fault.Unavailable)
		if len(told) == 0 || (len(told) == 1) != once || !strings.Contains(told[0], "no such file") {
			t.Errorf("every %s: told %q", every, told)
		}
	}
}

func TestConnectSaysUnavailableWhenNobodyListens(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := fmt.Sprint(l.Addr().(*net.TCPAddr).Port)
	l.Close()
	for _, to := range []Target{
		{Host: t.TempDir(), Database: "x"},
		{Host: "127.0.0.1", Port: port, Database: "x"},
		{Host: "does-not-exist.invalid", Database: "x"},
	} {
		_, err := Connect(t.Context(), to, time.Second)
		wantCode(t, err, fault.Unavailable)
		if strings.ContainsAny(err.Error(), "\n\t") {
			t.Errorf("more than one line: %q", err)
		}
	}
}

func TestConnectWaitsForAServerThatStarts(t *testing.T) {
	s := pgtest.Start(t)
	s.Stop(t)
	connected := make(chan error, 1)
	go func() {
		c, err := Connect(t.Context(), target(s, "postgres"), time.Minute)
		if err == nil {
			err = c.Close(context.Background())
		}
		connected <- err
	}()
	s.Run(t)
	if err := <-connected; err != nil {
		t.Fatal(err)
	}
}

func TestConnectStopsWaitingWhenCancelled(t *testing.T) {
	why := errors.New("told to stop")
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(100*time.Millisecond, func() { cancel(why) })
	_, err := Connect(ctx, Target{Host: t.TempDir(), Database: "x"}, time.Hour)
	if !errors.Is(err, why) {
		t.Fatalf("err = %v", err)
	}
}

func TestConnectSaysTemporaryWhenSlotsAreTaken(t *testing.T) {
	s := pgtest.StartWith(t, pgtest.Options{Settings: map[string]string{"max_connections": "5", "superuser_reserved_connections": "0", "max_wal_senders": "0"}})
	for range 5 {
		connect(t, target(s, "postgres"))
	}
	_, err := Connect(t.Context(), target(s, "postgres"), 0)
	wantCode(t, err, fault.Temporary)
}

func TestSessionIgnoresHostileDatabaseSettings(t *testing.T) {
	s := pgtest.Shared(t)
	db := s.CreateDatabase(t)
	s.Exec(t, db, `CREATE SCHEMA evil; CREATE FUNCTION evil.current_database() RETURNS name LANGUAGE sql AS $$SELECT 'evil'::name$$`)
	s.Exec(t, db, "ALTER DATABASE "+db+" SET search_path = evil, pg_catalog; ALTER DATABASE "+db+" SET statement_timeout = 1000; ALTER DATABASE "+db+" SET idle_session_timeout = '1min'")
	c := connect(t, target(s, db))
	f, err := c.Facts(t.Context())
	if err != nil || f.Database != db {
		t.Fatalf("database %q: %v", f.Database, err)
	}
	var idle string
	if err := c.row(t.Context(), "SELECT current_setting('idle_session_timeout')", nil, &idle); err != nil || idle != "0" {
		t.Errorf("a lock would be lost after %q: %v", idle, err)
	}
}

func TestALostSessionIsNoticed(t *testing.T) {
	s := pgtest.Shared(t)
	db := s.CreateDatabase(t)
	c := connect(t, target(s, db))
	if err := c.Alive(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.QueryInt(t, "postgres", "SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity WHERE datname = $1", db)
	wantCode(t, c.Alive(t.Context()), fault.Unavailable)
	wantCode(t, c.Alive(t.Context()), fault.Unavailable) // and stays so
}

func TestOneSessionHoldsALock(t *testing.T) {
	s := pgtest.Shared(t)
	db := s.CreateDatabase(t)
	reader := role(t, s, "")
	s.Exec(t, "postgres", "ALTER ROLE "+reader+" SET default_transaction_read_only = on")
	to := target(s, db)
	to.User = reader
	first, second := connect(t, to), connect(t, to)

	lock, _, err := first.TryLock(t.Context(), "job")
	if err != nil || lock == nil || lock.Stranger != nil || len(lock.Rivals) > 0 {
		t.Fatalf("first lock: %+v, %v", lock, err)
	}
	for _, c := range []*Server{first, second} {
		again, holder, err := c.TryLock(t.Context(), "job")
		if again != nil || holder == nil || holder.PID != int32(first.conn.PgConn().PID()) || err != nil {
			t.Fatalf("lock given twice: %+v, %v", holder, err)
		}
	}
	if other, _, err := second.TryLock(t.Context(), "another job"); other == nil || err != nil {
		t.Fatalf("another key is held: %v", err)
	}
	if err := lock.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	if lock, _, _ = second.TryLock(t.Context(), "job"); lock == nil {
		t.Fatal("a released lock is held")
	}
	if n := s.QueryInt(t, db, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = $1", first.conn.PgConn().PID()); n != 0 {
		t.Errorf("%d locks are left after the release", n)
	}
}

func TestChildrenGetNoSecretsOfOtherParts(t *testing.T) {
	base := []string{
		"PATH=/bin", "HOME=/h", "PGPASSWORD=p", "PGSSLMODE=require", "PGDATABASE=old", "PGCLIENTENCODING=LATIN1", "LANG=de_DE",
		"AWS_SECRET_ACCESS_KEY=s", "SLACK_WEBHOOK_URL=s", "NOTIFY_SOCKET=s", "CREDENTIALS_DIRECTORY=s", "PGBTUI_SECRET=s", "LC_ALL=de_DE", "WATCHDOG_USEC=1",
	}
	got := Target{Host: "h", Port: "1", User: "u", Database: "d=e"}.Env(base)
	want := []string{
		"HOME=/h", "LANG=C", "LC_MESSAGES=C", "PATH=/bin", "PGAPPNAME=pgbtui", "PGDATABASE=d=e", "PGHOST=h",
		"PGPASSWORD=p", "PGPORT=1", "PGSSLMODE=require", "PGUSER=u",
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
