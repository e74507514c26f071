package main

import (
	"cmp"
	"context"

	"github.com/spf13/cobra"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/backup/thaw"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/journal"
)

type restoreOptions struct {
	restorer
	of      selection
	request string // the ID of a request; then all else comes from its file
	check   bool
	accept  bool // an unsigned set; never by a request
	into    string
	roles   []string
	restore.Request
}

// restorer has what restoring needs, whoever says what to restore.
type restorer struct {
	*streams
	env      *environment
	logs     *logs
	config   func() (*config.Config, error)
	find     *finder
	run      *runner
	identity string
}

func newRestorer(p *program, as access) restorer {
	return restorer{
		streams: p.streams, env: p.environment, logs: p.logs, config: p.config,
		find: p.finder(as), run: p.runner(as),
	}
}

func newRestoreCommand(p *program) *cobra.Command {
	o := &restoreOptions{restorer: newRestorer(p, access{duty: dutyOf("restore")})}
	cmd := &cobra.Command{
		Use:   "restore ID|latest --to NEWDB | --replace DB --confirm DB",
		Short: "Restore a set into a new database and compare its rows",
		Long: `Restore a set into a database that does not exist yet, with owners and grants, stop at the first error,
and compare the rows of every table with those counted when it was dumped. Nothing that exists is changed.

With --replace the copy takes the place of a live database, when it is whole and its rows are equal: the two
are renamed in one transaction, and what was live is kept as DB_before_TIME until you drop it. Whatever happens
before that leaves the live database as it was. Connections are shown, and ended only with --terminate.
"restore undo DB" puts it back.

A tenant's set, of one schema, goes into a new database too; with --beside DB into an existing one, under its own name
or another (--as); and with --replace DB --confirm SCHEMA in the place of the tenant's live schema, which is kept as
SCHEMA_before_TIME. "restore undo DB --tenant SCHEMA --confirm SCHEMA" swaps back.

With --keep-going everything that can be created is, in a new database that only superusers may use until you
open it. What failed is listed with the reason, rows that differ too, and the exit code is 3.
 Look first: --check changes nothing.

Needs a role that may create databases and own the objects, usually: sudo -u postgres -g pgbtui pgbtui restore …`,
		Args: func(cmd *cobra.Command, args []string) error {
			if o.request != "" {
				return noArgs(cmd, args)
			}
			return o.of.args(cmd, args)
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.request != "" && o.accept {
				return usageText(
					"--accept-unsigned cannot be used with --request: run the restore yourself to accept an unsigned set")
			}
			if o.request != "" {
				return asRun(restoreRun, runRestoreRequest(cmd.Context(), o.restorer, o.request))
			}
			return runRestore(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.To, "to", "", "name of the new `database`")
	flags.StringVar(&o.Replace, "replace", "", "put the copy in the place of this live `database`")
	flags.StringVar(&o.Beside, "beside", "", "a tenant's set: into this existing `database`, beside its schemas")
	flags.StringVar(&o.As, "as", "", "with --beside: the `name` of the new schema, where its own is taken")
	flags.StringVar(&o.Confirm, "confirm", "",
		"the name of the `database` that is replaced, or gets rows, once more; of a tenant, the schema's")
	flags.BoolVar(&o.Terminate, "terminate", false, "end the connections of the replaced database")
	o.of.flags(cmd)
	flags.Var((*jobsValue)(&o.Jobs), "jobs",
		"parallel sessions, each of which reads its own tables from the store: a `number`, or auto")
	flags.BoolVar(&o.Globals, "globals", false, "first create missing roles and tablespaces from the set")
	flags.BoolVar(&o.NoOwner, "no-owner", false, "everything belongs to the restoring role")
	flags.BoolVar(&o.NoTablespaces, "no-tablespaces", false, "everything goes to the default tablespace")
	flags.BoolVar(&o.KeepGoing, "keep-going", false, "continue past objects that cannot be created, and list them; exit 3")
	flags.StringVar(&o.Thaw, "thaw", "",
		"thaw an archived set by this `tier` first, and wait: bulk, standard or expedited; pgbtui thaw tells the price")
	flags.BoolVar(&o.check, "check", false, "check whether the restore can work, and change nothing")
	o.partFlags(flags)
	flags.StringVar(&o.request, "request", "", "carry out a request file: for postgres-restore@.service")
	fromFlag(cmd, p.settings)
	acceptFlag(cmd, &o.accept)
	identityFlag(cmd, &o.identity)
	cmd.AddCommand(newRestoreUndoCommand(p), newRestoreSwapCommand(p))
	return cmd
}

func runRestore(ctx context.Context, o *restoreOptions) error {
	if err := o.settle(); err != nil {
		return err
	}
	switch {
	case o.As != "" && o.Beside == "":
		return usageText("--as goes with --beside")
	case o.Beside != "" && o.To+o.Replace == "":
	case (o.To == "") == (o.Replace == ""):
		return usageText("restore needs --to and the name of a new database, or --replace and that of a live one")
	case o.Replace == "" && o.Terminate, o.Replace+o.into == "" && o.Confirm != "":
		return usageText("--terminate goes with --replace, --confirm with --replace or --into")
	}
	if o.Thaw != "" {
		if _, err := thaw.ParseTier(o.Thaw); err != nil {
			return usageText("--thaw: " + err.Error())
		}
	}
	at, err := o.find.locate(ctx, o.of)
	if err != nil {
		return err
	}
	if o.accept {
		at.set.AcceptUnsigned()
	}
	if o.Replace+o.into+o.Beside != "" && !o.check {
		o.logs.audit(ctx, journal.Session{}.CurrentOperator(), restoreAction(o.Request, at.set))
	}
	return o.restoreFrom(ctx, at)
}

// restoreAction is what an audit line says of a restore.
func restoreAction(r restore.Request, set *backup.Set) journal.Action {
	a := journal.Action{What: "restore", Target: r.To, Run: set.ID}
	switch {
	case r.Replace != "":
		a.What, a.Target = "replace", r.Replace
	case r.Beside != "":
		a.What = "schema into"
		a.Target = r.Beside
	case r.DataOnly:
		a.What = "rows into"
	}
	return a
}

func (o *restoreOptions) restoreFrom(ctx context.Context, at *located) error {
	identities, err := o.env.identities(at.job, o.identity)
	if err != nil {
		return err
	}
	env, stop, err := o.world(ctx, at)
	if err != nil {
		return err
	}
	defer stop()
	if o.check {
		checks, portion, err := restore.Preflight(ctx, at.job, env, at.set, o.Request, identities)
		if err != nil {
			return err
		}
		return printChecks(o.streams, checks, portion)
	}
	restored, err := restore.Run(ctx, at.job, env, at.set, o.Request, identities)
	if err != nil {
		return logged(err)
	}
	if err := printRestored(o.streams, at.set.ID, restored); err != nil {
		return err
	}
	if restored.Incomplete() {
		return exitWith(fault.Warnings)
	}
	return nil
}

// world is what a restore of a set works in. The job becomes that of whoever runs this: its user is the backup role,
// which may only read.
func (r *restorer) world(ctx context.Context, at *located) (env backup.Env, stop func(), err error) {
	at.job.Postgres.User = ""
	at.job.SpoolDir = cmp.Or(at.job.SpoolDir, r.env.getenv("STATE_DIRECTORY"))
	env, stop, err = r.run.watched(ctx, at.job)
	env.Bucket = at.bucket
	return env, stop, err
}
