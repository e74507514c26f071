package backup

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sort"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

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

	mu    sync.Mutex
	read  map[string][]byte // key and ETag to body
	twice map[string]bool   // those that were read twice
}

// NewCatalogue reads below the job's prefix ("" is the whole bucket), the sets of all jobs and hosts
// there, and trusts the signing keys of the job's configuration.
func NewCatalogue(bucket *s3.Bucket, job config.Job) *Catalogue {
	return &Catalogue{bucket: bucket, prefix: job.S3.Prefix, trusted: job.Signing.PublicKeys, read: map[string][]byte{}, twice: map[string]bool{}}
}

// Limits of a catalogue: a manifest or proof larger than maxDocument is not ours; readers is how
// many are fetched at once.
const (
	maxDocument = 4 << 20
	readers     = 16
)

// Scope narrows a listing to one instance and database. The zero Scope is everything.
type Scope struct{ Instance, Database string }

// Sets lists every set in scope, newest first: native, legacy and incomplete ones. Objects that
// are none of ours are not touched and not listed.
func (c *Catalogue) Sets(ctx context.Context, scope Scope) ([]Set, error) {
	found := gathering{prefix: root(c.prefix), sets: map[string]*gathered{}}
	for _, prefix := range c.listPrefixes(scope) {
		for object, err := range c.bucket.List(ctx, prefix) {
			if err != nil {
				return nil, fmt.Errorf("backup: list sets: %w", err)
			}
			found.add(object)
		}
	}
	sets, err := c.describe(ctx, found.sets)
	if err != nil {
		return nil, err
	}
	sets = within(sets, scope)
	sort.Slice(sets, func(i, k int) bool { return newer(&sets[i], &sets[k]) })
	return sets, nil
}

// newer orders sets; those of one moment have an order too, the same in every listing.
func newer(a, b *Set) bool {
	switch {
	case !a.FinishedAt.Equal(b.FinishedAt):
		return a.FinishedAt.After(b.FinishedAt)
	case !a.StoredAt.Equal(b.StoredAt):
		return a.StoredAt.After(b.StoredAt)
	}
	return a.ID+a.Dir > b.ID+b.Dir
}

func (c *Catalogue) listPrefixes(scope Scope) []string {
	switch legacy := root(c.prefix) + legacyPrefix; {
	case scope.Instance == "":
		return []string{root(c.prefix)}
	case scope.Database == "":
		return []string{root(c.prefix) + EncodeName(scope.Instance) + "/", legacy}
	default:
		return []string{Folder(c.prefix, scope.Instance, scope.Database), legacy}
	}
}

func within(sets []Set, scope Scope) []Set {
	kept := sets[:0]
	for _, s := range sets {
		sameInstance := scope.Instance == "" || s.Instance == "" || s.Instance == scope.Instance
		if sameInstance && (scope.Database == "" || s.Database == scope.Database) {
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
	return nil, fault.New(fault.NotFound, fmt.Sprintf("backup: no set %q in %s%s", id, c.bucket.Location(), root(c.prefix)),
		"`pgbtui list` shows what there is", nil)
}

// gathered is one folder's objects before its manifest was read.
type gathered struct {
	Set
	manifest  s3.Object
	signature s3.Object
	proofs    []s3.Object
	holdDocs  []s3.Object
	lossDocs  []s3.Object
	retired   bool             // retention has begun to delete it
	sizes     map[string]int64 // by name within the folder
	newest    time.Time
}

type gathering struct {
	prefix string
	sets   map[string]*gathered
}

func (g *gathering) add(o s3.Object) {
	at, ours := parseKey(strings.TrimPrefix(o.Key, g.prefix))
	if !ours {
		return
	}
	key := at.instance + "\x00" + at.database + "\x00" + at.id
	s := g.sets[key]
	if s == nil {
		s = &gathered{sizes: map[string]int64{}}
		s.ID, s.Instance, s.Database, s.Kind = at.id, at.instance, at.database, KindIncomplete
		s.Dir = strings.TrimSuffix(o.Key, at.rest)
		g.sets[key] = s
	}
	if _, again := s.sizes[at.rest]; again {
		return // listed under two prefixes
	}
	s.sizes[at.rest] = o.Size
	if o.LastModified.After(s.newest) {
		s.newest = o.LastModified
	}
	switch {
	case at.legacy:
		s.Kind, s.Class, s.StoredSize = KindLegacy, o.StorageClass, o.Size
	case at.rest == manifestName:
		s.manifest = o
	case at.rest == signatureName:
		s.signature = o
	case strings.HasPrefix(at.rest, proofsFolder):
		s.proofs = append(s.proofs, o)
		return
	case strings.HasPrefix(at.rest, holdsFolder):
		s.holdDocs = append(s.holdDocs, o)
		return
	case lossName.MatchString(at.rest):
		s.lossDocs = append(s.lossDocs, o)
		return
	case at.rest == retiredName:
		s.retired = true
	case strings.HasPrefix(at.rest, dumpName):
		s.Class = o.StorageClass
	}
	if !at.legacy {
		s.StoredSize += o.Size
	}
}

func (c *Catalogue) describe(ctx context.Context, found map[string]*gathered) ([]Set, error) {
	group, reading := errgroup.WithContext(ctx)
	group.SetLimit(readers)
	sets := make([]Set, 0, len(found))
	for _, g := range found {
		group.Go(func() error { return c.complete(reading, g) })
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	if err := c.findLosses(ctx, found); err != nil {
		return nil, err
	}
	for _, g := range found {
		sets = append(sets, g.Set)
	}
	return sets, nil
}

// complete reads a set's manifest and proofs. Only a store that fails ends the listing; what is
// wrong with one document is that set's Problem.
func (c *Catalogue) complete(ctx context.Context, g *gathered) error {
	g.FinishedAt, g.StoredAt = g.newest.UTC(), g.newest.UTC()
	if err := c.readHolds(ctx, g); err != nil {
		return err
	}
	if g.manifest.Key == "" {
		if g.Kind == KindIncomplete {
			g.flaw(fault.Integrity, "no manifest: the run never committed")
		} else {
			c.doubtLegacy(g)
		}
		return nil
	}
	g.Kind, g.StoredAt = KindNative, g.manifest.LastModified.UTC()
	err := c.readManifest(ctx, g)
	if err == nil && g.ProblemCode == fault.Integrity && c.readAgain(g.manifest, g.signature) {
		g.Signature, g.signatureAt = "", ""
		g.flaw(fault.OK, "")
		err = c.readManifest(ctx, g)
	}
	if err != nil || g.Manifest == nil {
		return err
	}
	return c.readProofs(ctx, g)
}

// readManifest reads a set's manifest and what vouches for it.
func (c *Catalogue) readManifest(ctx context.Context, g *gathered) error {
	g.Manifest = nil
	raw, err := c.document(ctx, g.manifest)
	if problem := ofDocument(err); problem != "" {
		g.flaw(fault.CodeOf(err), "the manifest "+problem)
		return nil
	}
	if err != nil {
		return fmt.Errorf("backup: read manifest of %s: %w", g.ID, err)
	}
	g.manifestSum, g.sequence = fmt.Sprintf("%x", sha256.Sum256(raw)), sequenceOf(raw)
	g.Job = jobOf(raw)
	if err := c.authenticate(ctx, g, raw); err != nil {
		return err
	}
	forged := g.Signature == SignatureForged
	m, err := parseManifest(raw)
	if err != nil {
		if !forged {
			g.flaw(fault.CodeOf(err), err.Error())
		}
		return nil
	}
	g.Manifest, g.FinishedAt, g.LockedUntil = m, m.FinishedAt.UTC(), m.lockedUntil()
	if problem := m.disagrees(g); problem != "" && !forged {
		g.flaw(fault.Integrity, problem)
	}
	return nil
}

func (g *gathered) flaw(code fault.Code, problem string) { g.ProblemCode, g.Problem = code, problem }

// ofDocument is what err says of one object alone, or "" when it says something of the store.
func ofDocument(err error) string {
	switch {
	case errors.Is(err, s3.ErrNotFound):
		return "vanished while listing"
	case errors.Is(err, s3.ErrArchived):
		return "is archived: thaw it, and keep lifecycle rules away from manifests"
	case fault.CodeOf(err) == fault.Integrity:
		return "is damaged: " + err.Error()
	}
	return ""
}

func (c *Catalogue) readProofs(ctx context.Context, g *gathered) error {
	for _, o := range g.proofs {
		raw, err := c.document(ctx, o)
		if ofDocument(err) != "" {
			continue
		}
		if err != nil {
			return fmt.Errorf("backup: read proof %s: %w", o.Key, err)
		}
		if p, ok := parseProof(raw); ok && p.Set == g.ID {
			g.Proofs = append(g.Proofs, p)
		}
	}
	sort.SliceStable(g.Proofs, func(i, k int) bool { return g.Proofs[i].FinishedAt.After(g.Proofs[k].FinishedAt) })
	return nil
}

func (c *Catalogue) readHolds(ctx context.Context, g *gathered) error {
	for _, o := range g.holdDocs {
		raw, err := c.document(ctx, o)
		if err != nil && ofDocument(err) == "" {
			return fmt.Errorf("backup: read hold %s: %w", o.Key, err)
		}
		g.holds.add(parseHold(g.ID, strings.TrimPrefix(o.Key, g.Dir), raw)) // one that can't be read holds
	}
	g.Hold = g.holds.by
	return nil
}

// readAgain forgets what was read of these objects, and reports whether that may help: a manifest that
// does not fit its signature or its folder may have come damaged over the network. What came twice is
// what is stored.
func (c *Catalogue) readAgain(objects ...s3.Object) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	again := false
	for _, o := range objects {
		if version := versionOf(o); !c.twice[version] {
			c.twice[version], again = true, true
			delete(c.read, version)
		}
	}
	return again
}

func versionOf(o s3.Object) string { return o.Key + "\x00" + o.ETag }

// document is a small object's body, from memory when its ETag is known.
func (c *Catalogue) document(ctx context.Context, o s3.Object) ([]byte, error) {
	known := versionOf(o)
	c.mu.Lock()
	raw, ok := c.read[known]
	c.mu.Unlock()
	if ok {
		return raw, nil
	}
	raw, _, err := fetch(ctx, c.bucket, o.Key, maxDocument)
	if err == nil && strings.HasSuffix(o.Key, ".json") && !json.Valid(raw) { // it may have come damaged
		raw, _, err = fetch(ctx, c.bucket, o.Key, maxDocument)
	}
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	c.read[known] = raw
	c.mu.Unlock()
	return raw, nil
}

// fetch reads a small object whole, and once more when its checksum is wrong; one larger than limit is an
// integrity error.
func fetch(ctx context.Context, bucket *s3.Bucket, key string, limit int64) ([]byte, s3.Object, error) {
	raw, object, err := fetchOnce(ctx, bucket, key, limit)
	if fault.CodeOf(err) == fault.Integrity && !errors.Is(err, s3.ErrNotFound) {
		return fetchOnce(ctx, bucket, key, limit)
	}
	return raw, object, err
}

func fetchOnce(ctx context.Context, bucket *s3.Bucket, key string, limit int64) ([]byte, s3.Object, error) {
	body, object, err := bucket.Get(ctx, key, 0, -1)
	if err != nil {
		return nil, object, err
	}
	defer func() { _ = body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(body, limit+1))
	if err != nil {
		return nil, object, err
	}
	if int64(len(raw)) > limit {
		return nil, object, fault.New(fault.Integrity, fmt.Sprintf("backup: %s is larger than %d bytes", key, limit), "", nil)
	}
	return raw, object, nil
}
