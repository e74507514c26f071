package restore

import (
	"context"
	"io"
	"slices"

	"codeberg.org/pgbtui/pgbtui/internal/postgres"
	"codeberg.org/pgbtui/pgbtui/internal/postgres/archive"
)

// ownership is whose the copy will be: each role of the dump under its name here, or everything one role's.
type ownership struct {
	roles  map[string]string // Request.Roles
	closed bool              // the new database is for superusers only until all is in it

	owner      string // of everything that comes without its owners; "": the restoring role
	ownerThere bool
}

// role is the name that a role of the dump has here.
func (o *ownership) role(name string) string {
	if renamed, ok := o.roles[name]; ok {
		return renamed
	}
	return name
}

// ownerless are the kinds of entries that stay a superuser's: PostgreSQL gives them to nobody else. None of
// them runs with its owner's rights.
var ownerless = []string{"EVENT TRIGGER", "FOREIGN DATA WRAPPER", "PUBLICATION", "SUBSCRIPTION"}

// ownerOf is who gets an entry of the archive.
func (o *ownership) ownerOf(desc, owner string) string {
	switch {
	case o.owner == "" || owner == "":
		return o.role(owner)
	case slices.Contains(ownerless, desc):
		return ""
	}
	return o.owner
}

// renamed is the archive with the roles of the mapping, and with the one that owns what comes without its
// owners; itself without either.
func (o *ownership) renamed(dump io.Reader) io.Reader {
	if len(o.roles) == 0 && o.owner == "" {
		return dump
	}
	return archive.EditHead(dump, archive.Edit{
		Owner: o.ownerOf,
		Definition: func(_ int, desc, sql string) (string, error) {
			if !postgres.NamesRoles(desc) {
				return sql, nil
			}
			return postgres.RenameRoles(desc, sql, o.role)
		},
	})
}

// renameSettings maps the roles of the database's own settings.
func (o *ownership) renameSettings(s *postgres.Settings) {
	s.Owner = o.role(s.Owner)
	s.Grants = slices.Clone(s.Grants)
	for i := range s.Grants {
		s.Grants[i].Role = o.role(s.Grants[i].Role)
	}
	s.Parameters = slices.Clone(s.Parameters)
	for i := range s.Parameters {
		s.Parameters[i].Role = o.role(s.Parameters[i].Role)
	}
}

// makeOwner creates the role that is to own everything. made is its name, "" where nothing was to be done.
func (o *ownership) makeOwner(ctx context.Context, server *postgres.Server) (made string, err error) {
	if o.owner == "" || o.ownerThere {
		return "", nil
	}
	if err := server.CreateNobody(ctx); err != nil {
		return "", err
	}
	o.ownerThere = true
	return o.owner, nil
}
