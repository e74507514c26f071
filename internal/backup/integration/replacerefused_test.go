package integration

import (
	"context"
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
)

func TestNothingIsReplacedWithoutItsNameTyped(t *testing.T) {
	r := newReplaced(t, "typed_"+backup.NewID(time.Now())[17:])
	for _, typed := range []string{"", strings.ToUpper(r.live), r.live + " ", r.live[:5]} {
		req := r.request()
		req.Confirm = typed
		_, err := r.restore(t.Context(), req)
		wantCode(t, err, fault.Refused)
		if !strings.Contains(err.Error(), "not confirmed") || !strings.Contains(err.Error(), "is as it was") {
			t.Error(err)
		}
		_, err = restore.Undo(t.Context(), r.job, r.env, restore.UndoRequest{Database: r.live, Confirm: typed})
		wantCode(t, err, fault.Refused)
		if !strings.Contains(err.Error(), "not confirmed") {
			t.Error(err)
		}
	}
	_, err := r.restore(t.Context(), restore.Request{To: r.live})
	wantCode(t, err, fault.Refused)
	if !strings.Contains(fault.Remedy(err), "--replace") {
		t.Error(fault.Remedy(err))
	}
	r.wantLive(t, 2)
	r.wantBeside(t)
}

func TestAPreflightOfAReplacementNamesWhatStandsInItsWay(t *testing.T) {
	r := newReplaced(t, "used_"+backup.NewID(time.Now())[17:])
	r.pg.Exec(t, r.live, `ALTER DATABASE "`+r.live+`" SET work_mem = '5MB'; COMMENT ON DATABASE "`+r.live+`" IS 'live'`)
	if c := r.check(t, r.set, r.request(), "target"); !c.OK || c.Warn || !strings.Contains(c.Detail, r.live) || !strings.Contains(c.Detail, "MiB") || !strings.Contains(c.Detail, r.pg.Port) {
		t.Errorf("%+v", c)
	}
	if c := r.check(t, r.set, r.request(), "settings"); !c.OK || !c.Warn || !strings.Contains(c.Detail, "parameter work_mem is no longer set") || !strings.Contains(c.Detail, `comment "live" becomes ""`) || strings.Contains(c.Detail, "5MB") {
		t.Errorf("%+v", c)
	}
	r.deserted(t)
	if c := r.check(t, r.set, r.request(), "connections"); !c.OK || c.Warn {
		t.Errorf("%+v", c)
	}
	r.connected(t)
	c := r.check(t, r.set, r.request(), "connections")
	if c.OK || !strings.Contains(c.Detail, `role "postgres", "shop frontend", local, since 20`) || !strings.Contains(c.Remedy, "--terminate") {
		t.Errorf("%+v", c)
	}
	ending := r.request()
	ending.Terminate = true
	if c := r.check(t, r.set, ending, "connections"); !c.OK || !c.Warn || !strings.Contains(c.Detail, "will be ended") {
		t.Errorf("%+v", c)
	}
	_, err := r.restore(t.Context(), r.request())
	wantCode(t, err, fault.Refused)
	r.wantBeside(t) // found before anything was restored
	for name, part := range map[string]string{"postgres": "the server's own", "template1": "the server's own", "no_such_database": "there is no database"} {
		if c := r.check(t, r.set, restore.Request{Replace: name, Confirm: name}, "target"); c.OK || !strings.Contains(c.Detail, part) {
			t.Errorf("%+v", c)
		}
	}
	other := r.pg.CreateDatabase(t)
	if c := r.check(t, r.set, restore.Request{Replace: other, Confirm: other}, "target"); !c.OK || !c.Warn || !strings.Contains(c.Detail, "the set is of database") {
		t.Errorf("%+v", c)
	}
}

func TestADatabaseThatIsBeingBackedUpIsNotReplaced(t *testing.T) {
	r := newReplaced(t, "backed_"+backup.NewID(time.Now())[17:])
	s, err := postgres.Connect(t.Context(), postgres.Target{Host: r.pg.Host, Port: r.pg.Port, User: r.pg.User, Database: r.live}, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close(context.Background())
	if lock, _, err := s.TryLock(t.Context(), "another instance/"+r.live); err != nil || lock == nil {
		t.Fatal(err)
	}
	req := r.request()
	req.Terminate = true
	_, err = r.restore(t.Context(), req)
	wantCode(t, err, fault.Temporary)
	if !strings.Contains(err.Error(), "a backup of") {
		t.Error(err)
	}
	r.wantLive(t, 2)
}

func TestAStrangerKeepsNobodyFromReplacingByALockOrAName(t *testing.T) {
	r := newReplaced(t, "blocked_"+backup.NewID(time.Now())[17:])
	holdAs(t, stranger(t, r.pg, "postgres"), "replace/"+r.live)
	holdAs(t, stranger(t, r.pg, r.live), "another instance/"+r.live) // as a backup has it, under its name
	req := r.request()
	req.Terminate = true
	if _, err := r.restore(t.Context(), req); err != nil {
		t.Fatal(err)
	}
}

func TestTwoOperatorsDoNotReplaceOneDatabase(t *testing.T) {
	r := newReplaced(t, "both_"+backup.NewID(time.Now())[17:])
	s, err := postgres.Connect(t.Context(), postgres.Target{Host: r.pg.Host, Port: r.pg.Port, User: r.pg.User, Database: "postgres"}, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close(context.Background())
	if lock, _, err := s.TryLock(t.Context(), "replace/"+r.live); err != nil || lock == nil {
		t.Fatal(err)
	}
	restored := make(chan error)
	go func() {
		_, err := r.restore(t.Context(), r.request())
		restored <- err
	}()
	_, err = restore.Undo(t.Context(), r.job, r.env, restore.UndoRequest{Database: r.live, Confirm: r.live})
	wantCode(t, err, fault.Temporary)
	wantCode(t, <-restored, fault.Temporary)
}
