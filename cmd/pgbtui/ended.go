package main

import (
	"context"
	"log/slog"

	"github.com/spf13/cobra"

	"codeberg.org/pgbtui/pgbtui/internal/journal"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
)

// endedCommand is what ExecStopPost= of every unit runs: it must be quick, needs no configuration,
// and never fails the unit that it tells about.
func (p *program) endedCommand() *cobra.Command {
	return &cobra.Command{
		Use: "ended UNIT", Short: "Record in the journal how a unit ended: for ExecStopPost=",
		Args: one("the name of the unit"), Hidden: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			p.ended(cmd.Context(), systemd.EndFrom(args[0], p.getenv))
			return nil
		},
	}
}

// ended is below warning whatever happened: an alert quotes the run's own words, not these.
func (p *program) ended(ctx context.Context, e systemd.End) {
	level := journal.LevelNotice
	if e.Good() {
		level = slog.LevelInfo
	}
	job, _, _ := systemd.ScheduledJobOf(e.Unit)
	p.logger(slog.LevelInfo).LogAttrs(ctx, level, e.Text(), slog.String("event", journal.EventRunEnded), slog.String("ended_unit", e.Unit),
		slog.String("job", job), slog.String("result", e.Result), slog.String("exit_code", e.ExitCode), slog.String("exit_status", e.ExitStatus))
	if _, _, backup := systemd.JobOf(e.Unit); backup && e.Good() && e.Invocation != "" {
		p.forgetStarts(ctx, e.Unit)
	}
}

// forgetStarts keeps good runs by hand from using up the tries of the next night. Where it may not, all
// that is lost is what the units had without it.
func (p *program) forgetStarts(ctx context.Context, unit string) {
	bus, err := systemd.Connect(ctx)
	if err == nil {
		defer func() { _ = bus.Close() }()
		err = bus.ForgetStarts(ctx, unit)
	}
	if err != nil {
		p.logger(slog.LevelInfo).InfoContext(ctx, "starts by hand count as tries of "+unit+": "+err.Error())
	}
}
