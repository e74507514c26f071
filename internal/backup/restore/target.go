package restore

import (
	"context"
	"log/slog"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/stored"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
)

// target is the server that is restored into: where it is, the session on its maintenance database, and what was
// found out about it.
type target struct {
	at        config.Postgres // of a drill's own server, as soon as that runs
	wait      time.Duration   // for a server that does not answer yet
	log       *slog.Logger
	noSecrets bool // whoever wrote the set may have the server in his hands: see postgres.Target

	server *postgres.Server
	place  postgres.Place
	facts  postgres.Facts
	tools  postgres.Tools
}

// database is how one database there is reached.
func (t *target) database(name string) postgres.Target {
	return postgres.Target{
		Host: t.at.Host, Port: t.at.Port, User: t.at.User, Database: name, NoSecrets: t.noSecrets,
		InEnglish: t.facts.MayHaveEnglish(),
	}
}

func (t *target) connect(ctx context.Context) (err error) {
	t.server, err = backup.WaitFor(ctx, t.log, t.database(maintenance), t.wait)
	return err
}

func (t *target) close(ctx context.Context) { closeAfter(ctx, t.server) }

// in does something in a session of one database.
func (t *target) in(ctx context.Context, database string, do func(*postgres.Server) error) error {
	s, err := backup.WaitFor(ctx, t.log, t.database(database), t.wait)
	if err != nil {
		return err
	}
	defer closeAfter(ctx, s)
	return do(s)
}

// closeAfter ends a session also when the run was ended.
func closeAfter(ctx context.Context, s *postgres.Server) {
	ctx, cancel := backup.Afterwards(ctx)
	defer cancel()
	_ = s.Close(ctx)
}

// exists asks in a new session after a creation whose answer did not come: what is there
// must be named.
func (t *target) exists(ctx context.Context, database string) bool {
	ctx, cancel := backup.Afterwards(ctx)
	defer cancel()
	s, err := postgres.Connect(ctx, t.database(maintenance), 0)
	if err != nil {
		return false
	}
	defer func() { _ = s.Close(ctx) }()
	exists, err := s.Exists(ctx, database)
	return err == nil && exists
}

// toolsFor are programs of the target's major version, or newer ones where the set was made by newer ones. Only where
// there are none of them is the set's own version taken, which works with some newer servers.
func (t *target) toolsFor(ctx context.Context, set *backup.Set) (postgres.Tools, error) {
	find := func(ctx context.Context, dir string, major int) (postgres.Tools, error) {
		tools, err := postgres.FindTools(ctx, dir, max(major, t.facts.Major()))
		if err != nil && ctx.Err() == nil && major < t.facts.Major() {
			return postgres.FindTools(ctx, dir, major)
		}
		return tools, err
	}
	return stored.Tools(ctx, t.at.BinDir, set, find)
}
