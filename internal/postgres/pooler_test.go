package postgres

import (
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/test/pgtest"
)

func TestASessionThatAPoolerSharesIsRefusedBeforeAnythingIsSetInIt(t *testing.T) {
	s := pgtest.Start(t)
	for _, mode := range []string{"transaction", "statement"} {
		t.Run(mode, func(t *testing.T) {
			pooler := s.Pooler(t, mode)
			_, err := Connect(t.Context(), target(pooler, "postgres"), 0)
			wantCode(t, err, fault.Config)
			if !strings.Contains(fault.Remedy(err), "pool_mode = session") || !strings.Contains(fault.Remedy(err), "PostgreSQL itself") {
				t.Errorf("remedy %q", fault.Remedy(err))
			}
			// Others get the sessions that we had: with our search path they would find nothing.
			if path := pooler.QueryString(t, "postgres", "SHOW search_path"); path != `"$user", public` {
				t.Errorf("a session of the pool was left with search_path %q", path)
			}
		})
	}
}

func TestAPoolerThatKeepsSessionsIsAsGoodAsTheServer(t *testing.T) {
	s := pgtest.Start(t)
	pooler := s.Pooler(t, "session")
	c := connect(t, target(pooler, "postgres"))
	lock, _, err := c.TryLock(t.Context(), "job")
	if err != nil || lock == nil {
		t.Fatal(err)
	}
	if again, holder, err := connect(t, target(s, "postgres")).TryLock(t.Context(), "job"); again != nil || holder == nil || err != nil {
		t.Errorf("a lock through the pooler does not hold: %+v, %v", holder, err)
	}
}
