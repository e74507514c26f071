package systemd

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// RoleSQL makes the role that the backups log in as: it reads everything, changes nothing, and
// sees every row. Its messages are in English, whatever language the server speaks: what pg_dump passes on of them is
// told apart by its words, and only a superuser may set that. Running it again changes nothing. pg_read_all_data exists
// from PostgreSQL 14 on (Predefined Roles, in PostgreSQL's documentation); before that the script ends with an error.
//
// Peer authentication over the socket needs no password and no mapping, since the system user
// of the units has the same name.
func RoleSQL() string {
	return `DO $$
BEGIN
    IF current_setting('server_version_num')::int < 140000 THEN
        RAISE EXCEPTION 'PostgreSQL 14 or newer is needed for pg_read_all_data'
            USING HINT = 'Grant SELECT on every table and sequence to a role pgbtui by hand.';
    END IF;
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'pgbtui') THEN
        CREATE ROLE pgbtui;
    END IF;
END
$$;
ALTER ROLE pgbtui LOGIN BYPASSRLS;
ALTER ROLE pgbtui SET default_transaction_read_only = on;
ALTER ROLE pgbtui SET lc_messages = 'C';
GRANT pg_read_all_data TO pgbtui;
`
}

// CreateRole runs RoleSQL as the system user postgres, over the socket. at are variables of libpq, for another server
// than the one of its defaults.
func CreateRole(ctx context.Context, at []string, report *Report) error {
	ctx, cancel := context.WithTimeout(ctx, programTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, "runuser", "-u", "postgres", "--",
		"psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--single-transaction", "--no-password",
		"--dbname=postgres", "--file=-")
	cmd.Dir = "/"
	cmd.Env = append(cmd.Environ(), at...)
	cmd.Stdin = strings.NewReader(RoleSQL())
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Run(); err != nil {
		return fault.New(fault.Unavailable, "systemd: create the database role",
			"Run the SQL that `pgbtui units install` prints, as a superuser of the server.",
			fmt.Errorf("%w: %s", err, strings.TrimSpace(stderr.String())))
	}
	report.add(Ran, "SQL for role pgbtui", "LOGIN, BYPASSRLS, pg_read_all_data, read only")
	return nil
}
