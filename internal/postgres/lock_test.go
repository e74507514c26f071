package postgres

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"codeberg.org/pgbtui/pgbtui/test/pgtest"
)

// Where the lock table is large (10,000 tables to be dumped want that), a stranger can hold a hundred thousand
// advisory locks, the key's own among them. It must not be all that there are for tickets.
func TestAStrangerCannotHoldEveryTicketBeforehand(t *testing.T) {
	s := pgtest.StartWith(t, pgtest.Options{Settings: map[string]string{"max_locks_per_transaction": "2000"}})
	s.Exec(t, "postgres", "CREATE ROLE mallory LOGIN")
	config, err := pgx.ParseConfig(s.DSN("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	config.User = "mallory"
	mallory, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = mallory.Close(context.WithoutCancel(t.Context())) }()
	const many = 100_000
	var held int
	taking := `SELECT count(pg_advisory_lock($1::bigint + i))
		FROM generate_series(0, $2 - 1) AS i, (SELECT pg_advisory_lock($3)) AS k`
	row := mallory.QueryRow(t.Context(), taking, ticketPrefix("job")<<ticketRandomBits, many, lockID("job"))
	if err := row.Scan(&held); err != nil || held != many {
		t.Fatal(held, err)
	}
	if room := 1 << ticketRandomBits; room < 100*many {
		t.Errorf("there are %d tickets of a key: a stranger can hold them all", room)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // or it would look for a free one for ever
	defer cancel()
	lock, holder, err := connect(t, target(s, "postgres")).TryLock(ctx, "job")
	if lock == nil || lock.Stranger == nil || err != nil {
		t.Fatalf("%+v, held by %v: %v", lock, holder, err)
	}
}
