package main

import (
	"context"
	"log/slog"

	"github.com/spf13/cobra"

	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/journal"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
)

// `restore undo` and `restore swap`: a database that stands beside a live one is put in its place.
// Both need PostgreSQL only.

type jsonSwap struct {
	Schema   int    `json:"schema"`
	Database string `json:"database"`
	Tenant   string `json:"tenant,omitempty"` // the schema of it
	With     string `json:"with"`
	Kept     string `json:"kept"`
	Ended    int    `json:"ended"` // connections
}

type swapOptions struct {
	restorer
	verb  string // undo or swap
	job   string
	check bool
	restore.UndoRequest
}

func newRestoreUndoCommand(p *program) *cobra.Command {
	o := &swapOptions{restorer: newRestorer(p, access{}), verb: "undo"}
	cmd := newSwapCommand(o, &cobra.Command{
		Use: "undo DB --confirm DB", Short: "Put a database back that a restore replaced",
		Long: `Put back what "restore --replace DB" replaced: the newest database DB_before_TIME takes the place of DB
again, by renaming both in one transaction. What was live until then is kept as DB_undone_TIME; nothing is dropped.`,
	})
	cmd.Flags().StringVar(&o.With, "before", "", "the kept `database`; without it, the newest DB_before_TIME")
	cmd.Flags().StringVar(&o.UndoRequest.Schema, "tenant", "",
		"put this `schema` of the database back instead, which --confirm names")
	return cmd
}

func newRestoreSwapCommand(p *program) *cobra.Command {
	o := &swapOptions{restorer: newRestorer(p, access{}), verb: "swap"}
	cmd := newSwapCommand(o, &cobra.Command{
		Use: "swap DB --with NAME --confirm DB", Short: "Put a finished copy, or a kept database, in a live one's place",
		Long: `Put a database that stands beside DB in its place, by renaming both in one transaction: a copy DB_restored_ID
that a restore had finished when connections kept it from its place, or one that was kept. What was live until then is
kept as DB_before_TIME or DB_undone_TIME; nothing is dropped.`,
	})
	cmd.Flags().StringVar(&o.With, "with", "", "the `database` that is to be live")
	return cmd
}

// newSwapCommand adds what both verbs have.
func newSwapCommand(o *swapOptions, cmd *cobra.Command) *cobra.Command {
	cmd.Args = exactly(1, "the name of the live database")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if o.verb == "swap" && o.With == "" {
			return usageText("restore swap needs --with and the name of a database")
		}
		o.Database = args[0]
		return runRestoreSwap(cmd.Context(), o)
	}
	flags := cmd.Flags()
	flags.StringVar(&o.Confirm, "confirm", "", "the name of the live `database` once more")
	flags.BoolVar(&o.Terminate, "terminate", false, "end the connections of both databases")
	flags.BoolVar(&o.check, "check", false, "check whether it can work, and change nothing")
	flags.StringVar(&o.job, "job", "", "reach PostgreSQL as this `job` does")
	return cmd
}

func runRestoreSwap(ctx context.Context, o *swapOptions) error {
	job, err := o.serverOf(o.job, o.Database)
	if err != nil {
		return err
	}
	env := o.run.withoutStore(o.logs.logger(slog.LevelInfo))
	if o.check {
		checks, err := restore.UndoPreflight(ctx, job, env, o.UndoRequest)
		if err != nil {
			return err
		}
		return printChecks(o.streams, checks, nil)
	}
	o.logs.audit(ctx, journal.Session{}.CurrentOperator(), journal.Action{What: o.verb, Target: o.Database})
	done, err := restore.Undo(ctx, job, env, o.UndoRequest)
	if err != nil {
		return logged(err)
	}
	return printSwapped(o.streams, done)
}

func printSwapped(to *streams, done *restore.Undone) error {
	if to.json {
		return to.printJSON(jsonSwap{
			Schema: jsonSchema, Database: done.Database, Tenant: done.Schema,
			With: done.With, Kept: done.Kept, Ended: done.Ended,
		})
	}
	if done.Schema != "" {
		to.sayf("schema %s of database %s is what %s was\n", printable.Text(done.Schema), printable.Text(done.Database),
			printable.Text(done.With))
	} else {
		to.sayf("database %s is what %s was\n", printable.Text(done.Database), printable.Text(done.With))
	}
	printKept(to, done.Kept, done.Ended, done.WayBack())
	return nil
}

// printKept says where what was live has gone, and the way back.
func printKept(to *streams, kept string, ended int, wayBack string) {
	to.sayf("  what was live is kept as %s; nothing was dropped, %d connections were ended\n",
		printable.Text(kept), ended)
	to.printf("  the way back: %s\n", printable.Text(wayBack))
}

// serverOf is a job on the server with the database. The job's user is the backup role; this is for whoever runs it.
func (r *restorer) serverOf(name, database string) (config.Job, error) {
	c, err := r.config()
	if err != nil {
		return config.Job{}, err
	}
	job, err := c.ServerOf(name, database)
	job.Postgres.User = ""
	return job, err
}
