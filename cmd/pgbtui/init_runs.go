package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/notify"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
)

// The first backups and drills, by their units: what the nights will do, done once while somebody watches. Rule: what
// there is is read from the bucket, so nothing is done twice, and nothing is believed because a unit ended well.

// firstRuns makes what is missing of each job. What fails keeps nothing else from being done, and is told at the end.
func (r *initRun) firstRuns(ctx context.Context) error {
	bus, err := systemd.Connect(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = bus.Close() }()
	if r.old != nil {
		if err := bus.Busy(ctx, *r.old); err != nil {
			return err
		}
	}
	var bad []error
	for _, job := range r.config.Jobs {
		if err := r.firstOf(ctx, bus, job); err != nil {
			bad = append(bad, err)
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	r.failed = errors.Join(bad...)
	return nil
}

// firstOf makes the first backup of a job where a database has none, and the first drill where none is proven.
func (r *initRun) firstOf(ctx context.Context, bus *systemd.Bus, job config.Job) error {
	name, err := unitOf(ctx, r.config, job, bus)
	if err != nil {
		return err
	}
	states, err := r.states(ctx, job)
	if err != nil {
		return err
	}
	var failed error
	if len(states) == 0 || slices.ContainsFunc(states, func(s initState) bool { return s.set == "" }) {
		failed = r.run(ctx, bus, "backup", systemd.BackupService(name))
		if ctx.Err() != nil {
			return failed
		}
		if states, err = r.states(ctx, job); err != nil {
			return errors.Join(failed, err)
		}
	}
	unproven := func(s initState) bool { return s.set != "" && s.level < backup.LevelRestored }
	if job.Drill.By == config.DrillByHand || !slices.ContainsFunc(states, unproven) {
		return failed
	}
	return errors.Join(failed, r.run(ctx, bus, "drill", systemd.BackupDrillService(name)))
}

// initState is what a database, or a schema of one, has by a job.
type initState struct {
	database string
	set      string // the newest good one
	level    backup.Level
}

// states are those of a job's databases that are there now.
func (r *initRun) states(ctx context.Context, job config.Job) ([]initState, error) {
	look := client{stores: &stores{env: r.env}, access: access{waitedFor: true}}
	defer look.stores.close()
	var states []initState
	for _, one := range r.parts(ctx, look, job) {
		sets, err := look.setsOf(ctx, one)
		if err != nil {
			return nil, err
		}
		state := initState{database: one.Subject()}
		if newest := backup.Assess(sets, backup.WhoseOf(one), backup.Objectives{}, r.env.now()).Newest; newest != nil {
			state.set = newest.ID
			state.level, _ = newest.Proven()
		}
		states = append(states, state)
	}
	return states, nil
}

// parts are the jobs of what a job backs up now: of its one database, or of those that are found.
func (r *initRun) parts(ctx context.Context, look client, job config.Job) (parts []config.Job) {
	if !job.Divided() {
		return []config.Job{job}
	}
	names := job.AskedFor()
	if r.surveyOf(job) != nil && job.Several() {
		names = append(names, r.taken(job)...)
	}
	for _, one := range look.present(ctx, r.config, job) {
		names = append(names, one.PartName())
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		parts = append(parts, job.Part(name))
	}
	return parts
}

// proven reports whether a backup of a database was restored in a drill, by any job.
func (r *initRun) proven(ctx context.Context, database string) bool {
	for _, job := range r.config.Jobs {
		if !job.Covers(database) {
			continue
		}
		states, err := r.states(ctx, job)
		if err != nil {
			continue
		}
		for _, s := range states {
			if s.database == database && s.level >= backup.LevelRestored {
				return true
			}
		}
	}
	return false
}

// run starts a unit and waits until it ends; one that runs already is waited for.
func (r *initRun) run(ctx context.Context, bus *systemd.Bus, what, unit string) error {
	begun := r.env.now()
	r.tell("first %s: %s\n", what, unit)
	started, err := bus.Start(ctx, unit)
	if errors.Is(err, systemd.ErrAlreadyRunning) {
		r.tell("  it is running already\n")
		started.Before.InvocationID = ""
		err = nil
	}
	if err != nil {
		return err
	}
	state, end, err := r.follow(ctx, bus, started)
	if err != nil {
		return err
	}
	took := r.env.now().Sub(begun).Round(time.Second)
	switch end.State {
	case systemd.RunOK:
		r.tell("  done in %s\n", took)
	case systemd.RunWarn:
		r.tell("  done in %s, with warnings: journalctl -u %s\n", took, printable.ShellWord(unit))
	default:
		return failedRun(ctx, what, state, end)
	}
	return nil
}

// follow shows what a run says of itself. A run that systemd will try again has failed as far as init is concerned.
func (r *initRun) follow(
	ctx context.Context, bus *systemd.Bus, run systemd.Run,
) (systemd.UnitState, systemd.Outcome, error) {
	waiting, stop := context.WithCancel(ctx)
	defer stop()
	var last systemd.UnitState
	said := ""
	state, end, err := bus.Wait(waiting, run, func(now systemd.UnitState) {
		last = now
		if text := now.Service.StatusText; text != said && now.Running() {
			said = text
			r.tell("  %s\n", printable.Text(text))
		}
		if now.Waiting() {
			stop()
		}
	})
	if err != nil && ctx.Err() == nil && last.Waiting() {
		return last, systemd.Current(last), nil
	}
	return state, end, err
}

// failedRun is the error of a run, in the words of whoever knows.
func failedRun(ctx context.Context, what string, state systemd.UnitState, end systemd.Outcome) error {
	alert := notify.Alert{
		Unit: state.Name, InvocationID: state.InvocationID, Result: state.Service.Result,
		ExitStatus: strconv.Itoa(int(state.Service.ExitStatus)),
	}
	explainFailure(ctx, &alert)
	why := alert.Reason
	if why == "" {
		why = end.Reason
	}
	if end.State == systemd.RunRetrying {
		why += "; systemd tries again by itself"
	}
	remedy := strings.TrimSuffix(alert.Remedy, ".")
	if remedy != "" {
		remedy += ". "
	}
	remedy += "Then run `sudo pgbtui init` again; `journalctl -u " + printable.ShellWord(state.Name) +
		"` has the whole run."
	code := end.Code
	if code == fault.OK || code == fault.Warnings {
		code = fault.Failed
	}
	return fault.New(code, fmt.Sprintf("init: the first %s by %s failed: %s", what, state.Name, why), remedy, nil)
}
