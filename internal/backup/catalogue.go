package backup

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"sort"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

// Catalogue reads what a prefix of a bucket holds. It keeps manifests and proofs that it has
// read, by key and ETag: they are write-once. It is safe for concurrent use.
type Catalogue struct {
	bucket  *s3.Bucket
	prefix  string
	trusted []ed25519.PublicKey // none: signatures are not looked at
	copied  bool                // it is a copy's place, of whose locks the manifests know nothing
	known   known

	cacheDir string // where documents are kept for the next process; "" nowhere
}

// NewCatalogue reads below the job's prefix ("" is the whole bucket), the sets of all jobs and hosts
// there, and trusts the signing keys of the job's configuration.
func NewCatalogue(bucket *s3.Bucket, job config.Job) *Catalogue {
	return &Catalogue{
		bucket: bucket, prefix: job.S3.Prefix, trusted: job.Signing.PublicKeys, copied: job.Copy != "",
		known: known{documents: map[string]document{}},
	}
}

// KeepIn lets the catalogue keep the documents that it reads in a folder of this user's, and take them from there
// when they are still those of the bucket. "" is nowhere.
func (c *Catalogue) KeepIn(dir string) *Catalogue {
	c.cacheDir = dir
	return c
}

// Scope narrows a listing to one instance, to the sets of one database of it, or to those of one of its schemas. Sets
// of schemas are not among those of their database. The zero Scope is everything.
type Scope struct{ Instance, Database, Schema string }

// ScopeOf is where a job's sets are.
func ScopeOf(job config.Job) Scope {
	return Scope{Instance: job.Instance, Database: job.Database, Schema: job.Schema}
}

// Scope is where the set is.
func (s *Set) Scope() Scope {
	return Scope{Instance: s.Instance, Database: s.Database, Schema: s.Schema}
}

// Sets lists the sets in scope, newest first: native, legacy and incomplete ones. Objects that
// are none of ours are not touched and not listed. What is left out because there is too much of it
// (see limits.go) is told by Around of the newest set of its database.
func (c *Catalogue) Sets(ctx context.Context, scope Scope) ([]Set, error) {
	found, err := c.Gather(ctx, scope, false)
	if errors.Is(err, errNotInOrder) {
		found, err = c.Gather(ctx, scope, true)
	}
	if err != nil {
		return nil, fmt.Errorf("backup: list sets: %w", err)
	}
	cache := c.openCache(found, false)
	if err := c.describe(ctx, found); err != nil {
		cache.leave()
		return nil, err
	}
	cache.close(c.listPrefixes(scope), scope.Instance == "")
	sets := c.withoutOthersLocks(within(found.all(), scope))
	sort.Slice(sets, func(i, k int) bool { return Newer(&sets[i], &sets[k]) })
	found.tell(sets)
	return sets, nil
}

// Gather lists what is in scope; plain is one page after the other.
func (c *Catalogue) Gather(ctx context.Context, scope Scope, plain bool) (*gathering, error) {
	found := newGathering(Root(c.prefix)).of(scope)
	for _, prefix := range c.listPrefixes(scope) {
		found.pass++
		l := lister{bucket: c.bucket, root: found.prefix, prefix: prefix, now: time.Now(), plain: plain, take: found.addAll}
		if err := l.list(ctx); err != nil {
			return nil, err
		}
	}
	found.end()
	return found, nil
}

// Since lists the native and incomplete sets of one database whose runs began at a time or later, newest first.
// It costs what there is since then, not what there is.
func (c *Catalogue) Since(ctx context.Context, scope Scope, began time.Time) ([]Set, error) {
	found := newGathering(Root(c.prefix)).of(scope)
	found.pass++
	folder := folderIn(c.prefix, scope)
	for page, err := range c.bucket.ListPages(ctx, folder, folder+began.UTC().Format(IDTime)) {
		if err != nil {
			return nil, fmt.Errorf("backup: list sets: %w", err)
		}
		found.addAll(page.Objects)
	}
	found.end()
	cache := c.openCache(found, true)
	err := c.describe(ctx, found)
	cache.leave()
	if err != nil {
		return nil, err
	}
	sets := c.withoutOthersLocks(within(found.all(), scope))
	sort.Slice(sets, func(i, k int) bool { return Newer(&sets[i], &sets[k]) })
	return sets, nil
}

// Newer orders sets; those of one moment have an order too, the same in every listing.
func Newer(a, b *Set) bool {
	switch {
	case !a.FinishedAt.Equal(b.FinishedAt):
		return a.FinishedAt.After(b.FinishedAt)
	case !a.StoredAt.Equal(b.StoredAt):
		return a.StoredAt.After(b.StoredAt)
	}
	return a.ID+a.Dir > b.ID+b.Dir
}

func (c *Catalogue) listPrefixes(scope Scope) []string {
	switch legacy := Root(c.prefix) + legacyPrefix; {
	case scope.Instance == "":
		return []string{Root(c.prefix)}
	case scope.Database == "":
		return []string{Root(c.prefix) + EncodeName(scope.Instance) + "/", legacy}
	case scope.Schema != "":
		return []string{folderIn(c.prefix, scope)}
	default:
		return []string{Folder(c.prefix, scope.Instance, scope.Database), legacy}
	}
}

// withoutOthersLocks is for a copy: what its manifests say of locks was confirmed by another store.
func (c *Catalogue) withoutOthersLocks(sets []Set) []Set {
	for i := range sets {
		if c.copied {
			sets[i].LockedUntil = time.Time{}
		}
	}
	return sets
}

func within(sets []Set, scope Scope) []Set {
	kept := sets[:0]
	for _, s := range sets {
		sameInstance := scope.Instance == "" || s.Instance == "" || s.Instance == scope.Instance
		if sameInstance && (scope.Database == "" || s.Database == scope.Database && s.Schema == scope.Schema) {
			kept = append(kept, s)
		}
	}
	return kept
}

// Find is the one set of the scope that an ID means: a whole one, the beginning of one, or Latest for the
// newest good set. More than one is refused.
func (c *Catalogue) Find(ctx context.Context, scope Scope, id string) (*Set, error) {
	sets, err := c.Sets(ctx, scope)
	if err != nil {
		return nil, err
	}
	want := Wanted{ID: id}
	set, err := One(Candidates(sets, want), want)
	if set != nil || err != nil {
		return set, err
	}
	return nil, fault.New(fault.NotFound,
		fmt.Sprintf("backup: no set %q in %s%s", id, c.bucket.Location(), Root(c.prefix)),
		"`pgbtui list` shows which there are.", nil)
}
