package meter

import (
	"context"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup/repeat"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
)

// A program's work that moves no byte: pg_dump asks the catalogue for minutes before the first row of
// a database with many columns, pg_restore makes thousands of tables before it reads on.

// workEvery is how often the server is asked while no byte moves.
const workEvery = 5 * time.Second

// WatchWork counts work in the server as movement, until stop. Where the server cannot be asked,
// nothing is counted.
func (m *Meter) WatchWork(ctx context.Context, server *postgres.Server, database string) (stop func()) {
	activity, err := server.Follow(ctx, database)
	if err != nil {
		return func() {}
	}
	every := workEvery
	if m.stallAfter > 0 {
		every = min(every, m.stallAfter/4)
	}
	before := m.movement()
	end := repeat.Until(ctx, every, func(ctx context.Context) error {
		now := m.movement()
		if now != before {
			before = now
			m.tellDoing("")
			return nil
		}
		work, err := activity.Look(ctx)
		if err != nil {
			return nil //nolint:nilerr // not known: then only bytes count
		}
		m.tellDoing(work.Doing)
		if work.Works {
			m.worked.Add(1)
		}
		return nil
	}, func(error) {})
	return func() { end(); m.tellDoing("") }
}

func (m *Meter) tellDoing(what string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.doing = what
}
