package main

import (
	"context"
	"log/slog"

	"github.com/spf13/cobra"

	"codeberg.org/pgbtui/pgbtui/internal/event"
	"codeberg.org/pgbtui/pgbtui/internal/journal"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
)

// endedCommand is what ExecStopPost= of every unit runs: it must be quick, records the end whatever the configuration
// is, and never fails the unit that it tells about.
func newEndedCommand(p *program) *cobra.Command {
	return &cobra.Command{
		Use: "ended UNIT", Short: "Record in the journal how a unit ended: for ExecStopPost=",
		Args: one("the name of the unit"), Hidden: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			end := systemd.EndFrom(args[0], p.getenv)
			runEnded(cmd.Context(), p.logs, end)
			endWait(cmd.Context(), p.logs, args[0])
			reportEnd(cmd.Context(), p, end)
			return nil
		},
	}
}

// runEnded writes below warning whatever happened: an alert quotes the run's own words, not these.
func runEnded(ctx context.Context, to *logs, e systemd.End) {
	level := journal.LevelNotice
	if e.Good() {
		level = slog.LevelInfo
	}
	job, _, _ := systemd.ScheduledJobOf(e.Unit)
	to.logger(slog.LevelInfo).LogAttrs(ctx, level, e.Text(),
		event.Attr(event.RunEnded), slog.String("ended_unit", e.Unit), slog.String("job", job),
		slog.String("result", e.Result), slog.String("exit_code", e.ExitCode), slog.String("exit_status", e.ExitStatus))
	if _, _, backup := systemd.JobOf(e.Unit); backup && e.Good() && e.Invocation != "" {
		forgetStarts(ctx, to, e.Unit)
	}
}

// forgetStarts keeps good runs by hand from using up the tries of the next night. Where it may not, all
// that is lost is what the units had without it.
func forgetStarts(ctx context.Context, to *logs, unit string) {
	bus, err := systemd.Connect(ctx)
	if err == nil {
		defer func() { _ = bus.Close() }()
		err = bus.ForgetStarts(ctx, unit)
	}
	if err != nil {
		to.logger(slog.LevelInfo).InfoContext(ctx, "starts by hand count as tries of "+unit+": "+err.Error())
	}
}
