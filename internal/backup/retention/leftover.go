package retention

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/lease"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

// LeftoverKind tells what a run that never committed left behind.
type LeftoverKind string

// The kinds of leftovers. Both are billed, and only the second is seen by a plain listing.
const (
	LeftoverUpload  LeftoverKind = "upload"  // a multipart upload that is open
	LeftoverObjects LeftoverKind = "objects" // objects in a folder without a manifest
)

// Leftover is one of them, of the folder of one instance and database. What is not named as pgbtui
// names things is none.
type Leftover struct {
	Kind   LeftoverKind
	Run    string    // the ID of the run
	Key    string    // of the upload; the folder of the objects
	Last   time.Time // when its newest part or object was stored, by the store's clock
	Bytes  int64     // -1: not known
	Class  string    // storage class; "" is STANDARD
	Remove bool
	Reason string

	upload s3.OpenUpload
	set    backup.Set
}

// Same reports whether both are the same upload or folder: several uploads may have one key.
func (l *Leftover) Same(other *Leftover) bool {
	return l.Kind == other.Kind && l.Key == other.Key && l.upload.UploadID == other.upload.UploadID
}

// leftovers finds what belongs to runs that ended, and to one that goes on.
type leftovers struct {
	bucket *s3.Bucket
	clocks backup.Clocks
	live   string // the run that holds the lease, "" for none
	host   string // where it runs
	leases bool   // this store has leases: a run without one is dead
	notes  []string
}

// findLeftovers looks for uploads, and takes the incomplete sets out of the decisions.
func findLeftovers(
	ctx context.Context, job config.Job, env backup.Env, decisions []Decision, clocks backup.Clocks,
) (kept []Decision, found []Leftover, notes []string, err error) {
	l := leftovers{bucket: env.Bucket, clocks: clocks}
	if err := l.readLease(ctx, job); err != nil {
		return nil, nil, nil, err
	}
	uploads, err := l.uploads(ctx, job, decisions)
	if err != nil {
		return nil, nil, nil, err
	}
	for _, d := range decisions {
		if d.Set.Kind == backup.KindIncomplete {
			found = append(found, l.objects(d, uploads))
		} else {
			kept = append(kept, d)
		}
	}
	found = append(found, uploads...)
	slices.SortStableFunc(found, func(a, b Leftover) int { return strings.Compare(b.Run, a.Run) })
	return kept, found, l.notes, nil
}

func (l *leftovers) readLease(ctx context.Context, job config.Job) error {
	holder, _, err := lease.Read(ctx, l.bucket, backup.LeaseKey(job), lease.Term)
	if err != nil && !errors.Is(err, s3.ErrNotFound) {
		return fmt.Errorf("retention: look for a running backup: %w", err)
	}
	l.leases = err == nil
	now := backup.Clocks{Host: time.Now(), Store: l.clocks.Store}.Earlier() // a lease's end is in the store's time
	if holder.Live(now) {
		l.live, l.host = holder.Run, holder.Host
	}
	return nil
}

// uploads are the open uploads below the job's folder. Some stores can't list them, and some
// credentials may not: then there is a note instead, and the lease has to do.
func (l *leftovers) uploads(ctx context.Context, job config.Job, sets []Decision) (found []Leftover, err error) {
	open, err := l.bucket.Uploads(ctx, backup.FolderOf(job))
	if err == nil && len(open) == 0 {
		open, err = l.byWholeKey(ctx, sets)
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		l.notes = append(l.notes, "open uploads cannot be listed: "+err.Error())
		return nil, nil //nolint:nilerr // told by the note
	}
	for _, u := range open {
		if !backup.InFolder(job, u.Key) {
			continue
		}
		at, ours := backup.ParseKey(strings.TrimPrefix(u.Key, backup.Root(job.S3.Prefix)))
		if !ours || at.Legacy {
			continue
		}
		one, err := l.upload(ctx, u, at.ID)
		if err != nil {
			return nil, err
		}
		found = append(found, one)
	}
	return found, nil
}

// byWholeKey looks for the uploads of incomplete sets where a folder shows none: MinIO lists them so only.
func (l *leftovers) byWholeKey(ctx context.Context, sets []Decision) (open []s3.OpenUpload, err error) {
	for _, d := range sets {
		if d.Set.Kind != backup.KindIncomplete {
			continue
		}
		for _, name := range backup.DumpNames() {
			one, err := l.bucket.Uploads(ctx, d.Set.Dir+name)
			if err == nil && len(one) == 0 {
				one, err = l.bucket.Uploads(ctx, d.Set.Dir+name+".age")
			}
			if err != nil {
				return nil, err
			}
			open = append(open, one...)
		}
	}
	return open, nil
}

// upload judges one by its newest part: a run that goes on stores parts.
func (l *leftovers) upload(ctx context.Context, u s3.OpenUpload, run string) (Leftover, error) {
	one := Leftover{Kind: LeftoverUpload, Run: run, Key: u.Key, Last: u.Initiated.UTC(), Bytes: -1, upload: u}
	parts, err := l.bucket.Parts(ctx, u)
	switch {
	case ctx.Err() != nil:
		return one, context.Cause(ctx)
	case err == nil:
		one.Bytes, one.Class = parts.Bytes, parts.StorageClass
		if parts.Newest.After(one.Last) {
			one.Last = parts.Newest
		}
	case fault.CodeOf(err) == fault.NotPermitted:
		l.note("the size of open uploads is not known: allow s3:ListMultipartUploadParts")
	default:
		l.note("the size of open uploads is not known: " + err.Error())
	}
	switch {
	case run == l.live:
		one.Reason = "its run is still active, on host " + l.host
	case l.clocks.Earlier().Sub(one.Last) < backup.Youngest:
		one.Reason = "younger than a day"
	case err != nil && !l.leases:
		one.Reason = "it is not known whether its run is still active"
	default:
		one.Remove, one.Reason = true, "its run is dead"
	}
	return one, nil
}

// objects judges an incomplete set: a dump of more than a day has stored its globals for as long.
func (l *leftovers) objects(d Decision, uploads []Leftover) Leftover {
	one := Leftover{
		Kind: LeftoverObjects, Run: d.Set.ID, Key: d.Set.Dir, Last: d.Set.FinishedAt, Bytes: d.Set.StoredSize,
		Class:  d.Set.Class,
		Remove: d.Delete, Reason: d.Reason, set: d.Set,
	}
	open := slices.ContainsFunc(uploads, func(u Leftover) bool { return u.Run == one.Run && !u.Remove })
	switch {
	case one.Run == l.live:
		one.Remove, one.Reason = false, "its run is still active, on host "+l.host
	case open && one.Remove:
		one.Remove, one.Reason = false, "its upload is open: its run may still be active"
	}
	return one
}

// note says one thing once.
func (l *leftovers) note(text string) {
	if !slices.Contains(l.notes, text) {
		l.notes = append(l.notes, text)
	}
}

// removeLeftover removes one as the plan says.
func removeLeftover(ctx context.Context, bucket *s3.Bucket, l *Leftover) error {
	if l.Kind == LeftoverUpload {
		return bucket.AbortUpload(ctx, l.upload)
	}
	return deleteSet(ctx, bucket, &l.set)
}
