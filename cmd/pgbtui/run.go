package main

import (
	"context"
	"log/slog"
	"os"
	"time"

	"golang.org/x/term"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
)

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

// env is the world for a run of this job.
func (p *program) env(ctx context.Context, job config.Job, log *slog.Logger) (backup.Env, error) {
	bucket, err := p.bucket(ctx, job)
	env := p.serverEnv(log)
	env.Bucket = bucket
	env.CacheDir = p.cacheDir()
	return env, err
}

// serverEnv is a world without a bucket.
func (p *program) serverEnv(log *slog.Logger) backup.Env {
	return backup.Env{
		Log: log, Now: p.now, Host: hostname(), Tool: "pgbtui " + version(),
		InvocationID: p.getenv("INVOCATION_ID"), Trigger: p.trigger(),
	}
}
