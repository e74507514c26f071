package restore

import (
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/postgres"
)

func TestWhatHoldsALiveDatabaseIsToldByWhatPostgreSQLDoesAboutIt(t *testing.T) {
	live := postgres.Database{OID: 1, Name: "shop"}
	checks := checkTies(live, postgres.Ties{Prepared: []string{"gid 1"}, Slots: []string{"slot_1"}, Subscriptions: []string{"sub_1"}})
	for i, want := range []struct {
		ok                bool
		name, part, mends string
	}{
		{false, "prepared", `"gid 1"`, "ROLLBACK PREPARED"},
		{true, "replication", `"slot_1"`, "pg_drop_replication_slot"},
		{true, "replication", `"sub_1"`, "DISABLE"},
	} {
		c := checks[i]
		if c.OK != want.ok || c.Warn != want.ok || c.Name != want.name || !strings.Contains(c.Detail, want.part) || !strings.Contains(c.Remedy, want.mends) {
			t.Errorf("%+v", c)
		}
	}
	since := time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)
	many := []postgres.Connection{{PID: 7, Kind: "pg_cron launcher", Since: since}, {PID: 8, User: "app", Application: "till\x1b", Client: "10.0.0.7", Kind: "client backend", Since: since}}
	for range 6 {
		many = append(many, postgres.Connection{PID: 9, User: "app", Client: "local", Kind: "client backend", Since: since})
	}
	c := checkConnections(live, many, false)
	for _, part := range []string{
		`8 to "shop": pid 7 (pg_cron launcher, since 2026-11-22T02:00:00Z); pid 8 (role "app", "till\x1b", 10.0.0.7, since 2026-11-22T02:00:00Z); `, "; and 3 more",
	} {
		if c.OK || !strings.Contains(c.Detail, part) {
			t.Errorf("%s lacks %s", c.Detail, part)
		}
	}
}
