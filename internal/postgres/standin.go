package postgres

import (
	"context"
	"fmt"
)

// StandIn creates roles that nothing is known of but their names, so that objects can be given
// to them. They can't log in.
func (s *Server) StandIn(ctx context.Context, roles []string) error {
	for _, role := range roles {
		if err := s.exec(ctx, "CREATE ROLE "+QuoteIdent(role)+" NOLOGIN"); err != nil {
			return classify("postgres: create role "+QuoteIdent(role), err)
		}
	}
	return nil
}

// DropOwn drops a database that the session's role owns, and ends its sessions; one that is not
// there or belongs to another role is left alone.
func (s *Server) DropOwn(ctx context.Context, name string) error {
	var own, template bool
	err := s.row(ctx, `SELECT count(*) > 0, coalesce(bool_or(datistemplate), false)
		FROM pg_database WHERE datname = $1 AND pg_get_userbyid(datdba) = current_user`, []any{name}, &own, &template)
	if err != nil || !own {
		return classify("postgres: look for database "+QuoteIdent(name), err)
	}
	if template {
		err = s.exec(ctx, fmt.Sprintf("ALTER DATABASE %s IS_TEMPLATE false", QuoteIdent(name)))
	}
	if err == nil {
		err = s.exec(ctx, fmt.Sprintf("DROP DATABASE %s WITH (FORCE)", QuoteIdent(name)))
	}
	return classify("postgres: drop database "+QuoteIdent(name), err)
}
