package postgres

import (
	"bytes"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/test/pgtest"
)

// Tests against every server major of this machine (see servers). Only servers: the client
// programs are the packaged ones.

func TestEveryMajorIsDumpedOrRefusedForItsAge(t *testing.T) {
	servers(t, func(t *testing.T, s *pgtest.Server) {
		db := s.CreateDatabase(t)
		s.Exec(t, db, content)
		f, err := connect(t, target(s, db)).Facts(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		clients := tools(t, pgtest.Shared(t))
		archive, err := tryDump(t, clients, target(s, db), DumpOptions{})
		if f.Major() > clients.Major {
			wantCode(t, err, fault.Refused)
			_, err = FindTools(t.Context(), clients.Dir, f.Major())
			wantCode(t, err, fault.Refused)
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		copied := s.CreateDatabase(t)
		if err := clients.Restore(t.Context(), target(s, copied), RestoreOptions{}, bytes.NewReader(archive)); err != nil {
			t.Fatal(err)
		}
		wantContent(t, s, copied)
	})
}

func TestEveryMajorTakesGlobalsOfThePackagedOne(t *testing.T) {
	from := pgtest.Start(t)
	from.Exec(t, "postgres", roles)
	script := globals(t, from, true)
	servers(t, func(t *testing.T, s *pgtest.Server) {
		if s == pgtest.Shared(t) {
			return // has its own test, on a server of its own
		}
		report, err := ApplyGlobals(t.Context(), connect(t, target(s, "postgres")), strings.NewReader(script))
		if err != nil || len(report.CreatedRoles) != 4 || report.Memberships != 2 || len(report.Ignored) > 0 {
			t.Errorf("%+v, %v", report, err)
		}
	})
}

func TestEveryMajorLocksAndWaits(t *testing.T) {
	servers(t, func(t *testing.T, s *pgtest.Server) {
		c := connect(t, target(s, "postgres"))
		lock, _, err := c.TryLock(t.Context(), "x")
		if err != nil || lock == nil {
			t.Fatal(err)
		}
		if err := lock.Release(t.Context()); err != nil {
			t.Error(err)
		}
		var idle string
		if err := c.row(t.Context(), "SELECT setting FROM pg_settings WHERE name = 'idle_in_transaction_session_timeout'", nil, &idle); err != nil || idle != "0" {
			t.Errorf("%q, %v", idle, err)
		}
	})
}
