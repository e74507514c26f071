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

// runner gives package backup the world that it works in.
type runner struct {
	client
	streams *streams
	env     *environment
	logs    *logs
}

// watched is world with everything that watches a run: journal or lines, systemd, a progress bar. stop ends that.
func (r *runner) watched(ctx context.Context, job config.Job) (env backup.Env, stop func(), err error) {
	notifier := systemd.NotifierFrom(r.env.getenv, os.Getpid())
	notifier.Allow(job.StallAfter)
	bar := &progressBar{on: term.IsTerminal(int(os.Stderr.Fd())) && !notifier.Under(), w: r.streams.err}
	log := r.logs.logger(slog.LevelInfo)
	if bar.on {
		log = slog.New(bar.above(log.Handler()))
	}
	env, err = r.world(ctx, job, log)
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

// world is what a run of this job works in.
func (r *runner) world(ctx context.Context, job config.Job, log *slog.Logger) (backup.Env, error) {
	bucket, err := r.bucket(ctx, job)
	env := r.withoutStore(log)
	env.Bucket = bucket
	env.CacheDir = r.env.cacheDir()
	return env, err
}

// withoutStore is the world of what needs PostgreSQL only.
func (r *runner) withoutStore(log *slog.Logger) backup.Env {
	return backup.Env{
		Log: log, Now: r.env.now, Host: hostname(), Tool: "pgbtui " + version(),
		InvocationID: r.env.getenv("INVOCATION_ID"), Trigger: r.env.trigger(),
	}
}
