package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
)

// headless makes one backup. A run that made a set but has warnings exits with 3.
func (p *program) headless(ctx context.Context, f rootFlags) error {
	p.duty = writer
	job, err := p.job(f.job)
	if err == nil {
		err = p.adoptPassword()
	}
	if err != nil {
		return p.failedBefore(ctx, backupRun, err)
	}
	signer, err := p.signer(job)
	if err != nil {
		return p.failedBefore(ctx, backupRun, err)
	}
	env, stop, err := p.runEnv(ctx, job)
	if err != nil {
		return p.failedBefore(ctx, backupRun, err)
	}
	defer stop()
	env.StateDir = p.getenv("STATE_DIRECTORY") // systemd's; a run by hand leaves the memory to the units
	result, err := backup.Run(ctx, job, env, backup.RunOptions{ID: backup.NewID(p.now()), AcceptEmpty: f.acceptEmpty, Signer: signer})
	if err != nil {
		return p.logged(err)
	}
	if p.json {
		if err := p.printJSON(jsonRun{Schema: jsonSchema, Set: p.setJSON(&backup.Set{
			ID: result.Manifest.ID, Kind: backup.KindNative, Instance: string(result.Manifest.Instance), Database: string(result.Manifest.Database),
			FinishedAt: result.Manifest.FinishedAt, StoredSize: result.Manifest.StoredBytes(), Dir: result.Folder,
			Manifest: result.Manifest, Class: result.Manifest.Dump.StorageClass,
		}, nil), Deleted: deletedIDs(result.Deleted), Warnings: result.Warnings}); err != nil {
			return err
		}
	}
	if len(result.Warnings) > 0 {
		return &outcome{fault.Warnings}
	}
	return nil
}

func deletedIDs(decisions []backup.Decision) []string {
	ids := []string{}
	for _, d := range decisions {
		ids = append(ids, d.Set.ID)
	}
	return ids
}

// logged turns a failure that the run has already told in its log into a bare exit code; with
// --json the error is still on standard output.
func (p *program) logged(err error) error {
	if p.json {
		p.printJSONError(err)
	}
	p.quote(err)
	return &outcome{fault.CodeOf(err)}
}

// quote shows what a program said word for word. It may hold people's rows, so it goes to the terminal of
// whoever restores and nowhere else: not where standard error is a journal, a file or a pipe.
func (p *program) quote(err error) {
	var exit *postgres.ExitError
	file, ok := p.err.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) || !errors.As(err, &exit) {
		return
	}
	out := printable.Writer(file)
	_, _ = fmt.Fprintf(out, "  %s, shown on this terminal only:\n", exit.Program)
	for _, line := range exit.Lines {
		_, _ = fmt.Fprintf(out, "    %s\n", printable.Text(line))
	}
}

// action is what a unit can run: its word in messages, and the event of its failure.
type action struct{ word, failed string }

var (
	backupRun  = action{"backup", backup.EventFailed}
	verifyRun  = action{"verification", backup.EventVerifyFailed}
	drillRun   = action{"drill", backup.EventDrillFailed}
	restoreRun = action{"restore", backup.EventRestoreFailed}
	pruneRun   = action{"retention", backup.EventRetentionFailed}
)

// failedBefore puts an error from before the run into the journal too, where the alert reads it.
func (p *program) failedBefore(ctx context.Context, a action, err error) error {
	p.logFailure(ctx, a, err)
	return p.logged(err)
}

func (p *program) logFailure(ctx context.Context, a action, err error) {
	p.logger(slog.LevelInfo).ErrorContext(ctx, a.word+" failed: "+strings.TrimPrefix(err.Error(), a.word+": "), slog.String("event", a.failed),
		slog.Int("exit", int(fault.CodeOf(err))), slog.String("remedy", fault.Remedy(err)))
}

// inJournal puts the failure of a verb that units run too into the journal as an error, where the
// alert reads it. By hand it is left to main, which prints it.
func (p *program) inJournal(ctx context.Context, a action, err error) error {
	if printed := (*outcome)(nil); err == nil || errors.As(err, &printed) || !p.underJournal() {
		return err
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return p.failedBefore(context.WithoutCancel(ctx), a, err)
}

// runEnv is env with everything that watches a run: journal or lines, systemd, a progress bar.
func (p *program) runEnv(ctx context.Context, job config.Job) (backup.Env, func(), error) {
	notifier := systemd.NotifierFrom(p.getenv, os.Getpid())
	notifier.Allow(job.StallAfter)
	level := slog.LevelInfo
	bar := &progressBar{on: term.IsTerminal(int(os.Stderr.Fd())) && !notifier.Under(), w: p.err}
	log := p.logger(level)
	if bar.on {
		log = slog.New(bar.above(log.Handler()))
	}
	env, err := p.env(ctx, job, log)
	env.Progress = func(now backup.Progress) {
		if now.Quiet < 2*time.Second {
			notifier.Alive(now.Status())
		} else {
			notifier.Status(now.Status())
		}
		bar.draw(now)
	}
	return env, func() { bar.clear(); notifier.Stopping() }, err
}
