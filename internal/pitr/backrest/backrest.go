// Package backrest is pgBackRest, from 2.45 on, as an engine of a cluster: its configuration, its calls, and what its
// repository holds. Rules:
//
//   - its configuration is a file that every call names, so that nothing of another one holds
//   - what it prints is typed, bounded and checked: whoever writes to the bucket decides what stands in it
package backrest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/bounded"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/pitr"
)

// PgBackRest runs pgBackRest for one cluster.
type PgBackRest struct {
	Cluster config.Cluster
	Server  pitr.Server
	File    string   // its configuration
	Bin     string   // "": pgbackrest on PATH
	Secrets []string // PGBACKREST_REPO1_…=… besides what is in the file
	Places  Places
}

// New is the one of a cluster whose server was found. It talks to nobody.
func New(c config.Cluster, server pitr.Server) *PgBackRest {
	return &PgBackRest{Cluster: c, Server: server, File: FileOf(c)}
}

// Engine is what everything else knows of it.
func (e *PgBackRest) Engine() *pitr.Engine {
	return &pitr.Engine{Cluster: e.Cluster, Server: e.Server, Words: words, Reader: e, Maker: e, Restorer: e}
}

var words = pitr.Words{
	Name: "pgBackRest", Listing: "pgbackrest info",
	OtherServer: "Correct `data_directory` or `stanza`; after a major upgrade run `pgbackrest stanza-upgrade`.",
	Dropped:     "Raise archive-push-queue-max: beyond it pgBackRest drops WAL and calls that success.",
	Loses:       "somebody deleted them, or pgBackRest dropped them",
	BadPages:    func(label string) string { return "Look which with `pgbackrest info --set=" + label + "`." },
}

func (e *PgBackRest) program() string { return cmp.Or(e.Bin, "pgbackrest") }

// Command is a call of the engine as a person would type it, without the program's name.
func (e *PgBackRest) Command(args ...string) []string {
	return append([]string{"--config=" + e.File, "--stanza=" + e.Cluster.Stanza}, args...)
}

// Environment is what its calls get of this process's environment, and the secrets that are given by it.
func (e *PgBackRest) Environment() []string {
	return append(pitr.Environment("PGBACKREST_REPO"), e.Secrets...)
}

// quiet leaves standard output to the answer, and writes no file of log.
var quiet = []string{
	"--log-level-console=off", "--log-level-stderr=warn", "--log-level-file=off", "--log-timestamp=n",
}

// aloud is for runs whose lines are told one by one.
var aloud = []string{
	"--log-level-console=off", "--log-level-stderr=info", "--log-level-file=off", "--log-timestamp=n",
}

// mostOutput bounds an answer that is taken into memory as a whole.
const mostOutput = 64 << 20

// Output runs a command of the engine, and returns what it prints.
func (e *PgBackRest) Output(ctx context.Context, args ...string) (out []byte, err error) {
	err = e.run(ctx, append(append([]string{}, quiet...), args...), reading(func(r io.Reader) (err error) {
		out, err = bounded.ReadAll(r, mostOutput)
		return err
	}))
	return out, err
}

// Run runs a command of the engine that works for a while; each line that it says goes to onLine.
func (e *PgBackRest) Run(ctx context.Context, onLine func(string), args ...string) error {
	return e.run(ctx, append(append([]string{}, aloud...), args...), func(c *pitr.Command) { c.OnLine = onLine })
}

// reading hands what a command prints to read.
func reading(read func(io.Reader) error) func(*pitr.Command) {
	return func(c *pitr.Command) { c.Read = read }
}

func (e *PgBackRest) run(ctx context.Context, args []string, with func(*pitr.Command)) error {
	as, err := e.Server.Owner()
	if err != nil {
		return err
	}
	what := "pitr: pgbackrest " + verbOf(args)
	c := pitr.Command{
		Program: e.program(), Args: e.Command(args...), Env: e.Environment(), As: as,
		Failed: func(end *pitr.ExitError) error { return meaningOf(what, end) },
	}
	with(&c)
	return pitr.Run(ctx, c)
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

// Get is archive-get.
func (e *PgBackRest) Get(ctx context.Context, name, file string, largest int64) error {
	// With locks of its own a stop file does not keep it from reading.
	args := append(append([]string{}, quiet...), "--lock-path="+filepath.Dir(file), "archive-get", name, file)
	err := e.run(ctx, args, func(c *pitr.Command) { c.Largest = largest })
	var end *pitr.ExitError
	// 1 says that it is not there; the engine has no word of its own for that.
	if errors.As(err, &end) && end.Code == 1 {
		return fmt.Errorf("%w: %w", pitr.ErrNotKept, err)
	}
	return err
}

// Backup makes a base backup.
func (e *PgBackRest) Backup(
	ctx context.Context, kind config.BackupKind, onLine func(string),
) (made pitr.Backup, err error) {
	if err = e.Run(ctx, onLine, "--type="+string(kind), "backup"); err != nil {
		return made, err
	}
	info, err := e.Info(ctx)
	if err == nil {
		err = info.Fault()
	}
	if err != nil {
		return made, err
	}
	if len(info.Backup) == 0 {
		return made, fault.New(fault.Failed, "pitr: pgBackRest says that it made a backup, and lists none", "", nil)
	}
	return info.Backup[len(info.Backup)-1].common(true), nil
}

// Check lets the engine write a segment and wait until it is archived.
func (e *PgBackRest) Check(ctx context.Context) error {
	_, err := e.Output(ctx, "check")
	return err
}

// Annotate writes a note beside a backup.
func (e *PgBackRest) Annotate(ctx context.Context, label, key, value string) error {
	if !backupLabel.MatchString(label) {
		return fault.New(fault.Usage, fmt.Sprintf("pitr: %.60q is not a backup's label", label), "", nil)
	}
	_, err := e.Output(ctx, "--set="+label, "--annotation="+key+"="+value, "annotate")
	return err
}

// Restore restores the files of a base backup. Recovery is left to whoever starts the server.
func (e *PgBackRest) Restore(ctx context.Context, r pitr.Restore, onLine func(string)) error {
	return e.Run(ctx, onLine, "--pg1-path="+r.Data, "--lock-path="+r.Scratch, "--set="+r.Label,
		"--type=none", "--archive-mode=off", "--tablespace-map-all="+r.Tablespaces, "restore")
}

// FetchCommand is archive-get.
func (e *PgBackRest) FetchCommand(r pitr.Restore) []string {
	return append([]string{e.program()}, e.Command("--pg1-path="+r.Data, "--lock-path="+r.Scratch, "--no-archive-async",
		"--log-level-file=off", "archive-get")...)
}
