package main

import (
	"cmp"
	"context"

	"filippo.io/age"
	"github.com/spf13/cobra"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/journal"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
)

type restoreFlags struct {
	selection
	request string
	check   bool
	accept  bool // an unsigned set; never by a request
	into    string
	roles   []string
	restore.Request
}

type jsonRestore struct {
	Schema   int                `json:"schema"`
	Set      string             `json:"set"`
	Database string             `json:"database"`
	Kept     string             `json:"kept,omitempty"`
	Ended    int                `json:"ended,omitempty"` // connections
	Compared bool               `json:"compared"`
	Tables   int                `json:"tables"`
	Rows     int64              `json:"rows"`
	Seconds  float64            `json:"seconds"`
	Created  []string           `json:"created,omitempty"` // roles and tablespaces
	Notes    []string           `json:"notes,omitempty"`
	Stages   []backup.StageTime `json:"stages"`
	Portion  *restore.Portion   `json:"portion,omitempty"`
	Fetched  *int64             `json:"fetchedBytes,omitempty"` // of the stored dump

	Unmade      []postgres.Unmade `json:"unmade,omitempty"`
	UnmadeMore  int               `json:"unmadeMore,omitempty"`
	Differences []jsonDifference  `json:"differences,omitempty"`
}

// jsonDifference is a table whose rows are not those of the dump.
type jsonDifference struct {
	Schema   string `json:"schema"`
	Table    string `json:"table"`
	Dumped   int64  `json:"dumped"`
	Restored int64  `json:"restored"`
}

type jsonChecks struct {
	Schema int             `json:"schema"`
	OK     bool            `json:"ok"`
	Checks []restore.Check `json:"checks"`

	Portion *restore.Portion `json:"portion,omitempty"`
}

func (p *program) restoreCommand() *cobra.Command {
	var f restoreFlags
	cmd := &cobra.Command{
		Use: "restore ID|latest --to NEWDB | --replace DB --confirm DB", Short: "Restore a set into a new database and compare its rows",
		Long: `Restore a set into a database that does not exist yet, with owners and grants, stop at the first error,
and compare the rows of every table with those counted when it was dumped. Nothing that exists is changed.

With --replace the copy takes the place of a live database, when it is whole and its rows are equal: the two
are renamed in one transaction, and what was live is kept as DB_before_TIME until you drop it. Whatever happens
before that leaves the live database as it was. Connections are shown, and ended only with --terminate.
"restore undo DB" swaps back.

With --keep-going everything that can be created is, in a new database that only superusers may use until you
open it. What failed is listed with the reason, rows that differ too, and the exit code is 3.
 Look first: --check changes nothing.

Needs a role that may create databases and own the objects, usually: sudo -u postgres -g pgbtui pgbtui restore …`,
		Args: func(cmd *cobra.Command, args []string) error {
			if f.request != "" {
				return noArgs(cmd, args)
			}
			return f.args(cmd, args)
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.request != "" && f.accept {
				return usageText("--accept-unsigned does not go with --request: who accepts it runs the restore")
			}
			if f.request != "" {
				return asRun(restoreRun, p.restoreRequested(cmd.Context(), f.request))
			}
			return p.restore(cmd.Context(), f)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.To, "to", "", "name of the new `database`")
	flags.StringVar(&f.Replace, "replace", "", "put the copy in the place of this live `database`")
	flags.StringVar(&f.Confirm, "confirm", "", "the name of the `database` that is replaced, or gets rows, once more")
	flags.BoolVar(&f.Terminate, "terminate", false, "end the connections of the replaced database")
	f.flags(cmd)
	flags.IntVar(&f.Jobs, "jobs", 1, "parallel sessions; more than 1 needs disk for the raw dump")
	flags.BoolVar(&f.Globals, "globals", false, "first create missing roles and tablespaces from the set")
	flags.BoolVar(&f.NoOwner, "no-owner", false, "everything belongs to the restoring role")
	flags.BoolVar(&f.NoTablespaces, "no-tablespaces", false, "everything goes to the default tablespace")
	flags.BoolVar(&f.KeepGoing, "keep-going", false, "go on past objects that cannot be created, and tell which; exit 3")
	flags.BoolVar(&f.check, "check", false, "only look whether the restore can work; change nothing")
	f.partFlags(flags)
	flags.StringVar(&f.request, "request", "", "carry out a request file: for postgres-restore@.service")
	acceptFlag(cmd, &f.accept)
	identityFlag(cmd, &p.identity)
	cmd.AddCommand(p.restoreUndoCommand(), p.restoreSwapCommand())
	return cmd
}

func (p *program) restore(ctx context.Context, f restoreFlags) error {
	if err := f.settle(); err != nil {
		return err
	}
	switch {
	case (f.To == "") == (f.Replace == ""):
		return usageText("restore needs --to and the name of a new database, or --replace and that of a live one")
	case f.Replace == "" && f.Terminate, f.Replace+f.into == "" && f.Confirm != "":
		return usageText("--terminate goes with --replace, --confirm with --replace or --into")
	}
	if f.Jobs < 1 || f.Jobs > 64 {
		return usageText("--jobs is 1 to 64")
	}
	at, err := p.locate(ctx, f.selection)
	if err != nil {
		return err
	}
	if f.accept {
		at.set.AcceptUnsigned()
	}
	if f.Replace+f.into != "" && !f.check {
		p.audit(ctx, journal.Session{}.CurrentOperator(), restoreAction(f.Request, at.set))
	}
	return p.restoreFrom(ctx, at, f)
}

// restoreAction is what an audit line says of a restore.
func restoreAction(r restore.Request, set *backup.Set) journal.Action {
	a := journal.Action{What: "restore", Target: r.To, Run: set.ID}
	switch {
	case r.Replace != "":
		a.What, a.Target = "replace", r.Replace
	case r.DataOnly:
		a.What = "rows into"
	}
	return a
}

func (p *program) restoreFrom(ctx context.Context, at *located, f restoreFlags) error {
	env, identities, stop, err := p.restoreEnv(ctx, at)
	if err != nil {
		return err
	}
	defer stop()
	if f.check {
		checks, portion, err := restore.Preflight(ctx, at.job, env, at.set, f.Request, identities)
		if err != nil {
			return err
		}
		return p.printChecks(checks, portion)
	}
	restored, err := restore.Run(ctx, at.job, env, at.set, f.Request, identities)
	if err != nil {
		return logged(err)
	}
	if err := p.printRestored(at.set, restored); err != nil || !restored.Incomplete() {
		return err
	}
	return exitWith(fault.Warnings)
}

// restoreEnv is what a restore of a set needs besides the set.
func (p *program) restoreEnv(ctx context.Context, at *located) (env backup.Env, identities []age.Identity, stop func(), err error) {
	if identities, err = p.identities(at.job, p.identity); err != nil {
		return env, nil, nil, err
	}
	// The job's user is the backup role, which may only read: restoring is for whoever runs this.
	at.job.Postgres.User = ""
	at.job.SpoolDir = cmp.Or(at.job.SpoolDir, p.getenv("STATE_DIRECTORY"))
	if env, stop, err = p.runEnv(ctx, at.job); err != nil {
		return env, nil, nil, err
	}
	env.Bucket = at.bucket
	return env, identities, stop, nil
}

func (p *program) printChecks(checks []restore.Check, portion *restore.Portion) error {
	ok := true
	for _, c := range checks {
		ok = ok && c.OK
	}
	if p.json {
		if err := p.printJSON(jsonChecks{jsonSchema, ok, checks, portion}); err != nil {
			return err
		}
	} else {
		for _, c := range checks {
			mark := "ok  "
			switch {
			case !c.OK:
				mark = "FAIL"
			case c.Warn:
				mark = "warn"
			}
			p.printf("%s %-12s %s\n", mark, c.Name, printable.Text(c.Detail))
			if c.Remedy != "" {
				p.printf("     %-12s %s\n", "", printable.Text(c.Remedy))
			}
		}
		if portion != nil {
			p.printPortion(portion)
		}
	}
	if !ok {
		return exitWith(fault.Refused)
	}
	return nil
}

func (p *program) printRestored(set *backup.Set, r *restore.Restored) error {
	if p.json {
		out := jsonRestore{
			Schema: jsonSchema, Set: set.ID, Database: r.Database, Kept: r.Kept, Ended: r.Ended, Compared: r.Compared,
			Tables: r.Tables, Rows: r.Rows, Seconds: r.Seconds, Created: r.Globals, Notes: r.Notes, Stages: r.Stages, Portion: r.Portion,
			Unmade: r.Unmade, UnmadeMore: r.UnmadeMore,
		}
		for _, d := range r.Differences {
			out.Differences = append(out.Differences, jsonDifference{Schema: d.Schema, Table: d.Table, Dumped: d.Want, Restored: d.Got})
		}
		if r.Portion != nil {
			out.Fetched = &r.Fetched
		}
		return p.printJSON(out)
	}
	what := ""
	if r.Portion != nil {
		what = "a part of "
	}
	p.printf("restored %s%s into database %s in %.1fs\n", what, set.ID, printable.Text(r.Database), r.Seconds)
	if r.Portion != nil {
		p.printPortion(r.Portion)
		p.printf("  fetched %s of %s\n", size(r.Fetched), size(r.Portion.StoredBytes))
	}
	if r.Compared {
		p.printf("  rows compared: %d tables, %d rows, all as dumped\n", r.Tables, r.Rows)
	}
	if r.Kept != "" {
		p.printKept(r.Kept, r.Ended, r.WayBack())
	}
	p.printUnmade(r)
	for _, n := range r.Notes {
		p.printf("  note: %s\n", printable.Text(n))
	}
	return nil
}

// printUnmade lists what a restore that went on left out.
func (p *program) printUnmade(r *restore.Restored) {
	for _, object := range r.Unmade {
		p.printf("  NOT restored: %s\n", printable.Text(object.String()))
	}
	if r.UnmadeMore > 0 {
		p.printf("  NOT restored: %d more\n", r.UnmadeMore)
	}
	for _, d := range r.Differences {
		p.printf("  rows differ: %s.%s has %d, dumped were %d\n", printable.Text(d.Schema), printable.Text(d.Table), d.Got, d.Want)
	}
}
