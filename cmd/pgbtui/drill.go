package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
)

type jsonDrill struct {
	Schema   int          `json:"schema"`
	Proof    backup.Proof `json:"proof"`
	Recorded string       `json:"recorded,omitempty"` // key of the proof object
	Warnings []string     `json:"warnings,omitempty"`
}

func newDrillCommand(p *program) *cobra.Command {
	as := access{duty: dutyOf("drill")}
	o := &drillOptions{streams: p.streams, env: p.environment, find: p.finder(as), run: p.runner(as)}
	cmd := &cobra.Command{
		Use:   "drill ID|latest",
		Short: "Rehearse the restore of a set in a server of its own, compare the copy, and throw it away",
		Long: `Restore a set, roles first, into a private PostgreSQL server that listens on a socket only (or into the
server that drill.server names), compare the rows of every table, owners, grants and extensions with the set,
ask what drill.expect lists, and remove everything again. The result and the time are recorded beside the
set. Exit 65: the set does not restore, or the copy is wrong. Exit 4: it cannot be drilled on this host.
Exit 3: drilled, with warnings. Needs PostgreSQL's server programs and disk for the whole database.

A restore runs what the owners of the database wrote. Where the units are installed, root and the drill's unit
(systemctl start postgres-drill@ID) have it run in a unit that reaches no key, no network and no other server.
Without them, root has it run as the user pgbtui-drill or nobody; other users are refused, unless --unconfined
says that everybody who could create a table in the source is trusted with this user's rights.`,
		Args: o.of.args,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return asRun(drillRun, runDrill(cmd.Context(), o))
		},
	}
	o.of.flags(cmd)
	fromFlag(cmd, p.settings)
	cmd.Flags().Var(&o.jobs, "jobs", "parallel sessions, as those of a restore: a `number`, or auto")
	cmd.Flags().BoolVar(&o.unconfined, "unconfined", false,
		"the set is trusted: its code may run with this user's rights, outside of any unit")
	acceptFlag(cmd, &o.accept)
	identityFlag(cmd, &o.identity)
	return cmd
}

type drillOptions struct {
	*streams
	env  *environment
	find *finder
	run  *runner

	of         selection
	identity   string
	accept     bool // an unsigned set
	unconfined bool
	jobs       jobsValue
}

func runDrill(ctx context.Context, o *drillOptions) error {
	o.of.doubted = true // it answers an earlier failure
	several, err := o.ofSeveral()
	if err != nil {
		return err
	}
	if several != nil {
		return runDrillSeveral(ctx, o, *several)
	}
	drilled, err := o.one(ctx, o.of)
	if err != nil {
		if drilled != nil && o.json {
			if err := o.printJSON(drilledJSON(drilled)); err != nil {
				return err
			}
			return exitWith(fault.CodeOf(err))
		}
		return err
	}
	if err := printDrilled(o.streams, drilled); err != nil {
		return err
	}
	if len(drilled.Warnings) > 0 {
		return exitWith(fault.Warnings)
	}
	return nil
}

// one drills the set that is meant. An error that the drill has reported itself is logged.
func (o *drillOptions) one(ctx context.Context, of selection) (*restore.Drilled, error) {
	at, err := o.find.locate(ctx, of)
	if err != nil {
		return nil, err
	}
	identities, err := o.env.identities(at.job, o.identity)
	if err != nil {
		return nil, err
	}
	if o.accept {
		at.set.AcceptUnsigned()
	}
	env, stop, err := o.run.watched(ctx, at.job)
	if err != nil {
		return nil, err
	}
	defer stop()
	env.Bucket = at.bucket
	request, err := drillRequest(ctx, at.job, o.env, o.unconfined)
	request.Jobs = int(o.jobs)
	if err != nil {
		return nil, err
	}
	drilled, err := restore.Drill(ctx, at.job, env, at.set, request, identities)
	return drilled, logged(err)
}

func drilledJSON(d *restore.Drilled) jsonDrill {
	return jsonDrill{Schema: jsonSchema, Proof: d.Proof, Recorded: d.Recorded, Warnings: d.Warnings}
}

func printDrilled(to *streams, d *restore.Drilled) error {
	if to.json {
		return to.printJSON(drilledJSON(d))
	}
	f := d.Proof.Drill
	where := "a server of its own"
	if !f.Private {
		where = "the drill's server"
	}
	to.sayf("%s restores: %d tables, %d rows, %d owners and %d grants as dumped, in %s, PostgreSQL %s\n",
		d.Proof.Set, d.Proof.Tables, d.Proof.Rows, f.Owners, f.Grants, where, f.Server)
	if checks := extraChecks(f); checks != "" {
		to.sayf("  also good: %s\n", checks)
	}
	for _, stage := range d.Proof.Stages {
		to.sayf("  %-10s %.1fs\n", stage.Stage, stage.Seconds)
	}
	for _, not := range d.Proof.NotProven {
		to.sayf("  does not prove %s\n", printable.Text(not))
	}
	for _, w := range d.Warnings {
		to.sayf("  warning: %s\n", printable.Text(w))
	}
	return nil
}

func extraChecks(f *backup.DrillFacts) string {
	var checks []string
	if f.Expectations > 0 {
		checks = append(checks, fmt.Sprintf("expectations (%d)", f.Expectations))
	}
	if f.Amcheck {
		checks = append(checks, "pg_amcheck")
	}
	return strings.Join(checks, ", ")
}
