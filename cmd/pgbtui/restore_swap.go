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
	With     string `json:"with"`
	Kept     string `json:"kept"`
	Ended    int    `json:"ended"` // connections
}

type swapFlags struct {
	job   string
	check bool
	restore.UndoRequest
}

func (p *program) restoreUndoCommand() *cobra.Command {
	return p.swapCommand("undo", "before", &cobra.Command{
		Use: "undo DB --confirm DB", Short: "Put a database back that a restore replaced",
		Long: `Put back what "restore --replace DB" replaced: the newest database DB_before_TIME takes the place of DB again,
by renaming both in one transaction. What was live until then is kept as DB_undone_TIME; nothing is dropped.`,
	}, "the kept `database`; without it, the newest DB_before_TIME")
}

func (p *program) restoreSwapCommand() *cobra.Command {
	return p.swapCommand("swap", "with", &cobra.Command{
		Use: "swap DB --with NAME --confirm DB", Short: "Put a finished copy, or a kept database, in a live one's place",
		Long: `Put a database that stands beside DB in its place, by renaming both in one transaction: a copy DB_restored_ID that a
restore had finished when connections kept it from its place, or one that was kept. What was live until then is kept
as DB_before_TIME or DB_undone_TIME; nothing is dropped.`,
	}, "the `database` that is to be live")
}

func (p *program) swapCommand(verb, with string, cmd *cobra.Command, help string) *cobra.Command {
	var f swapFlags
	cmd.Args = exactly(1, "the name of the live database")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if verb == "swap" && f.With == "" {
			return usageText("restore swap needs --with and the name of a database")
		}
		f.Database = args[0]
		return p.restoreSwap(cmd.Context(), verb, f)
	}
	flags := cmd.Flags()
	flags.StringVar(&f.With, with, "", help)
	flags.StringVar(&f.Confirm, "confirm", "", "the name of the live `database` once more")
	flags.BoolVar(&f.Terminate, "terminate", false, "end the connections of both databases")
	flags.BoolVar(&f.check, "check", false, "only look whether it can work; change nothing")
	flags.StringVar(&f.job, "job", "", "reach PostgreSQL as this `job` does")
	return cmd
}

func (p *program) restoreSwap(ctx context.Context, verb string, f swapFlags) error {
	job, err := p.serverOf(f.job, f.Database)
	if err != nil {
		return err
	}
	env := p.runner(p.access()).withoutStore(p.logger(slog.LevelInfo))
	if f.check {
		checks, err := restore.UndoPreflight(ctx, job, env, f.UndoRequest)
		if err != nil {
			return err
		}
		return p.printChecks(checks, nil)
	}
	p.audit(ctx, journal.Session{}.CurrentOperator(), journal.Action{What: verb, Target: f.Database})
	return p.swapped(restore.Undo(ctx, job, env, f.UndoRequest))
}

func (p *program) swapped(done *restore.Undone, err error) error {
	if err != nil {
		return logged(err)
	}
	return p.printSwapped(done)
}

func (p *program) printSwapped(done *restore.Undone) error {
	if p.json {
		return p.printJSON(jsonSwap{jsonSchema, done.Database, done.With, done.Kept, done.Ended})
	}
	p.printf("database %s is what %s was\n", printable.Text(done.Database), printable.Text(done.With))
	p.printKept(done.Kept, done.Ended, done.WayBack())
	return nil
}

// printKept says where what was live has gone, and the way back.
func (p *program) printKept(kept string, ended int, wayBack string) {
	p.printf("  what was live is kept as %s; nothing was dropped, %d connections were ended\n", printable.Text(kept), ended)
	p.printf("  the way back: %s\n", printable.Text(wayBack))
}

// serverOf is a job on the server with the database. The job's user is the backup role; this is for whoever runs it.
func (p *program) serverOf(name, database string) (config.Job, error) {
	c, err := p.config()
	if err != nil {
		return config.Job{}, err
	}
	job, err := c.ServerOf(name, database)
	job.Postgres.User = ""
	return job, err
}
