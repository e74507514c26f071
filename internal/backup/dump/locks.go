package dump

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/lease"
	"codeberg.org/pgbtui/pgbtui/internal/backup/retention"
	"codeberg.org/pgbtui/pgbtui/internal/event"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

// lock connects and takes both locks: the advisory lock on the source, which dies with its
// connection, and the lease in the bucket.
func (r *run) lock(ctx context.Context) (release func(), err error) {
	r.source = nil // of a try before
	r.server, err = backup.WaitFor(ctx, r.log, r.target(), r.job.ConnectWait)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			r.close(ctx)
		}
	}()
	if err := r.server.EnoughSessions(ctx); err != nil {
		return nil, err
	}
	if err := r.lockSource(ctx); err != nil {
		return nil, err
	}
	if r.facts, err = r.server.Facts(ctx); err != nil {
		return nil, err
	}
	held, err := r.takeLease(ctx)
	if err != nil {
		return nil, err
	}
	r.tellStranger(ctx)
	r.tellStandby(ctx)
	r.guard = &guard{server: r.server, lease: held, every: r.leaseTerm() / 3, lost: r.cancel}
	r.guard.start(ctx)
	return func() { r.close(ctx) }, nil
}

// lockSource takes the advisory lock.
func (r *run) lockSource(ctx context.Context) error {
	lock, holder, err := r.server.TryLock(ctx, r.sourceKey())
	if err != nil {
		return err
	}
	if lock == nil {
		return r.heldInSource(holder)
	}
	r.source = lock
	return nil
}

func (r *run) heldInSource(holder *postgres.Holder) error {
	return fault.New(fault.Temporary, fmt.Sprintf("backup: another run is backing up %q: %s", r.job.Database, holder),
		"Wait until it ends: `pgbtui` shows it. "+lease.IfNobody(holder), lease.ErrHeld)
}

// tellStranger is a warning for whoever looks after the server, and none of the set: nothing of it
// is missing.
func (r *run) tellStranger(ctx context.Context) {
	if stranger := r.source.Stranger; stranger != nil {
		r.log.WarnContext(ctx, fmt.Sprintf("somebody else holds the advisory lock of backups of %q, which did not keep "+
			"this one from its work: %s",
			r.job.Database, stranger), event.Attr(event.Warning), slog.String("remedy", stranger.Remedy()))
	}
}

// tellStandby is no warning of the set either: every one of a standby lacks these rows, by what a standby is.
func (r *run) tellStandby(ctx context.Context) {
	if r.facts.InRecovery && r.facts.Unlogged > 0 {
		r.log.WarnContext(ctx,
			fmt.Sprintf("the rows of %d unlogged tables are not in backups of a hot standby, which has none of them",
				r.facts.Unlogged),
			event.Attr(event.Warning),
			slog.String("remedy", "back up the primary if they are needed; a restore tells it too"))
	}
}

func (r *run) leaseTerm() time.Duration {
	if r.env.LeaseTerm > 0 {
		return r.env.LeaseTerm
	}
	return lease.Term
}

func (r *run) target() postgres.Target {
	p := r.job.Postgres
	return postgres.Target{
		Host: p.Host, Port: p.Port, User: p.User, Database: r.job.Database, InEnglish: r.facts.MayHaveEnglish(),
	}
}

// takeLease is nil without an error where the store can't give one.
func (r *run) takeLease(ctx context.Context) (*lease.Lease, error) {
	l, err := lease.Take(ctx, &lease.Lease{
		Bucket: r.env.Bucket, Key: backup.LeaseKey(r.job), Now: r.env.Now, Term: r.leaseTerm(), Alone: r.alone,
		Mine: lease.Record{Run: r.opts.ID, Host: r.env.Host, Source: printable.Name(r.sourceName())},
	})
	switch {
	case err != nil:
		return nil, err
	case l == nil && len(r.source.Rivals) > 0: // nothing else tells which of the two goes on
		return nil, r.heldInSource(&r.source.Rivals[0])
	case l == nil:
		r.log.InfoContext(ctx, "the store has no conditional writes: only PostgreSQL's lock guards against a second run")
	}
	return l, nil
}

// sourceKey is what the advisory lock is of.
func (r *run) sourceKey() string { return r.job.Instance + "/" + r.job.Database }

// alone reports whether no other run of ours has a lock on the source now.
func (r *run) alone(ctx context.Context) (bool, error) {
	rivals, err := r.server.Rivals(ctx, r.sourceKey())
	return len(rivals) == 0, err
}

// sourceName says whose advisory lock this run has: of two runs with one name, the lock shows that
// the other is dead. It shows nothing about a run of another role.
func (r *run) sourceName() string {
	if r.facts.SystemIdentifier == "" {
		return r.opts.ID // unknown: equal to nobody's, so that no lease is taken over early
	}
	return fmt.Sprintf("%s/%s/%t@%s:%s as %s", r.facts.SystemIdentifier, r.job.Database, r.facts.InRecovery,
		r.job.Postgres.Host, r.job.Postgres.Port, r.source.Role)
}

// close gives up lease, advisory lock and connection. Failures are only told: the work is done,
// and each of them ends by itself.
func (r *run) close(ctx context.Context) {
	ctx, cancel := backup.Afterwards(ctx)
	defer cancel()
	var errs []error
	if r.guard != nil {
		r.guard.end()
		if r.guard.lease != nil {
			errs = append(errs, r.guard.lease.Release(ctx))
		}
	}
	if r.source != nil {
		errs = append(errs, r.source.Release(ctx))
	}
	errs = append(errs, r.server.Close(ctx))
	if err := errors.Join(errs...); err != nil {
		r.log.InfoContext(ctx, "giving up the locks: "+err.Error())
	}
}

// preflight chooses the tools and clears what dead runs of this database left behind.
func (r *run) preflight(ctx context.Context) (err error) {
	r.enter(ctx, backup.StagePreflight, 0)
	if r.tools, err = postgres.FindTools(ctx, r.job.Postgres.BinDir, r.facts.VersionNum/10000); err != nil {
		return err
	}
	if err := r.tools.CheckFrom(r.facts); err != nil { // a set that restores elsewhere is better than none
		r.warn(ctx, err.Error()+". "+fault.Remedy(err))
	}
	if err := r.prepareLock(ctx); err != nil {
		return err
	}
	if err := r.refuseUsedFolder(ctx); err != nil {
		return err
	}
	return r.sweep(ctx)
}

// refuseUsedFolder: what is written here is removed when the run fails, so nothing of anybody
// else may be there.
func (r *run) refuseUsedFolder(ctx context.Context) error {
	for o, err := range r.env.Bucket.List(ctx, r.dir) {
		if fault.CodeOf(err) == fault.NotPermitted {
			return nil // some writers may not list
		}
		if err != nil {
			return err
		}
		return fault.New(fault.Refused, "backup: there is already a set "+r.opts.ID+": "+o.Key,
			"Run again: each run has its own ID.", nil)
	}
	return nil
}

// sweep aborts the uploads of dead runs. Its failure costs a warning: a backup is worth more than
// tidiness. With the lease, every upload here is a dead run's; without, only the old ones are.
func (r *run) sweep(ctx context.Context) error {
	var before time.Time
	if r.guard.lease == nil {
		before = r.env.Now().Add(-backup.Youngest)
	}
	removed, err := retention.SweepUploads(ctx, r.env.Bucket,
		backup.FolderOf(r.job), before)
	for _, key := range removed {
		r.log.InfoContext(ctx, "removed the unfinished upload of an earlier run: "+key, event.Attr(event.LeftoverRemoved),
			slog.String("key", key))
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	switch {
	case errors.Is(err, s3.ErrUploadsUnlisted): // config check says so, and nobody can do anything about it now
		r.log.InfoContext(ctx, "uploads of runs that were killed are not looked for: "+err.Error())
	case err != nil:
		r.warn(ctx, err.Error())
	}
	return nil
}
