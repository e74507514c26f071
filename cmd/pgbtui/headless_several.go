package main

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/dump"
	"codeberg.org/pgbtui/pgbtui/internal/backup/signing"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/event"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
)

// A run of a job of several databases: they are found, then backed up one after another. One that fails does not
// stop the others; the exit code is the worst. A retry by systemd does what the run before it has not done.

type jsonRunSeveral struct {
	Schema    int           `json:"schema"`
	OK        bool          `json:"ok"`
	Job       string        `json:"job"`
	Databases []jsonRunOne  `json:"databases"`
	Done      []string      `json:"done"` // by the run that this one repeats
	New       []string      `json:"new"`
	Gone      []jsonGoneOne `json:"gone"`
}

type jsonRunOne struct {
	Database string     `json:"database"`
	Tenant   string     `json:"tenant,omitempty"` // the schema
	Backup   *jsonRun   `json:"backup"`           // null: there is none
	Error    *jsonFault `json:"error,omitempty"`
}

type jsonGoneOne struct {
	Database string    `json:"database"`
	Tenant   string    `json:"tenant,omitempty"` // the schema
	Since    time.Time `json:"since"`
}

// severalRun is one run of all databases of a job.
type severalRun struct {
	*headlessOptions
	job      config.Job
	env      backup.Env
	signer   *signing.Signer
	unit     string // that systemd runs the job by
	stateDir string
}

func (r *severalRun) all(ctx context.Context) error {
	names, err := dump.Parts(ctx, r.job, r.env)
	if err != nil {
		return err
	}
	log := r.env.Log.With(slog.String("job", r.job.Name))
	before, err := dump.ReadFound(r.stateDir, r.job)
	if err != nil {
		log.WarnContext(ctx, err.Error(), event.Attr(event.Warning), slog.String("remedy", fault.Remedy(err)))
	}
	found := before.Look(ctx, log, r.job, names, r.headlessOptions.env.now().UTC())
	r.save(ctx, log, found)
	out := jsonRunSeveral{
		Schema: jsonSchema, Job: r.job.Name, Databases: []jsonRunOne{}, Done: []string{},
		New: []string{}, Gone: []jsonGoneOne{},
	}
	left := names
	if before != nil && r.retries(ctx) {
		left = before.Left(names, r.headlessOptions.env.now())
	}
	for _, name := range names {
		if !slices.Contains(left, name) {
			out.Done = append(out.Done, name)
		}
	}
	worst := fault.OK
	for _, name := range left {
		one, code := r.one(ctx, name)
		out.Databases = append(out.Databases, one)
		worst = worstOfRun(worst, code)
		found.Tried(name, r.headlessOptions.env.now().UTC(), one.Backup == nil)
		r.save(ctx, log, found) // now, since this run may be killed
		if ctx.Err() != nil {
			return logged(context.Cause(ctx))
		}
	}
	out.OK = worst == fault.OK
	r.tell(ctx, log, &out, found)
	if r.json {
		if err := r.printJSON(out); err != nil {
			return err
		}
	}
	return exitWith(worst)
}

// one backs one database, or one schema, up. Its run has reported its own error.
func (r *severalRun) one(ctx context.Context, name string) (jsonRunOne, fault.Code) {
	job := r.job.Part(name)
	one := jsonRunOne{Database: job.Database, Tenant: job.Schema}
	result, err := dump.Run(ctx, job, r.env, dump.RunOptions{
		ID: backup.NewID(r.headlessOptions.env.now()), AcceptEmpty: r.acceptEmpty, Signer: r.signer,
	})
	if err != nil {
		told := asFault(err)
		one.Error = &told
		return one, fault.CodeOf(err)
	}
	made := runJSON(result)
	one.Backup = &made
	if len(result.Warnings) > 0 {
		return one, fault.Warnings
	}
	return one, fault.OK
}

// tell sums a run up.
func (r *severalRun) tell(ctx context.Context, log *slog.Logger, out *jsonRunSeveral, found *dump.Found) {
	var failed []string
	for _, one := range out.Databases {
		if one.Backup == nil {
			failed = append(failed, cmp.Or(one.Tenant, one.Database))
		}
	}
	for _, d := range found.Databases {
		if d.New && d.Since.Equal(found.At) {
			out.New = append(out.New, d.Name)
		}
		if !d.GoneSince.IsZero() {
			of := r.job.Part(d.Name)
			out.Gone = append(out.Gone, jsonGoneOne{Database: of.Database, Tenant: of.Schema, Since: d.GoneSince.UTC()})
		}
	}
	text := fmt.Sprintf("job %s: %d %ss backed up", r.job.Name, len(out.Databases)-len(failed), r.job.PartKind())
	if len(out.Done) > 0 {
		text += fmt.Sprintf(", %d by the run that this one repeats", len(out.Done))
	}
	if len(failed) > 0 {
		text += fmt.Sprintf(", %d failed: %s", len(failed), strings.Join(failed, ", "))
	}
	log.InfoContext(ctx, text)
}

// save keeps what was found. Without it nothing is lost but the word of what is new and what is gone.
func (r *severalRun) save(ctx context.Context, log *slog.Logger, found *dump.Found) {
	if err := found.Save(r.stateDir, r.job); err != nil {
		log.WarnContext(ctx, err.Error(), event.Attr(event.Warning))
	}
}

// retries reports whether systemd started this run because the one before it failed. Where it cannot be asked,
// everything is backed up once more.
func (r *severalRun) retries(ctx context.Context) bool {
	if !r.headlessOptions.env.inUnit() {
		return false
	}
	bus, err := systemd.Connect(ctx)
	if err != nil {
		return false
	}
	defer func() { _ = bus.Close() }()
	u, err := bus.Unit(ctx, r.unit)
	return err == nil && u.Service.Restarts > 0 && u.InvocationID == r.headlessOptions.env.getenv("INVOCATION_ID")
}

// worstOfRun is the code by which systemd knows what to do: damage first, then what a retry may mend, since others
// may have failed for good beside it, then what it cannot, then warnings.
func worstOfRun(a, b fault.Code) fault.Code {
	rank := func(c fault.Code) int {
		switch {
		case c == fault.OK:
			return 0
		case c == fault.Warnings:
			return 1
		case c == fault.Integrity:
			return 4
		case c.Retryable():
			return 3
		}
		return 2
	}
	if rank(b) > rank(a) {
		return b
	}
	return a
}
