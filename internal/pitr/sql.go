package pitr

import (
	"context"
	"encoding/json"
	"fmt"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// SQL asks the server, as the owner of its files, for one value of JSON.
func (s Server) SQL(ctx context.Context, database, query string, into any) error {
	as, err := s.Owner()
	if err != nil {
		return err
	}
	out, err := Output(ctx, Command{
		Program: s.Program("psql"), As: as, Env: append(Environment(), s.LoginEnvironment(database)...),
		Args: []string{
			"--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1", "--no-password",
			"--command=" + query,
		},
		Failed: func(end *ExitError) error {
			return fault.New(fault.Unavailable, "pitr: ask the server of "+s.DataDirectory,
				"Start PostgreSQL, and let the owner of its files log in by the socket (`local all postgres peer`).", end)
		},
	})
	if err != nil {
		return err
	}
	if err := json.Unmarshal(out, into); err != nil {
		return fmt.Errorf("pitr: read the server's answer: %w", err)
	}
	return nil
}

// LoginEnvironment is what libpq needs to reach the server.
func (s Server) LoginEnvironment(database string) []string {
	env := []string{
		"PGCLIENTENCODING=UTF8", "PGCONNECT_TIMEOUT=10", "PGDATABASE=" + database, "PGAPPNAME=pgbtui",
		"PGOPTIONS=-c statement_timeout=30s",
	}
	if s.Host != "" {
		env = append(env, "PGHOST="+s.Host)
	}
	if s.Port != "" {
		env = append(env, "PGPORT="+s.Port)
	}
	return env
}
