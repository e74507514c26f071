package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
)

type jsonDrill struct {
	Schema   int          `json:"schema"`
	Proof    backup.Proof `json:"proof"`
	Recorded string       `json:"recorded,omitempty"` // key of the proof object
	Warnings []string     `json:"warnings,omitempty"`
}

func (p *program) drillCommand() *cobra.Command {
	var f drillFlags
	cmd := &cobra.Command{
		Use: "drill ID|latest", Short: "Rehearse the restore of a set in a server of its own, compare the copy, and throw it away",
		Long: "Restore a set, roles first, into a private PostgreSQL server that listens on a socket only (or into the\nserver that drill.server names), compare the rows of every table, owners, grants and extensions with the set,\nask what drill.expect lists, and remove everything again. The result and the time are recorded beside the\nset. Exit 65: the set does not restore, or the copy is wrong. Exit 4: it cannot be drilled on this host.\nExit 3: drilled, with warnings. Needs PostgreSQL's server programs and disk for the whole database.\n\nA restore runs what the owners of the database wrote. Where the units are installed, root and the drill's unit\n(systemctl start postgres-drill@ID) have it run in a unit that reaches no key, no network and no other server.\nWithout them, root has it run as the user pgbtui-drill or nobody; other users are refused, unless --unconfined\nsays that everybody who could create a table in the source is trusted with this user's rights.",
		Args: f.args,
		RunE: func(cmd *cobra.Command, _ []string) error { return asRun(drillRun, p.drill(cmd.Context(), f)) },
	}
	f.flags(cmd)
	cmd.Flags().BoolVar(&f.unconfined, "unconfined", false, "the set is trusted: its code may run with this user's rights, outside of any unit")
	acceptFlag(cmd, &f.accept)
	identityFlag(cmd, &p.identity)
	return cmd
}

type drillFlags struct {
	selection
	accept     bool
	unconfined bool
}

func (p *program) drill(ctx context.Context, f drillFlags) error {
	f.doubted = true // it answers an earlier failure
	at, err := p.locate(ctx, f.selection)
	if err != nil {
		return err
	}
	identities, err := p.identities(at.job, p.identity)
	if err != nil {
		return err
	}
	if f.accept {
		at.set.AcceptUnsigned()
	}
	env, stop, err := p.runEnv(ctx, at.job)
	if err != nil {
		return err
	}
	defer stop()
	env.Bucket = at.bucket
	request, err := p.drillRequest(ctx, at.job, f)
	if err != nil {
		return err
	}
	drilled, err := backup.Drill(ctx, at.job, env, at.set, request, identities)
	if err != nil {
		if drilled != nil && p.json {
			if err := p.printJSON(jsonDrill{jsonSchema, drilled.Proof, drilled.Recorded, drilled.Warnings}); err != nil {
				return err
			}
			return exitWith(fault.CodeOf(err))
		}
		return logged(err)
	}
	if err := p.printDrilled(drilled); err != nil {
		return err
	}
	if len(drilled.Warnings) > 0 {
		return exitWith(fault.Warnings)
	}
	return nil
}

func (p *program) printDrilled(d *backup.Drilled) error {
	if p.json {
		return p.printJSON(jsonDrill{jsonSchema, d.Proof, d.Recorded, d.Warnings})
	}
	f := d.Proof.Drill
	where := "a server of its own"
	if !f.Private {
		where = "the drill's server"
	}
	p.printf("%s restores: %d tables, %d rows, %d owners and %d grants as dumped, in %s, PostgreSQL %s\n",
		d.Proof.Set, d.Proof.Tables, d.Proof.Rows, f.Owners, f.Grants, where, f.Server)
	if checks := extraChecks(f); checks != "" {
		p.printf("  also good: %s\n", checks)
	}
	for _, stage := range d.Proof.Stages {
		p.printf("  %-10s %.1fs\n", stage.Stage, stage.Seconds)
	}
	for _, not := range d.Proof.NotProven {
		p.printf("  does not prove %s\n", printable.Text(not))
	}
	for _, w := range d.Warnings {
		p.printf("  warning: %s\n", printable.Text(w))
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
