package main

import (
	"context"
	"path/filepath"
	"slices"

	"codeberg.org/pgbtui/pgbtui/internal/bounded"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
	"codeberg.org/pgbtui/pgbtui/internal/setup"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
)

// What init does once the answers are right. Rules: the configuration is written behind everything that it needs, so
// that a host with one has the rest; each step finds out by itself whether it was done before.

// carryOut goes from step to step, and says what there is if it has to stop.
func (r *initRun) carryOut(ctx context.Context) error {
	for _, step := range []func(context.Context) error{
		r.installUnits, r.makeRoles, r.keepSecrets, r.configure, r.switchOn, r.firstRuns, r.retire, r.end,
	} {
		err := step(ctx)
		if err == nil && ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		if err != nil {
			r.tellLeft()
			return err
		}
	}
	if r.failed == nil {
		if !r.result.OK {
			return exitWith(fault.Warnings)
		}
		return nil
	}
	explain(r.initOptions.err, r.failed)
	return exitWith(fault.CodeOf(r.failed))
}

// options are those by which init installs units.
func (r *initRun) options() systemd.InstallOptions {
	return systemd.InstallOptions{Binary: r.binary, LeavePlain: r.old != nil}
}

// install installs, and keeps what it did for the end.
func (r *initRun) install(ctx context.Context, o systemd.InstallOptions) error {
	report, err := systemd.Install(ctx, o)
	if report != nil {
		r.report.Steps = append(r.report.Steps, report.Steps...)
	}
	return err
}

func (r *initRun) installUnits(ctx context.Context) error {
	before := len(r.report.Steps)
	if err := r.install(ctx, r.options()); err != nil {
		return err
	}
	changed := 0
	for _, s := range r.report.Steps[before:] {
		if s.Action == systemd.Created || s.Action == systemd.Updated {
			changed++
		}
	}
	r.tell("units, users and polkit rule: %d files written, the others were there\n", changed)
	return nil
}

// makeRoles sees to the backups' role on each server of this host.
func (r *initRun) makeRoles(ctx context.Context) error {
	var done []config.Postgres
	for _, job := range r.config.Jobs {
		at := config.Postgres{Host: job.Postgres.Host, Port: job.Postgres.Port, BinDir: job.Postgres.BinDir}
		if !setup.IsSocket(at.Host) || slices.Contains(done, at) || job.Postgres.User != "" {
			continue
		}
		done = append(done, at)
		survey, err := lookAtServer(ctx, at, "")
		if err != nil {
			return err
		}
		if survey.OwnRole && (survey.Standby || !survey.Superuser) {
			continue // somebody else made it
		}
		var variables []string
		if at.Host != "" {
			variables = append(variables, "PGHOST="+at.Host)
		}
		if at.Port != "" {
			variables = append(variables, "PGPORT="+at.Port)
		}
		if err := systemd.CreateRole(ctx, variables, &r.report); err != nil {
			return err
		}
		r.tell("PostgreSQL's role pgbtui: reads everything, changes nothing\n")
	}
	return nil
}

func (r *initRun) keepSecrets(context.Context) error {
	if r.key.text != "" {
		if err := r.write(func() error { return systemd.WriteSecret(string(writer), r.key.text, &r.report) }); err != nil {
			return err
		}
	}
	for _, l := range r.secretLinks() {
		if err := r.write(func() error { return systemd.LinkSecret(l.name, l.to, &r.report) }); err != nil {
			return err
		}
	}
	if file := r.answers.PasswordFile; file != "" && r.survey != nil && !r.survey.local {
		password, err := bounded.ReadFile(file, bounded.File)
		if err == nil {
			err = r.write(func() error { return systemd.WriteSecret("database-password", string(password), &r.report) })
		}
		if err != nil {
			return err
		}
	}
	if r.identity == "" {
		return nil
	}
	return r.write(func() error { return systemd.WriteSecret(filepath.Base(identityFile()), r.identity, &r.report) })
}

// write does one step, and says what it did.
func (r *initRun) write(step func() error) error {
	before := len(r.report.Steps)
	if err := step(); err != nil {
		return err
	}
	for _, s := range r.report.Steps[before:] {
		// The steps of a whole installation are many: what was there, and what was said before, is left out.
		if s.Action == systemd.Unchanged || s.Action == systemd.Note {
			continue
		}
		line := string(s.Action) + " " + s.What
		if s.Detail != "" {
			line += " (" + s.Detail + ")"
		}
		r.tell("%s\n", printable.Text(line))
	}
	return nil
}

func (r *initRun) configure(context.Context) error {
	if r.text == "" {
		return r.write(func() error { return systemd.ShareConfiguration(&r.report) })
	}
	return r.write(func() error { return systemd.WriteConfiguration(r.text, &r.report) })
}

// switchOn makes the timers follow the configuration, and then the watch over them.
func (r *initRun) switchOn(ctx context.Context) error {
	bus, err := systemd.Connect(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = bus.Close() }()
	plan, err := planTimers(ctx, r.config, bus, r.env.now())
	if err != nil {
		return err
	}
	before := len(r.report.Steps)
	report, err := plan.Apply(ctx, bus)
	if report != nil {
		r.report.Steps = append(r.report.Steps, report.Steps...)
	}
	if err == nil {
		err = r.install(ctx, r.options())
	}
	for _, s := range r.report.Steps[before:] {
		if s.Action == systemd.Enabled || s.Action == systemd.Disabled {
			r.tell("%s %s\n", s.Action, printable.Text(s.What))
		}
	}
	for _, t := range plan.Troubles() {
		r.tell("%s: %s\n  remedy: %s\n", printable.Text(t.Timer), printable.Text(t.Trouble), printable.Text(t.Remedy))
	}
	return err
}

// retire ends the schedule of the old unit, when each database that it backed up was restored in a drill from a
// backup of ours.
func (r *initRun) retire(ctx context.Context) error {
	if r.old == nil {
		return nil
	}
	if !r.proven(ctx, r.old.Variables["DB_NAME"]) {
		r.tell("%s stays on: no drill has restored a backup of database %s yet\n", r.old.Timer,
			printable.Text(r.old.Variables["DB_NAME"]))
		return nil
	}
	return r.write(func() error {
		o := r.options()
		o.LeavePlain = false
		return systemd.Retire(ctx, *r.old, o, &r.report)
	})
}

// tellLeft says what an interrupted run leaves.
func (r *initRun) tellLeft() {
	var places, timers []string
	units := 0
	for _, s := range r.report.Steps {
		switch {
		case s.Action == systemd.Enabled:
			timers = append(timers, s.What)
		case s.Action != systemd.Created && s.Action != systemd.Updated:
		case filepath.Dir(s.What) == filepath.Dir(config.DefaultFile), filepath.Dir(s.What) == systemd.SecretDir:
			places = append(places, s.What)
		default:
			units++
		}
	}
	r.tell("\nNot finished. This run left:\n")
	if units > 0 {
		r.tell("  units, users and polkit rule: %d files (`pgbtui units uninstall` removes them)\n", units)
	}
	for _, place := range places {
		r.tell("  %s\n", place)
	}
	for _, timer := range timers {
		r.tell("  %s, switched on\n", timer)
	}
	if units+len(places)+len(timers) == 0 {
		r.tell("  nothing new\n")
	}
	r.tell("A backup or drill that has started keeps running. Run `sudo pgbtui init` again to continue from here.\n")
}
