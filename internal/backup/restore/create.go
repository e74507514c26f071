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
		r.result.note("the set does not know the database's encoding, owner and settings: the server's defaults were used")
		settings = &postgres.Settings{ConnLimit: -1}
	}
	made, err := r.rights.makeOwner(ctx, r.target.server)
	if err != nil {
		return err
	}
	r.result.Globals = append(r.result.Globals, present(made)...)
	settings.Closed = r.rights.closed
	err = r.target.server.CreateDatabase(ctx, r.req.To, *settings)
	if err != nil && fault.CodeOf(err) != fault.Refused {
		r.result.created = r.target.exists(ctx, r.req.To)
		return err
	}
	r.result.created = err == nil
	if err != nil {
		return err
	}
	problems, err := r.target.server.ApplyParameters(ctx, r.req.To, *settings)
	r.result.refuse(problems)
	return err
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
	if r.source.contents == nil || r.source.contents.Database == nil {
		return nil
	}
	settings := *r.source.contents.Database
	if r.req.NoOwner {
		settings.Owner = ""
		settings.CustomACL = true
		settings.Grants = nil
	}
	if r.req.NoTablespaces {
		settings.Tablespace = ""
	}
	r.rights.renameSettings(&settings)
	return &settings
}
