package postgres

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// Survey is a server as it looks to somebody who sets backups up: nothing of ours is there yet, not even a role.
type Survey struct {
	Version    string             `json:"version"` // "15.18"
	VersionNum int                `json:"versionNum"`
	Role       string             `json:"role"`
	Superuser  bool               `json:"superuser"`
	Standby    bool               `json:"standby"`
	OwnRole    bool               `json:"ownRole"`   // the role that backups log in as is there
	Databases  []SurveyedDatabase `json:"databases"` // those that can be backed up, by name
}

// SurveyedDatabase is one of them.
type SurveyedDatabase struct {
	Name  string `json:"name"`
	Bytes int64  `json:"bytes"`
}

// Major is the version that client programs are chosen by.
func (s Survey) Major() int { return s.VersionNum / 10000 }

// surveySQL answers in one value, so that psql can ask as well as we.
const surveySQL = `SELECT pg_catalog.json_build_object(
	'version', pg_catalog.current_setting('server_version'),
	'versionNum', pg_catalog.current_setting('server_version_num')::int,
	'role', current_user,
	'superuser', (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user),
	'standby', pg_catalog.pg_is_in_recovery(),
	'ownRole', EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'pgbtui'),
	'databases', (SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object('name', datname, 'bytes',
			CASE WHEN pg_catalog.has_database_privilege(oid, 'CONNECT') THEN pg_catalog.pg_database_size(oid) ELSE 0 END)
			ORDER BY datname), '[]')
		FROM pg_catalog.pg_database WHERE datallowconn AND NOT datistemplate AND datconnlimit <> -2))`

// Survey asks over a session of ours.
func (s *Server) Survey(ctx context.Context) (Survey, error) {
	var text string
	if err := s.row(ctx, surveySQL, nil, &text); err != nil {
		return Survey{}, classify("postgres: look at "+s.target.name(), err)
	}
	return readSurvey([]byte(text))
}

// surveyTimeout bounds psql, which would wait for a server that does not answer.
const surveyTimeout = 30 * time.Second

// SurveyAs asks as another system user, as whom the server lets it in by the socket: psql is run for that. Only root
// can.
func SurveyAs(ctx context.Context, user string, t Target) (Survey, error) {
	ctx, cancel := context.WithTimeout(ctx, surveyTimeout)
	defer cancel()
	what := "postgres: look at " + t.name() + " as system user " + user
	cmd := exec.CommandContext(ctx, "runuser", "-u", user, "--",
		"psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1",
		"--no-password", "--command="+surveySQL)
	cmd.Dir = "/"
	cmd.Env = append(t.Env(os.Environ()), "PGCLIENTENCODING=UTF8", "PGCONNECT_TIMEOUT=10")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	said := strings.TrimSpace(stderr.String())
	switch {
	case err == nil:
		return readSurvey(stdout.Bytes())
	case ctx.Err() != nil:
		return Survey{}, fmt.Errorf("%s: %w", what, context.Cause(ctx))
	case errors.Is(err, exec.ErrNotFound):
		return Survey{}, fault.New(fault.Unavailable, what, "Install util-linux, which has runuser.", err)
	case strings.Contains(said, "user "+user+" does not exist"):
		return Survey{}, fault.New(fault.NotFound, what,
			"Install PostgreSQL on this host, or give the address of the server that is to be backed up.", errors.New(said))
	case strings.Contains(said, "failed to execute psql"):
		return Survey{}, fault.New(fault.Refused, what,
			"Install PostgreSQL's client programs (postgresql-client on Debian, postgresql on RHEL).", errors.New(said))
	case strings.Contains(said, "authentication failed"), strings.Contains(said, "pg_hba.conf"):
		return Survey{}, fault.New(fault.NotPermitted, what,
			"Let system user "+user+" log in by the socket: a line `local all "+user+" peer` in pg_hba.conf.", errors.New(said))
	}
	return Survey{}, fault.New(fault.Unavailable, what,
		"Start PostgreSQL, or give its port or socket folder; `pg_lsclusters` (Debian) lists the servers of this host.",
		errors.New(said))
}

func readSurvey(text []byte) (s Survey, err error) {
	if err := json.Unmarshal(bytes.TrimSpace(text), &s); err != nil {
		return Survey{}, fmt.Errorf("postgres: read what the server says of itself: %w", err)
	}
	return s, nil
}
