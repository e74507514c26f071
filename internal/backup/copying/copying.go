// Package copying puts the sets of a job into a second place: another bucket, region or account.
//
// Rules: a copy is the same set, byte for byte, with the same manifest and signature under the same ID, and it exists
// when its manifest exists, which is written last on condition that there is none. Nothing is copied that is not good
// and, where keys are configured, signed by one of them. What the store copied by itself is believed only where the
// store's own checksum of the copy is the manifest's; everything else passes through here and is hashed. Proofs are
// not copied, since a copy has to earn its own; a hold goes along. Nothing is ever thawed, and nothing is ever deleted
// at the source.
package copying

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/lease"
	"codeberg.org/pgbtui/pgbtui/internal/backup/meter"
	"codeberg.org/pgbtui/pgbtui/internal/backup/repeat"
	"codeberg.org/pgbtui/pgbtui/internal/backup/retention"
	"codeberg.org/pgbtui/pgbtui/internal/backup/signing"
	"codeberg.org/pgbtui/pgbtui/internal/backup/thaw"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/event"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

// Copier copies the sets of one job, of one database, to one of its copies.
type Copier struct {
	Env backup.Env // of the source
	To  *s3.Bucket
	Job config.Job // at the source
	At  config.Job // the same at the copy

	streams bool // the store does not copy by itself
	held    *lease.Lease
}

// Done is what was copied.
type Done struct {
	Set      *backup.Set
	Bytes    int64 // of its objects
	ByStore  bool  // the store copied them all by itself, or had them from a run that was interrupted
	Warnings []string
}

// Look says which sets the copy lacks. It changes nothing.
func (c *Copier) Look(ctx context.Context) (Choice, error) {
	if c.To.SameStore(c.Env.Bucket) && c.To.Bucket() == c.Env.Bucket.Bucket() && c.At.S3.Prefix == c.Job.S3.Prefix {
		return Choice{}, fault.New(fault.Config, fmt.Sprintf("copy: copy %q is where the sets are already", c.At.Copy),
			"Name another bucket or another store under `copies:`.", nil)
	}
	scope := backup.ScopeOf(c.Job)
	source, err := backup.NewCatalogue(c.Env.Bucket, c.Job).KeepIn(c.Env.CacheDir).Sets(ctx, scope)
	if err != nil {
		return Choice{}, err
	}
	there, err := backup.NewCatalogue(c.To, c.At).KeepIn(c.Env.CacheDir).Sets(ctx, scope)
	if err != nil {
		return Choice{}, fmt.Errorf("copy: look at copy %q: %w", c.At.Copy, err)
	}
	choice, err := Choose(source, there, c.At, c.Env.Now())
	if err != nil {
		return choice, err
	}
	var readable []*backup.Set
	for _, set := range choice.Sets {
		archived, err := c.archived(ctx, set)
		if err != nil {
			return choice, err
		}
		if archived != "" {
			choice.LeftOut = append(choice.LeftOut, LeftOut{set, archived})
			continue
		}
		readable = append(readable, set)
	}
	choice.Sets = readable
	choice.source = source
	return choice, nil
}

// HoldAlong holds at the copy what is held at the source by now.
func (c *Copier) HoldAlong(ctx context.Context, choice Choice) error {
	return c.holdAlong(ctx, choice.source, choice.There)
}

// archived is why a set cannot be read now, or "". A copy never thaws anything: that costs money.
func (c *Copier) archived(ctx context.Context, set *backup.Set) (string, error) {
	if !thaw.May(set) {
		return "", nil
	}
	standing, err := thaw.Of(ctx, c.Env.Bucket, set)
	if err != nil || !standing.Unreadable() {
		return "", err
	}
	return "it is " + standing.Text() + ": thaw it to have it copied", nil
}

// Run copies sets, the first one first, while nobody else writes to the copy's folder. each is told of every set that
// is done or failed; a set that fails does not stop the others, unless the copy cannot be written to at all.
func (c *Copier) Run(ctx context.Context, sets []*backup.Set, each func(*Done, *backup.Set, error)) error {
	if len(sets) == 0 {
		return nil
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	release, err := c.claim(ctx, stop)
	if err != nil {
		return err
	}
	defer release()
	c.sweep(ctx)
	for _, set := range sets {
		done, err := c.one(ctx, set)
		err = backup.CauseOf(ctx, err)
		if err != nil {
			c.failed(ctx, set, err)
		}
		each(done, set, err)
		if err != nil && endsAll(ctx, err) {
			return nil
		}
	}
	return nil
}

// endsAll reports whether the next set would fail in the same way.
func endsAll(ctx context.Context, err error) bool {
	switch fault.CodeOf(err) {
	case fault.Unavailable, fault.NotPermitted, fault.Config, fault.Temporary:
		return true
	default:
		return ctx.Err() != nil
	}
}

func (c *Copier) failed(ctx context.Context, set *backup.Set, err error) {
	c.log(set).ErrorContext(context.WithoutCancel(ctx),
		fmt.Sprintf("set %s was not copied to %s: %s", set.ID, c.At.Copy, err),
		event.Attr(event.CopyFailed), slog.String("remedy", fault.Remedy(err)))
}

func (c *Copier) log(set *backup.Set) *slog.Logger {
	return c.Env.Log.With(slog.String("job", c.Job.Name), slog.String("database", c.Job.Database),
		slog.String("set", set.ID), slog.String("copy", c.At.Copy))
}

// claim takes the lease of the copy's folder, and renews it until release.
func (c *Copier) claim(ctx context.Context, lost func(error)) (release func(), err error) {
	held, err := c.lease(ctx)
	if err != nil {
		return nil, err
	}
	if held == nil {
		c.Env.Log.InfoContext(ctx, "the store of copy "+c.At.Copy+" has no conditional writes: nothing guards against a "+
			"second run")
		return func() {}, nil
	}
	c.held = held
	end := repeat.Until(ctx, c.term()/3, func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, c.term()/3)
		defer cancel()
		if err := held.Hold(ctx); errors.Is(err, lease.ErrHeld) {
			return err
		}
		return nil
	}, lost)
	return func() {
		end()
		ctx, cancel := backup.Afterwards(ctx)
		defer cancel()
		if err := held.Release(ctx); err != nil {
			c.Env.Log.InfoContext(ctx, "giving up the lease: "+err.Error())
		}
	}, nil
}

// lease takes it, and waits its turn where several jobs back the database up.
func (c *Copier) lease(ctx context.Context) (*lease.Lease, error) {
	run := backup.NewID(c.Env.Now())
	until := time.Now().Add(c.Job.WaitsForTurn())
	for {
		held, err := lease.Take(ctx, &lease.Lease{
			Bucket: c.To, Key: backup.LeaseKey(c.At), Now: c.Env.Now, Term: c.term(),
			// Of a copier nothing but its lease shows that it lives.
			Alone: func(context.Context) (bool, error) { return false, nil },
			Mine:  lease.Record{Run: run, Host: c.Env.Host, Source: printable.Name("copy " + run)},
		})
		if !errors.Is(err, lease.ErrHeld) || !time.Now().Before(until) {
			return held, err
		}
		c.Env.Log.InfoContext(ctx, "waiting for another copy of this database: "+err.Error(), event.Attr(event.LockHeld))
		select {
		case <-time.After(min(lookAgain, c.term())):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// lookAgain is how often a run that waits looks whether its turn has come.
const lookAgain = 30 * time.Second

func (c *Copier) term() time.Duration {
	if c.Env.LeaseTerm > 0 {
		return c.Env.LeaseTerm
	}
	return lease.Term
}

// sweep aborts the uploads of runs that were killed. It needs the lease; what it may not do, prune does a day later.
func (c *Copier) sweep(ctx context.Context) {
	var before time.Time
	if c.held == nil {
		before = c.Env.Now().Add(-backup.Youngest)
	}
	removed, err := retention.SweepUploads(ctx, c.To, backup.FolderOf(c.At), before)
	for _, key := range removed {
		c.Env.Log.InfoContext(ctx, "removed the unfinished upload of an earlier run: "+key,
			event.Attr(event.LeftoverRemoved), slog.String("key", key))
	}
	if err != nil && ctx.Err() == nil {
		c.Env.Log.InfoContext(ctx, "unfinished uploads at copy "+c.At.Copy+" are not removed: "+err.Error())
	}
}

// one copies one set.
func (c *Copier) one(ctx context.Context, set *backup.Set) (*Done, error) {
	began := time.Now()
	m := meter.New("copy", c.Job.Database, c.Job.StallAfter, c.Env.Progress)
	m.Enter(backup.StageCopy, set.Manifest.StoredBytes())
	ctx, stop := m.Follow(ctx)
	defer stop()
	done := &Done{Set: set, ByStore: true}
	manifest, signature, err := c.documents(ctx, set)
	if err != nil {
		return nil, backup.CauseOf(ctx, err)
	}
	if err := c.refuseAnother(ctx, set, manifest); err != nil {
		return nil, backup.CauseOf(ctx, err)
	}
	for _, o := range set.Manifest.Objects() {
		byStore, err := c.object(ctx, set, o, m)
		if err != nil {
			return nil, backup.CauseOf(ctx, err)
		}
		done.Bytes += o.SizeBytes
		done.ByStore = done.ByStore && byStore
	}
	if err := c.commit(ctx, set, manifest, signature); err != nil {
		return nil, backup.CauseOf(ctx, err)
	}
	c.log(set).InfoContext(context.WithoutCancel(ctx), fmt.Sprintf("set %s copied to %s", set.ID, c.At.Copy),
		event.Attr(event.CopyCommitted), slog.Int64("bytes", done.Bytes),
		slog.Float64("seconds", time.Since(began).Seconds()))
	if err := c.holdAlong(ctx, []backup.Set{*set}, nil); err != nil {
		done.Warnings = append(done.Warnings, "it is held at the main place and not at the copy: "+err.Error())
	}
	return done, nil
}

// documents are manifest and signature, once more as they lie there, and held against what was listed: whoever writes
// to the source may have replaced them since.
func (c *Copier) documents(ctx context.Context, set *backup.Set) (manifest, signature []byte, err error) {
	manifest, _, err = backup.Fetch(ctx, c.Env.Bucket, set.Dir+backup.ManifestName, backup.MaxManifest)
	if err != nil {
		return nil, nil, err
	}
	if sum := sha256.Sum256(manifest); hex.EncodeToString(sum[:]) != set.ManifestSum {
		return nil, nil, replaced(set, "its manifest was replaced while it was read")
	}
	if set.SignatureAt != "" {
		signature, _, err = backup.Fetch(ctx, c.Env.Bucket, set.SignatureAt, backup.MaxSignature)
		if err != nil {
			return nil, nil, err
		}
	}
	trusted := c.Job.Signing.PublicKeys
	if len(trusted) > 0 && !signing.Verify(trusted, manifest, signature) {
		return nil, nil, replaced(set, "its signature was replaced while it was read")
	}
	return manifest, signature, nil
}

func replaced(set *backup.Set, why string) error {
	return fault.New(fault.Integrity, fmt.Sprintf("copy: set %s: %s", set.Address(), why),
		"Find out who writes to the bucket, then run again.", nil)
}

// dirAt is the set's folder at the copy.
func (c *Copier) dirAt(set *backup.Set) string {
	return backup.Root(c.At.S3.Prefix) + strings.TrimPrefix(set.Dir, backup.Root(c.Job.S3.Prefix))
}

// commit writes signature and manifest, which makes the copy one, when everything else is there.
func (c *Copier) commit(ctx context.Context, set *backup.Set, manifest, signature []byte) error {
	dir := c.dirAt(set)
	if signature != nil {
		if _, err := c.To.Put(ctx, dir+backup.SignatureName, signature,
			s3.PutOptions{ContentType: backup.ContentType}); err != nil {
			return err
		}
	}
	if c.held != nil {
		if err := c.held.Hold(ctx); err != nil {
			return err
		}
	}
	opts := s3.PutOptions{IfNoneMatch: true, ContentType: "application/json"}
	_, err := c.To.Put(ctx, dir+backup.ManifestName, manifest, opts)
	if errors.Is(err, s3.ErrConditionsUnsupported) {
		opts.IfNoneMatch = false
		_, err = c.To.Put(ctx, dir+backup.ManifestName, manifest, opts)
	}
	if !errors.Is(err, s3.ErrExists) {
		return err
	}
	return c.refuseAnother(ctx, set, manifest) // a copy that had lost an object has its manifest still
}

// refuseAnother fails when the copy has another set under the ID: nothing of it is overwritten.
func (c *Copier) refuseAnother(ctx context.Context, set *backup.Set, manifest []byte) error {
	key := c.dirAt(set) + backup.ManifestName
	there, _, err := backup.Fetch(ctx, c.To, key, backup.MaxManifest)
	switch {
	case errors.Is(err, s3.ErrNotFound):
		return nil
	case err != nil || bytes.Equal(there, manifest):
		return err
	}
	return fault.New(fault.Integrity, fmt.Sprintf("copy: %s of copy %q is another manifest than that of the main bucket",
		key, c.At.Copy), "Find out who writes to the two buckets. If the set at the copy is worth nothing, remove its "+
		"folder there and run again.", nil)
}

// holdAlong holds at the copy what is held at the source. there are the copy's sets, nil when they have to be listed.
// A release does not go along: at the copy, people release it by themselves.
func (c *Copier) holdAlong(ctx context.Context, source, there []backup.Set) error {
	for i := range source {
		held := &source[i]
		if held.Hold == nil || held.Kind != backup.KindNative {
			continue
		}
		copied, err := c.copyOf(ctx, held, there)
		if err != nil {
			return err
		}
		if copied == nil || copied.Hold != nil || copied.Kind != backup.KindNative {
			continue
		}
		if err := backup.HoldSet(ctx, c.To, copied, *held.Hold); err != nil {
			return err
		}
	}
	return nil
}

// copyOf is the copy of a set, nil when there is none.
func (c *Copier) copyOf(ctx context.Context, set *backup.Set, there []backup.Set) (*backup.Set, error) {
	if len(there) == 0 {
		var err error
		began, _ := backup.IDBegan(set.ID)
		there, err = backup.NewCatalogue(c.To, c.At).Since(ctx, backup.ScopeOf(c.At), began.Add(-time.Second))
		if err != nil {
			return nil, err
		}
	}
	for i := range there {
		if there[i].ID == set.ID {
			return &there[i], nil
		}
	}
	return nil, nil
}
