package restore

import (
	"context"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
)

// The new database before anything is in it.

func (r *restoring) create(ctx context.Context) error {
	if r.req.DataOnly {
		return nil
	}
	r.meter.Enter(backup.StageCreate, 0)
	settings := r.settings()
	if settings == nil {
		r.note("the set does not know the database's encoding, owner and settings: the server's defaults were used")
		settings = &postgres.Settings{ConnLimit: -1}
	}
	if err := r.makeOwner(ctx); err != nil {
		return err
	}
	settings.Closed = r.closed
	err := r.server.CreateDatabase(ctx, r.req.To, *settings)
	if err != nil && fault.CodeOf(err) != fault.Refused {
		r.created = r.existsAnyway(ctx)
		return err
	}
	r.created = err == nil
	if err != nil {
		return err
	}
	problems, err := r.server.ApplyParameters(ctx, r.req.To, *settings)
	r.refuse(problems)
	return err
}

// refuse keeps what of the settings the server did not take.
func (r *restoring) refuse(problems []string) {
	r.refused = append(r.refused, problems...)
	for _, p := range problems {
		r.note("a setting of the database was refused: " + p)
	}
}

// session is what the loading sessions have otherwise than the database will have.
func (r *restoring) session() []postgres.Parameter {
	settings := r.settings()
	if settings == nil || r.req.DataOnly { // into a database that is somebody's: its own settings hold
		return nil
	}
	return settings.Overrides()
}

// settings are the database's own as they were wished for, or nil when the set does not know them.
func (r *restoring) settings() *postgres.Settings {
	if r.contents == nil || r.contents.Database == nil {
		return nil
	}
	settings := *r.contents.Database
	if r.req.NoOwner {
		settings.Owner = ""
		settings.CustomACL = true
		settings.Grants = nil
	}
	if r.req.NoTablespaces {
		settings.Tablespace = ""
	}
	r.renameSettings(&settings)
	return &settings
}

// existsAnyway asks in a new session after a creation whose answer did not come: what is there
// must be named.
func (r *restoring) existsAnyway(ctx context.Context) bool {
	ctx, cancel := backup.Afterwards(ctx)
	defer cancel()
	s, err := postgres.Connect(ctx, r.target(maintenance), 0)
	if err != nil {
		return false
	}
	defer func() { _ = s.Close(ctx) }()
	exists, err := s.Exists(ctx, r.req.To)
	return err == nil && exists
}
