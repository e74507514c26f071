package main

import (
	"context"
	"log/slog"
	"os"
	"time"

	"golang.org/x/term"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
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
		return err
	}
	signer, err := p.signer(job)
	if err != nil {
		return err
	}
	env, stop, err := p.runEnv(ctx, job)
	if err != nil {
		return err
	}
	defer stop()
	env.StateDir = p.getenv("STATE_DIRECTORY") // systemd's; a run by hand leaves the memory to the units
	result, err := backup.Run(ctx, job, env, backup.RunOptions{ID: backup.NewID(p.now()), AcceptEmpty: f.acceptEmpty, Signer: signer})
	if err != nil {
		return logged(err)
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
		return exitWith(fault.Warnings)
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
