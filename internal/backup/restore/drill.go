package restore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"filippo.io/age"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/meter"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/event"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
)

// DrillRequest says where a private server may have its files.
type DrillRequest struct {
	Dir       string // with room for the whole database; "" is the job's spool folder, else the system's
	SocketDir string // "" is the system's for temporary files

	Unit       string // socket of the unit that has the server; "": there is none
	Jobs       int    // parallel sessions, as a restore's; 0: as many as a restore would use
	Unconfined bool   // the set is trusted: without a unit, its code may run with this user's rights

	ServerMemory, Memory int64 // bytes that the server's unit and this one may have; 0: not known
}

// Drilled is what a drill found, and where it was recorded.
type Drilled struct {
	Proof    backup.Proof
	Recorded string   // key of the proof object; "" when it could not be written
	Warnings []string // those of the proof, and what kept it from being recorded
}

// Drill rehearses the recovery: a whole restore of a set, roles first, into a server that nobody
// else uses, and then everything that can be held against the set: the rows of every table,
// owners, grants, extensions, and what the configuration expects. Whatever happens, nothing of it
// is left.
//
// A set whose bytes are bad, that does not restore, or whose copy is wrong, is code Integrity, and the failure is
// recorded as evidence that tells the first from the others (FaultKind). A drill that could not be carried out (no
// room, no server programs, an extension that is not installed here, a server that was killed) proves nothing and is
// not recorded, nor is what a server of another major version refuses.
func Drill(
	ctx context.Context, job config.Job, env backup.Env, set *backup.Set, req DrillRequest, identities []age.Identity,
) (*Drilled, error) {
	d := newDrilling(job, env, set, req, identities)
	ctx, stop := d.meter.Follow(ctx)
	defer stop()
	d.log.InfoContext(ctx, "drill of "+set.ID+" started", event.Attr(event.DrillStarted))
	err := backup.Unusable(set)
	if err == nil {
		err = backup.CauseOf(ctx, d.do(ctx))
	}
	return d.conclude(ctx, err)
}

// drilling is a restore with what comes before and after it.
type drilling struct {
	*restoring
	drill DrillRequest
	scene scene
	proof backup.Proof
	facts backup.DrillFacts

	unlike []string // settings of the source's server that this one refused

	sourceMajor, hereMajor int // versions of the set's server and of the drill's; 0: not known
}

func newDrilling(
	job config.Job, env backup.Env, set *backup.Set, req DrillRequest, identities []age.Identity,
) *drilling {
	job.Postgres.User = "" // the backups' role; a drill logs in as its own
	id := backup.NewID(env.Now())
	to := drillPrefix + strings.ReplaceAll(strings.ToLower(id), "-", "_")
	restore := newRestoring(job, env, set, Request{To: to, NoTablespaces: true, Jobs: req.Jobs}, identities)
	restore.rehearses = true
	restore.meter = meter.New("drill", set.Database, job.StallAfter, env.Progress)
	restore.log = env.Log.With(slog.String("set", set.ID), slog.String("database", set.Database), slog.String("run", id))
	restore.target.log = restore.log
	d := &drilling{restoring: restore, drill: req}
	d.source.keptDir = d.dir()
	d.proof = backup.Proof{
		Schema: backup.ManifestSchema, Set: set.ID, Kind: "drill", Level: backup.LevelRestored.String(),
		StartedAt: env.Stamp(), Host: env.Host, InvocationID: env.InvocationID,
	}
	return d
}

func (d *drilling) do(ctx context.Context) (err error) {
	d.meter.Enter(backup.StageServer, 0)
	if err := d.drillable(); err != nil {
		return err
	}
	if d.scene, err = d.open(ctx); err != nil {
		return err
	}
	if d.facts.Private {
		var stop func()
		ctx, stop = d.env.Disks.Keep(ctx, "drill", d.dir(), d.drill.remedySpace())
		defer stop()
	}
	defer func() {
		if ctx.Err() == nil {
			err = d.nameRow(d.scene.blame(err))
		}
		d.source.remove()
		d.clear(ctx)
	}()
	d.meter.Enter(backup.StagePreflight, 0)
	if err := d.target.connect(ctx); err != nil {
		return err
	}
	defer d.target.close(ctx)
	for _, step := range []func(context.Context) error{
		d.prepare, d.roles, d.create, d.likeSource, d.outside, d.loadAll, d.leaveKeysOut, d.finish, d.check,
	} {
		if err := step(ctx); err != nil {
			return backup.CauseOf(ctx, err)
		}
	}
	return nil
}

// drillable is what can be seen without a server. An earlier failure does not stand in the way: a
// drill is what answers it.
func (d *drilling) drillable() error {
	if d.source.set.Kind == backup.KindIncomplete {
		return fault.New(fault.Refused, "drill: set "+d.source.set.ID+" was never finished",
			"Choose another set: `pgbtui list` shows which there are.", nil)
	}
	if d.source.set.Encrypted() && len(d.source.identities) == 0 {
		return fault.New(fault.Refused, "drill: the set is encrypted, and there is no age identity here",
			"Give the unit the credential age-identity, set encryption.identity_file, or use --identity. "+remedyNotHere, nil)
	}
	return nil
}

// loadAll is the restore. What a sound server refuses is the set's fault, though none of its bytes: these were
// held against their digests before the server got them.
func (d *drilling) loadAll(ctx context.Context) error {
	err := d.loadInSessions(ctx)
	var exit *postgres.ExitError
	if !errors.As(err, &exit) || !d.refusesObject(err, exit) || ctx.Err() != nil || d.target.server.Alive(ctx) != nil {
		return err
	}
	if len(d.unlike) > 0 {
		return d.unlikeSource(err)
	}
	if extension := ofExtension(exit); extension != "" && !exit.AlreadyExists() {
		return extensionNotHere(extension, err)
	}
	if d.otherMajor() {
		return d.failsInOtherMajor(err)
	}
	what := "drill: the dump does not restore"
	if objects := exit.Objects(); len(objects) > 0 {
		what += " as a whole: " + strings.Join(objects, ", ")
	}
	return &notWholeError{objects: exit.Objects(), err: fault.New(fault.Integrity, what,
		"Correct the object in the source and back it up again. Until then restore parts of a set, or all that can be "+
			"created (restore --keep-going).", err)}
}

// loadInSessions uses as many as a restore would: what a drill takes is what a restore is expected to take.
func (d *drilling) loadInSessions(ctx context.Context) error {
	if d.req.Jobs > 1 && d.headless() {
		if err := d.prepareSessions(ctx); err != nil {
			return err
		}
	}
	if d.sessions.archive != nil {
		d.log.InfoContext(ctx, fmt.Sprintf("drill: %d parallel sessions", d.req.Jobs))
	}
	return d.load(ctx)
}

// refusesObject tells what PostgreSQL makes of the set's objects from what this host lacks. Into a database that
// was new a moment ago, only the set itself can have brought what exists already; and the superuser of a private
// server may do everything but what an object forbids.
func (d *drilling) refusesObject(err error, exit *postgres.ExitError) bool {
	switch fault.CodeOf(err) { //nolint:exhaustive // the others say that the drill could not be carried out
	case fault.Failed:
		return true
	case fault.Refused:
		return exit.AlreadyExists()
	case fault.NotPermitted:
		return d.facts.Private && len(exit.Objects()) > 0
	}
	return false
}

// notWholeError is a failure of the copy, not of the bytes that it was made from.
type notWholeError struct {
	objects []string // that could not be created
	err     error
}

func (e *notWholeError) Error() string { return e.err.Error() }
func (e *notWholeError) Unwrap() error { return e.err }

// check carries out what looks at the finished copy. Whatever it finds wrong, the bytes were right.
func (d *drilling) check(ctx context.Context) error {
	if err := d.compareRows(ctx); err != nil {
		return ofTheCopy(err)
	}
	for _, step := range []func(context.Context) error{
		d.compareOwners, d.compareGrants, d.compareExtensions, d.expect, d.amcheck,
	} {
		err := step(ctx)
		if fault.CodeOf(err) == fault.Integrity && d.otherMajor() {
			return d.failsInOtherMajor(err)
		}
		if err != nil {
			return ofTheCopy(err)
		}
	}
	return nil
}

// ofTheCopy says of what was found wrong that it is not in the bytes.
func ofTheCopy(err error) error {
	if fault.CodeOf(err) == fault.Integrity {
		return &notWholeError{err: err}
	}
	return err
}

// compareRows keeps what restores note as what this drill does not show.
func (d *drilling) compareRows(ctx context.Context) error {
	if err := d.compare(ctx); err != nil {
		return err
	}
	if len(d.result.unproven) > 0 {
		d.doesNotProve(rowsOfExtensions + ": " + strings.Join(backup.Shorten(d.result.unproven), "; "))
	}
	d.proof.Tables, d.proof.Rows = d.result.Tables, d.result.Rows
	if m := d.source.set.Manifest; m != nil {
		d.proof.Bytes = m.DumpBytes()
	}
	if !d.result.Compared { // read and restored whole, but nobody knows whether it is all
		d.proof.Level = backup.LevelReadable.String()
		d.doesNotProve("the number of rows: none were recorded when the set was written")
	}
	return nil
}

func (d *drilling) doesNotProve(what string) { d.proof.NotProven = append(d.proof.NotProven, what) }
func (d *drilling) warn(what string)         { d.proof.Warnings = append(d.proof.Warnings, what) }

// conclude records the evidence, also of a failure that lies in the set.
func (d *drilling) conclude(ctx context.Context, err error) (*Drilled, error) {
	d.proof.FinishedAt = d.env.Stamp()
	d.proof.Stages, d.proof.OK = d.meter.Stages(), err == nil
	d.proof.Warnings = append(d.proof.Warnings, d.result.Notes...)
	logCtx := context.WithoutCancel(ctx)
	if err != nil {
		d.log.ErrorContext(logCtx, "drill failed: "+withoutWord(err, "drill"), event.Attr(event.DrillFailed),
			slog.Int("exit", int(fault.CodeOf(err))), slog.String("remedy", fault.Remedy(err)))
		if fault.CodeOf(err) != fault.Integrity {
			return nil, err
		}
		d.proof.Error, d.proof.Fault = err.Error(), backup.FaultBytes
		if whole := (*notWholeError)(nil); errors.As(err, &whole) {
			d.proof.Fault, d.proof.Objects = backup.FaultRestore, whole.objects
		}
	}
	if d.facts.Server != "" { // else nothing was tried
		d.proof.Drill = &d.facts
	}
	result := &Drilled{Proof: d.proof}
	var warning string
	recorded := d.proof
	if d.source.set.Encrypted() {
		recorded = discreet(recorded)
	}
	result.Recorded, warning = backup.RecordProof(logCtx, d.env.Bucket, d.source.set, recorded)
	if result.Warnings = d.proof.Warnings; warning != "" {
		result.Warnings = append(result.Warnings, warning)
	}
	for _, w := range result.Warnings {
		d.log.WarnContext(logCtx, w, event.Attr(event.Warning))
	}
	if err == nil {
		took := d.proof.FinishedAt.Sub(d.proof.StartedAt).Round(time.Second)
		d.log.InfoContext(logCtx,
			fmt.Sprintf("drilled %s in %s: %d tables, %d rows, %d owners, all as dumped", d.source.set.ID, took, d.proof.Tables,
				d.proof.Rows, d.facts.Owners),
			event.Attr(event.DrillOK), slog.Int64("rows", d.proof.Rows))
	}
	return result, err
}

// discreet leaves out of a proof, which is never encrypted, what only the encrypted parts of a set
// tell: names of tables and roles, settings. They are in the journal of the run.
func discreet(p backup.Proof) backup.Proof {
	const elsewhere = "the set is encrypted, so this is only in the journal of the run"
	if p.Error != "" {
		p.Error, p.Objects = elsewhere, nil
	}
	if n := len(p.Warnings); n > 0 {
		p.Warnings = []string{fmt.Sprintf("%d warnings: %s", n, elsewhere)}
	}
	p.NotProven = slices.Clone(p.NotProven)
	for i, what := range p.NotProven {
		p.NotProven[i], _, _ = strings.Cut(what, ": ")
	}
	return p
}
