package backup

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

// A lease is a small object beside a database's sets that says who writes there now. It covers
// what the advisory lock cannot: two hosts that dump different servers into the same folder.
//
// It is taken and renewed by conditional puts, and released by overwriting (writers may lack the
// right to delete). A lease that its holder stopped renewing expires; one whose dead holder ran
// against the very server whose advisory lock we hold is void at once. The holder proves that it
// still holds it right before it commits.
type lease struct {
	bucket *s3.Bucket
	key    string
	mine   leaseRecord
	now    func() time.Time

	mu   sync.Mutex
	etag string
	lost error
	stop context.CancelFunc
	done chan struct{}
}

type leaseRecord struct {
	Schema  int       `json:"schema"`
	Run     string    `json:"run"`
	Host    string    `json:"host"`
	Source  string    `json:"source"` // the server and database whose advisory lock the holder has
	Until   time.Time `json:"until"`
	Release bool      `json:"released,omitempty"`
}

// leaseTerm is how long a lease lasts without renewal; it is renewed three times within it.
const leaseTerm = 3 * time.Minute

// takeLease returns nil and no error when the store knows no conditional puts: then only the
// advisory lock guards, and the caller warns.
func takeLease(ctx context.Context, l *lease) (*lease, error) {
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
	renewCtx, stop := context.WithCancel(context.WithoutCancel(ctx))
	l.stop, l.done = stop, make(chan struct{})
	go l.renewing(renewCtx)
	return l, nil
}

func (l *lease) put(ctx context.Context, opts s3.PutOptions) (etag string, err error) {
	l.mine.Schema, l.mine.Until = 1, l.now().Add(leaseTerm).UTC()
	body, err := json.Marshal(l.mine)
	if err != nil {
		return "", err
	}
	opts.ContentType = "application/json"
	o, err := l.bucket.Put(ctx, l.key, body, opts)
	return o.ETag, err
}

func (l *lease) takeOver(ctx context.Context) (etag string, err error) {
	holder, etag, err := l.holder(ctx)
	if err != nil {
		return "", err
	}
	dead := holder.Host == l.mine.Host && holder.Source == l.mine.Source
	if !holder.Release && !dead && l.now().Before(holder.Until) {
		return "", heldBy(holder)
	}
	etag, err = l.put(ctx, s3.PutOptions{IfMatch: etag})
	if errors.Is(err, s3.ErrChanged) {
		return "", heldBy(holder)
	}
	return etag, err
}

// ErrHeld is in the chain when another run holds the lock of the same database.
var ErrHeld = errors.New("another run holds the lock")

func heldBy(r leaseRecord) error {
	return fault.New(fault.Temporary, fmt.Sprintf("backup: run %s on host %s is writing here until %s",
		r.Run, r.Host, r.Until.Format(time.RFC3339)), "wait for it to end; it is given up by itself when it no longer answers", ErrHeld)
}

// holder reads the lease. An unreadable one counts as expired: it is nobody's.
func (l *lease) holder(ctx context.Context) (leaseRecord, string, error) {
	raw, o, err := fetch(ctx, l.bucket, l.key, maxDocument)
	if err != nil {
		return leaseRecord{}, "", err
	}
	var r leaseRecord
	if json.Unmarshal(raw, &r) != nil {
		return leaseRecord{}, o.ETag, nil
	}
	return r, o.ETag, nil
}

func (l *lease) renewing(ctx context.Context) {
	defer close(l.done)
	tick := time.NewTicker(leaseTerm / 3)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			// A failed renewal is not the end: the next one, or hold before the commit, decides.
			_ = l.hold(ctx)
		}
	}
}

// hold renews the lease and fails when somebody else has it. Called right before the commit, it
// is what stops a run that was paused beyond its lease.
func (l *lease) hold(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lost != nil {
		return l.lost
	}
	etag, err := l.put(ctx, s3.PutOptions{IfMatch: l.etag})
	if errors.Is(err, s3.ErrChanged) || errors.Is(err, s3.ErrNotFound) {
		l.lost = fault.New(fault.Temporary, "backup: this run lost its lease to another one while it was paused",
			"nothing to do: the other run goes on", ErrHeld)
		return l.lost
	}
	if err != nil {
		return fmt.Errorf("backup: renew lease: %w", err)
	}
	l.etag = etag
	return nil
}

// release ends the renewing and gives the lease up. A failure only delays others until it expires.
func (l *lease) release(ctx context.Context) error {
	l.stop()
	<-l.done
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lost != nil {
		return nil
	}
	l.mine.Release = true
	_, err := l.put(ctx, s3.PutOptions{IfMatch: l.etag})
	if err != nil {
		return fmt.Errorf("backup: release lease: %w", err)
	}
	return nil
}
