package pitr

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/bounded"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// PgBackRest runs pgBackRest for one cluster.
type PgBackRest struct {
	Cluster config.Cluster
	Server  Server
	File    string   // its configuration
	Bin     string   // "": pgbackrest on PATH
	Secrets []string // PGBACKREST_REPO1_…=… besides what is in the file
	Places  Places
}

// Open finds the server and the configuration of a cluster. It talks to no store and to no server.
func Open(ctx context.Context, c config.Cluster) (*PgBackRest, error) {
	server, err := Find(ctx, c)
	if err != nil {
		return nil, err
	}
	return &PgBackRest{Cluster: c, Server: server, File: FileOf(c)}, nil
}

func (e *PgBackRest) program() string { return cmp.Or(e.Bin, "pgbackrest") }

// Command is a call of the engine as a person would type it, without the program's name.
func (e *PgBackRest) Command(args ...string) []string {
	return append([]string{"--config=" + e.File, "--stanza=" + e.Cluster.Stanza}, args...)
}

// quiet leaves standard output to the answer, and writes no file of log.
var quiet = []string{
	"--log-level-console=off", "--log-level-stderr=warn", "--log-level-file=off", "--log-timestamp=n",
}

// aloud is for runs whose lines are told one by one.
var aloud = []string{
	"--log-level-console=off", "--log-level-stderr=info", "--log-level-file=off", "--log-timestamp=n",
}

// Output runs a command of the engine, and returns what it prints.
func (e *PgBackRest) Output(ctx context.Context, args ...string) (out []byte, err error) {
	err = e.run(ctx, append(append([]string{}, quiet...), args...), nil, func(c *command) {
		c.read = func(r io.Reader) (err error) {
			out, err = bounded.ReadAll(r, mostOutput)
			return err
		}
	})
	return out, err
}

// Run runs a command of the engine that works for a while; each line that it says goes to onLine.
func (e *PgBackRest) Run(ctx context.Context, onLine func(string), args ...string) error {
	return e.run(ctx, append(append([]string{}, aloud...), args...), onLine, nil)
}

func (e *PgBackRest) run(ctx context.Context, args []string, onLine func(string), change func(*command)) error {
	as, err := e.Server.owner()
	if err != nil {
		return err
	}
	c := command{
		program: e.program(), args: e.Command(args...), env: append(environment(), e.Secrets...), as: as, onLine: onLine,
	}
	what := "pitr: pgbackrest " + verbOf(args)
	c.failed = func(end *exitError) error { return meaningOf(what, end) }
	if change != nil {
		change(&c)
	}
	return run(ctx, c)
}

// verbOf is the command among the options.
func verbOf(args []string) string {
	for _, arg := range args {
		if !strings.HasPrefix(arg, "--") {
			return arg
		}
	}
	return ""
}

// Info asks what the repository holds of the cluster. The engine ends with 0 also where it knows nothing, so the
// status inside decides: see Info.Fault.
func (e *PgBackRest) Info(ctx context.Context) (Info, error) {
	out, err := e.Output(ctx, "info", "--output=json")
	if err != nil {
		return Info{}, err
	}
	return readInfo(out, e.Cluster.Stanza)
}

// Backup makes a base backup.
func (e *PgBackRest) Backup(ctx context.Context, kind config.BackupKind, onLine func(string)) error {
	return e.Run(ctx, onLine, "--type="+string(kind), "backup")
}

// Annotate writes a note beside a backup: what a drill has shown of it.
func (e *PgBackRest) Annotate(ctx context.Context, label, key, value string) error {
	if !backupLabel.MatchString(label) {
		return fault.New(fault.Usage, fmt.Sprintf("pitr: %.60q is not a backup's label", label), "", nil)
	}
	_, err := e.Output(ctx, "--set="+label, "--annotation="+key+"="+value, "annotate")
	return err
}

// SQL asks the server, as the owner of its files and by its socket, for one value of JSON.
func (e *PgBackRest) SQL(ctx context.Context, query string, into any) error {
	return e.Server.SQL(ctx, "postgres", query, into)
}

// SQL asks the server, as the owner of its files, for one value of JSON.
func (s Server) SQL(ctx context.Context, database, query string, into any) error {
	as, err := s.owner()
	if err != nil {
		return err
	}
	out, err := output(ctx, command{
		program: s.Program("psql"), as: as, env: s.environment(database),
		args: []string{
			"--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1", "--no-password",
			"--command=" + query,
		},
		failed: func(end *exitError) error {
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

// environment is what libpq needs to reach the server.
func (s Server) environment(database string) []string {
	env := append(environment(), "PGCLIENTENCODING=UTF8", "PGCONNECT_TIMEOUT=10", "PGDATABASE="+database,
		"PGAPPNAME=pgbtui", "PGOPTIONS=-c statement_timeout=30s")
	if s.Host != "" {
		env = append(env, "PGHOST="+s.Host)
	}
	if s.Port != "" {
		env = append(env, "PGPORT="+s.Port)
	}
	return env
}
