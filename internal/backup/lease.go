package backup

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

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
type lease struct {
	bucket *s3.Bucket
	key    string
	mine   leaseRecord
	now    func() time.Time
	term   time.Duration
	alone  bool // no other run of ours has a lock on the source: whoever had it from there is dead

	turn chan struct{} // one at a time; unlike for a mutex, waiting for it ends with a context
	etag string
	lost error
}

type leaseRecord struct {
	Schema  int            `json:"schema"`
	Run     string         `json:"run"`
	Host    string         `json:"host"`
	Source  printable.Name `json:"source"` // the server and database whose advisory lock the holder has
	Until   time.Time      `json:"until"`
	Release bool           `json:"released,omitempty"`
}

// leaseTerm is how long a lease lasts without renewal; it is renewed three times within it.
const leaseTerm = 3 * time.Minute

// ErrHeld is in the chain when another run holds the lock of the same database.
var ErrHeld = errors.New("another run holds the lock")

// takeLease returns nil and no error when the store knows no conditional puts: then only the
// advisory lock guards, and the caller warns.
func takeLease(ctx context.Context, l *lease) (*lease, error) {
	l.turn = make(chan struct{}, 1)
	if l.term == 0 {
		l.term = leaseTerm
	}
	etag, err := l.put(ctx, s3.PutOptions{IfNoneMatch: true})
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

func (l *lease) put(ctx context.Context, opts s3.PutOptions) (etag string, err error) {
	l.mine.Schema, l.mine.Until = 1, l.now().Add(l.term).UTC()
	body, err := json.Marshal(l.mine)
	if err != nil {
		return "", err
	}
	opts.ContentType = "application/json"
	o, err := l.bucket.Put(ctx, l.key, body, opts)
	return o.ETag, err
}

// takeOverTries bounds how often somebody else may be quicker: each of them is looked at.
const takeOverTries = 5

// takeOver takes a lease that nobody holds any more. What is there is judged anew whenever it changed
// meanwhile: it may be ours, written by a put whose answer said otherwise, and a holder that was read
// before is not the one to be named.
func (l *lease) takeOver(ctx context.Context) (etag string, err error) {
	var holder leaseRecord
	for range takeOverTries {
		if holder, etag, err = readLease(ctx, l.bucket, l.key, l.term); err != nil {
			return "", err
		}
		dead := l.alone && holder.Host == l.mine.Host && holder.Source == l.mine.Source
		if holder.Run != l.mine.Run && !dead && holder.live(l.now()) {
			return "", heldBy(holder)
		}
		if etag, err = l.put(ctx, s3.PutOptions{IfMatch: etag}); !errors.Is(err, s3.ErrChanged) {
			return etag, err
		}
	}
	return "", heldBy(holder)
}

func (r leaseRecord) live(now time.Time) bool { return !r.Release && now.Before(r.Until) }

func heldBy(r leaseRecord) error {
	if r.Release || r.Run == "" {
		return fault.New(fault.Temporary, "backup: other runs take the lease of this database one after the other", "try again", ErrHeld)
	}
	return fault.New(fault.Temporary, fmt.Sprintf("backup: run %s on host %s is writing here until %s",
		r.Run, r.Host, r.Until.Format(time.RFC3339)), "wait for it to end; it is given up by itself when it no longer answers", ErrHeld)
}

// readLease reads who holds the lease, and the ETag of that knowledge. Until is counted from when
// the store got it: a holder whose clock was wrong by years blocks nobody for years. One that
// can't be read, or was not renewed for so long that it went to an archive, is nobody's.
func readLease(ctx context.Context, bucket *s3.Bucket, key string, term time.Duration) (leaseRecord, string, error) {
	raw, o, err := fetch(ctx, bucket, key, maxLease)
	if errors.Is(err, s3.ErrArchived) {
		raw = nil
		o, err = bucket.Head(ctx, key)
	}
	if err != nil && (fault.CodeOf(err) != fault.Integrity || errors.Is(err, s3.ErrChanged)) {
		return leaseRecord{}, "", err
	}
	return parseLease(raw, o.LastModified, term), o.ETag, nil
}

// parseLease never fails: what can't be read is nobody's lease.
func parseLease(raw []byte, stored time.Time, term time.Duration) (r leaseRecord) {
	if json.Unmarshal(raw, &r) != nil || sane(&r) != nil {
		return leaseRecord{}
	}
	if !stored.IsZero() {
		r.Until = stored.Add(term)
	}
	return r
}

// hold renews the lease and fails when somebody else has it. Called right before the commit, it
// is what stops a run that was paused beyond its lease.
func (l *lease) hold(ctx context.Context) error {
	if err := l.enter(ctx); err != nil {
		return err
	}
	defer l.leave()
	if err := l.renew(ctx); err != nil {
		return fmt.Errorf("backup: renew lease: %w", err)
	}
	return nil
}

// release gives the lease up. A failure only delays others until it expires.
func (l *lease) release(ctx context.Context) error {
	if err := l.enter(ctx); err != nil {
		return err
	}
	defer l.leave()
	if l.lost != nil {
		return nil
	}
	l.mine.Release = true
	if err := l.renew(ctx); err != nil && l.lost == nil {
		return fmt.Errorf("backup: release lease: %w", err)
	}
	return nil
}

func (l *lease) enter(ctx context.Context) error {
	select {
	case l.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("backup: wait for the lease's renewal: %w", context.Cause(ctx))
	}
}

func (l *lease) leave() { <-l.turn }

func (l *lease) renew(ctx context.Context) error {
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
func (l *lease) reclaim(ctx context.Context) (etag string, err error) {
	holder, etag, err := readLease(ctx, l.bucket, l.key, l.term)
	if err == nil && holder.Run == l.mine.Run {
		etag, err = l.put(ctx, s3.PutOptions{IfMatch: etag})
	} else if err == nil {
		err = s3.ErrChanged
	}
	if errors.Is(err, s3.ErrChanged) || errors.Is(err, s3.ErrNotFound) {
		l.lost = fault.New(fault.Temporary, "backup: this run lost its lease to another one while it was paused",
			"nothing to do: the other run goes on", ErrHeld)
		return "", l.lost
	}
	return etag, err
}

// ifNobody is the way out where no run is seen behind a lock of ours.
func ifNobody(h *postgres.Holder) string {
	return "If no run goes on: " + strings.ToLower(h.Remedy()[:1]) + h.Remedy()[1:]
}
