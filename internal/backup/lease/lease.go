// Package lease is the lock in the bucket: of two hosts that write to one folder, one goes on.
package lease

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

// A lease is a small object beside a database's sets that says who writes there now. It covers
// what the advisory lock cannot: two hosts that dump different servers into the same folder.
//
// It is taken and renewed by conditional puts, and released by overwriting (writers may lack the
// right to delete). A lease that its holder stopped renewing expires, by the store's clock; one
// whose dead holder ran against the very server whose advisory lock we hold is void at once. The
// holder proves that it still holds it right before it commits.
type Lease struct {
	Bucket *s3.Bucket
	Key    string
	Mine   Record
	Now    func() time.Time
	Term   time.Duration
	// Alone asks whether no other run of ours has a lock on the source: then whoever had the lease from there is
	// dead. Who has the lease took that lock before, so it is asked when the lease has been read, and not earlier.
	Alone func(context.Context) (bool, error)

	turn chan struct{} // one at a time; unlike for a mutex, waiting for it ends with a context
	etag string
	lost error
}

// Record is the lease as it is stored: who has it, and until when.
type Record struct {
	Schema  int            `json:"schema"`
	Run     string         `json:"run"`
	Host    string         `json:"host"`
	Source  printable.Name `json:"source"` // the server and database whose advisory lock the holder has
	Until   time.Time      `json:"until"`
	Release bool           `json:"released,omitempty"`
}

// Term is how long a lease lasts without renewal; it is renewed three times within it.
const Term = 3 * time.Minute

// ErrHeld is in the chain when another run holds the lock of the same database.
var ErrHeld = errors.New("another run holds the lock")

// Take returns nil and no error when the store knows no conditional puts: then only the
// advisory lock guards, and the caller warns.
func Take(ctx context.Context, l *Lease) (*Lease, error) {
	l.turn = make(chan struct{}, 1)
	if l.Term == 0 {
		l.Term = Term
	}
	etag, err := l.put(ctx, s3.PutOptions{IfNoneMatch: true})
	if err == nil {
		err = l.refusesASecond(ctx)
	}
	if errors.Is(err, s3.ErrExists) {
		etag, err = l.takeOver(ctx)
	}
	switch {
	case errors.Is(err, s3.ErrConditionsUnsupported):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("backup: take lease: %w", err)
	}
	l.etag = etag
	return l, nil
}

// refusesASecond is nil when the store, which took the lease as the first of its key, refuses a second one. A store
// that takes conditions and does not look at them has no leases: every run would hold one, and remove the
// uploads of the others.
func (l *Lease) refusesASecond(ctx context.Context) error {
	switch _, err := l.put(ctx, s3.PutOptions{IfNoneMatch: true}); {
	case err == nil:
		return s3.ErrConditionsUnsupported
	case errors.Is(err, s3.ErrExists), fault.CodeOf(err) == fault.Unavailable:
		return nil // without an answer nothing speaks against the store, and the lease is this run's
	default:
		return err
	}
}

func (l *Lease) put(ctx context.Context, opts s3.PutOptions) (etag string, err error) {
	l.Mine.Schema, l.Mine.Until = 1, l.Now().Add(l.Term).UTC()
	body, err := json.Marshal(l.Mine)
	if err != nil {
		return "", err
	}
	opts.ContentType = "application/json"
	o, err := l.Bucket.Put(ctx, l.Key, body, opts)
	return o.ETag, err
}

// takeOverTries bounds how often somebody else may be quicker: each of them is looked at.
const takeOverTries = 5

// takeOver takes a lease that nobody holds any more. What is there is judged anew whenever it changed
// meanwhile: it may be ours, written by a put whose answer said otherwise, and a holder that was read
// before is not the one to be named.
func (l *Lease) takeOver(ctx context.Context) (etag string, err error) {
	var holder Record
	for range takeOverTries {
		if holder, etag, err = Read(ctx, l.Bucket, l.Key, l.Term); err != nil {
			return "", err
		}
		held, err := l.heldNow(ctx, holder)
		if err != nil {
			return "", err
		}
		if held {
			return "", heldBy(holder)
		}
		if etag, err = l.put(ctx, s3.PutOptions{IfMatch: etag}); !errors.Is(err, s3.ErrChanged) {
			return etag, err
		}
	}
	return "", heldBy(holder)
}

// heldNow reports whether another run has the lease, and may be at work.
func (l *Lease) heldNow(ctx context.Context, holder Record) (bool, error) {
	if holder.Run == l.Mine.Run || holder.Release {
		return false, nil
	}
	now, err := l.storeTime(ctx)
	if err != nil || !holder.Live(now) {
		return false, err
	}
	if holder.Host != l.Mine.Host || holder.Source != l.Mine.Source {
		return true, nil
	}
	alone, err := l.Alone(ctx)
	return !alone, err
}

// storeTime is the clock that the end of another's lease is told by. This host's own may be minutes off without
// anybody's fault (backup.ClockBound), and a lease lasts three: a fast one would take it from a living run. It counts
// only where the store tells nobody its time, or not this role.
func (l *Lease) storeTime(ctx context.Context) (time.Time, error) {
	now, err := l.Bucket.Clock(ctx)
	if err == nil || ctx.Err() != nil || fault.CodeOf(err).Retryable() {
		return now, err
	}
	return l.Now(), nil
}

// Live reports whether the lease is neither given up nor over at a time.
func (r Record) Live(now time.Time) bool { return !r.Release && now.Before(r.Until) }

func heldBy(r Record) error {
	if r.Release || r.Run == "" {
		return fault.New(fault.Temporary, "backup: other runs take the lease of this database one after the other",
			"Try again.", ErrHeld)
	}
	return fault.New(fault.Temporary, fmt.Sprintf("backup: run %s on host %s is writing here until %s",
		r.Run, r.Host, r.Until.Format(time.RFC3339)),
		"Wait until it ends. It is given up by itself when it no longer answers.", ErrHeld)
}

// Read reads who holds the lease, and the ETag of that knowledge. Until is counted from when
// the store got it: a holder whose clock was wrong by years blocks nobody for years. One that
// can't be read, or was not renewed for so long that it went to an archive, is nobody's.
func Read(ctx context.Context, bucket *s3.Bucket, key string, term time.Duration) (Record, string, error) {
	raw, o, err := backup.Fetch(ctx, bucket, key, backup.MaxLease)
	if errors.Is(err, s3.ErrArchived) {
		raw = nil
		o, err = bucket.Head(ctx, key)
	}
	if err != nil && (fault.CodeOf(err) != fault.Integrity || errors.Is(err, s3.ErrChanged)) {
		return Record{}, "", err
	}
	return parse(raw, o.LastModified, term), o.ETag, nil
}

// parse never fails: what can't be read is nobody's lease.
func parse(raw []byte, stored time.Time, term time.Duration) (r Record) {
	if json.Unmarshal(raw, &r) != nil || backup.Sane(&r) != nil {
		return Record{}
	}
	if !stored.IsZero() {
		r.Until = stored.Add(term)
	}
	return r
}

// Hold renews the lease and fails when somebody else has it. Called right before the commit, it
// is what stops a run that was paused beyond its lease.
func (l *Lease) Hold(ctx context.Context) error {
	if err := l.enter(ctx); err != nil {
		return err
	}
	defer l.leave()
	if err := l.renew(ctx); err != nil {
		return fmt.Errorf("backup: renew lease: %w", err)
	}
	return nil
}

// Release gives the lease up. A failure only delays others until it expires.
func (l *Lease) Release(ctx context.Context) error {
	if err := l.enter(ctx); err != nil {
		return err
	}
	defer l.leave()
	if l.lost != nil {
		return nil
	}
	l.Mine.Release = true
	if err := l.renew(ctx); err != nil && l.lost == nil {
		return fmt.Errorf("backup: release lease: %w", err)
	}
	return nil
}

func (l *Lease) enter(ctx context.Context) error {
	select {
	case l.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("backup: wait for the lease's renewal: %w", context.Cause(ctx))
	}
}

func (l *Lease) leave() { <-l.turn }

func (l *Lease) renew(ctx context.Context) error {
	if l.lost != nil {
		return l.lost
	}
	etag, err := l.put(ctx, s3.PutOptions{IfMatch: l.etag})
	if errors.Is(err, s3.ErrChanged) {
		etag, err = l.reclaim(ctx)
	}
	if err == nil {
		l.etag = etag
	}
	return err
}

// reclaim looks who changed the lease. It was ourselves when an earlier renewal reached the store
// but its answer was lost for good.
func (l *Lease) reclaim(ctx context.Context) (etag string, err error) {
	holder, etag, err := Read(ctx, l.Bucket, l.Key, l.Term)
	if err == nil && holder.Run == l.Mine.Run {
		etag, err = l.put(ctx, s3.PutOptions{IfMatch: etag})
	} else if err == nil {
		err = s3.ErrChanged
	}
	if errors.Is(err, s3.ErrChanged) || errors.Is(err, s3.ErrNotFound) {
		l.lost = fault.New(fault.Temporary, "backup: this run lost its lease to another one while it was paused",
			"Nothing needs to be done: the other run continues.", ErrHeld)
		return "", l.lost
	}
	return etag, err
}

// IfNobody is the way out where no run is seen behind a lock of ours.
func IfNobody(h *postgres.Holder) string {
	return "If no run is in progress: " + strings.ToLower(h.Remedy()[:1]) + h.Remedy()[1:]
}
