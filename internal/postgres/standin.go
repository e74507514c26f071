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
		err = s.detach(ctx, name)
	}
	if err == nil {
		err = s.exec(ctx, fmt.Sprintf("DROP DATABASE %s WITH (FORCE)", QuoteIdent(name)))
	}
	return classify("postgres: drop database "+QuoteIdent(name), err)
}

// detach drops the subscriptions of a database, which keep it from being dropped. Their slots are the publisher's, and
// may still be those of the database that this one is a copy of: nothing is asked of them.
func (s *Server) detach(ctx context.Context, database string) error {
	names, err := s.names(ctx,
		`SELECT subname FROM pg_subscription WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = $1)`, database)
	if err != nil || len(names) == 0 {
		return err
	}
	inside := s.target
	inside.Database = database
	there, err := Connect(ctx, inside, 0)
	if err != nil {
		return err
	}
	defer func() { _ = there.Close(context.WithoutCancel(ctx)) }()
	for _, name := range names {
		for _, statement := range []string{
			"ALTER SUBSCRIPTION %s DISABLE", "ALTER SUBSCRIPTION %s SET (slot_name = NONE)", "DROP SUBSCRIPTION %s",
		} {
			if err := there.exec(ctx, fmt.Sprintf(statement, QuoteIdent(name))); err != nil {
				return err
			}
		}
	}
	return nil
}
