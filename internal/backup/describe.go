package backup

import (
	"context"
	"crypto/md5" //nolint:gosec // see confirmed
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"codeberg.org/pgbtui/pgbtui/internal/bounded"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

// What was gathered is described by its documents. Only a store that fails ends a listing; what is
// wrong with one document is that set's Problem.

func (c *Catalogue) describe(ctx context.Context, found *gathering) error {
	c.known.begin()
	defer c.known.end()
	all := ctx
	group, ctx := errgroup.WithContext(ctx)
	var next atomic.Int64
	for range readers { // as many goroutines, since each first has to grow its stack to what a request takes
		group.Go(func() error {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(found.Order) || ctx.Err() != nil {
					return context.Cause(ctx)
				}
				g := found.Order[i] // neighbours share a file of the cache
				if err := c.complete(ctx, g, found.unread[g.Dir]); err != nil {
					return err
				}
				g.cached.done()
			}
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return c.findLosses(all, found.sets)
}

// complete reads a set's manifest and proofs.
func (c *Catalogue) complete(ctx context.Context, g *Gathered, unread bool) error {
	g.FinishedAt, g.StoredAt = g.newest.UTC(), g.newest.UTC()
	if err := c.readHolds(ctx, g); err != nil {
		return err
	}
	if g.manifest.name == "" {
		if g.Kind == KindIncomplete {
			g.flaw(fault.Integrity, "no manifest: the run never committed")
		} else {
			c.doubtLegacy(g)
		}
		return nil
	}
	g.Kind, g.StoredAt = KindNative, g.manifest.modified.UTC()
	if unread {
		g.suspect = true
		g.flaw(fault.Integrity,
			"the manifest was not read: all of them together are too large, find out who writes to the bucket")
		return nil
	}
	read, err := c.readManifest(ctx, g, false)
	if err == nil && g.ProblemCode == fault.Integrity && !read.twice {
		// One that does not fit its signature or its folder may have come damaged over the network. What
		// comes twice is what is stored.
		g.Manifest = nil
		g.flaw(fault.OK, "")
		_, err = c.readManifest(ctx, g, true)
	}
	if err != nil || g.Manifest == nil {
		return err
	}
	g.StoredSize = g.Manifest.StoredBytes()
	return c.readProofs(ctx, g)
}

// readManifest reads a set's manifest and what vouches for it; again is whether what was read before
// does not count.
func (c *Catalogue) readManifest(ctx context.Context, g *Gathered, again bool) (manifestRead, error) {
	read, err := c.manifest(ctx, g, again)
	if problem := ofDocument(err); problem != "" {
		g.flaw(fault.CodeOf(err), "the manifest "+problem)
		return manifestRead{twice: true}, nil
	}
	if err != nil {
		return manifestRead{}, fmt.Errorf("backup: read manifest of %s: %w", g.ID, err)
	}
	g.take(read)
	return read, nil
}

// manifestRead is what a manifest's bytes say, without them.
type manifestRead struct {
	manifest  *Manifest
	problem   error // why there is none
	sum       string
	sequence  int64
	job       string
	twice     bool // it was read again after it did not fit
	signature Signature
	distrust  error // what is wrong with the signature
}

func (c *Catalogue) manifest(ctx context.Context, g *Gathered, again bool) (manifestRead, error) {
	key := g.Dir + ManifestName + "\x00" + g.manifest.etag + "\x00" + g.signature.etag
	if known, ok := c.known.get(key); ok && !again {
		return known.(manifestRead), nil
	}
	if again {
		g.cached.forget(g.ID, g.manifest)
		g.cached.forget(g.ID, g.signature)
	}
	raw, err := c.fetch(ctx, g, g.manifest, MaxManifest)
	if err != nil {
		return manifestRead{}, err
	}
	read := manifestRead{sum: hexOf(sha256.Sum256(raw)), twice: again}
	lasting, err := c.authenticate(ctx, g, raw, &read)
	if err != nil {
		return manifestRead{}, err
	}
	if read.manifest, read.problem = parseManifest(raw); read.manifest != nil && plainJob(read.manifest.Job) {
		read.sequence, read.job = max(0, read.manifest.Sequence), read.manifest.Job
	} else {
		read.sequence, read.job = sequenceOf(raw), jobOf(raw)
	}
	if lasting {
		c.known.put(key, document{read, int64(len(raw)) + documentMemory})
	}
	return read, nil
}

// plainJob knows names of jobs that nothing was done to when a manifest was made safe for screens: they need not be
// looked up in its bytes.
func plainJob(name string) bool {
	return len(name) <= 60 && !strings.ContainsFunc(name, func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && !strings.ContainsRune("_ .@-", c)
	})
}

// take makes the set what its manifest says it is. That of a forged one is only shown.
func (g *Gathered) take(read manifestRead) {
	g.ManifestSum = read.sum
	g.Sequence = read.sequence
	g.Job = read.job
	g.Signature = read.signature
	if g.Signature != "" {
		g.SignatureAt = ""
		if g.signature.name != "" {
			g.SignatureAt = g.Dir + g.signature.name
		}
	}
	if read.distrust != nil {
		g.flaw(fault.CodeOf(read.distrust), read.distrust.Error())
	}
	forged := g.Signature == SignatureForged
	m := read.manifest
	var problem string
	code := fault.Integrity
	switch {
	case m == nil:
		problem, code = read.problem.Error(), fault.CodeOf(read.problem)
	default:
		g.Manifest = m
		g.FinishedAt = m.FinishedAt.UTC()
		g.LockedUntil = m.lockedUntil()
		problem = m.Disagrees(g)
	}
	ahead := g.ahead()
	g.suspect = ahead != "" || errors.Is(read.problem, errAbsurd)
	if problem == "" {
		problem = ahead
	}
	if problem != "" && !forged {
		g.flaw(code, problem)
	}
}

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

func (c *Catalogue) readProofs(ctx context.Context, g *Gathered) error {
	for _, o := range g.proofs {
		p, err := c.proof(ctx, g, o)
		if ofDocument(err) != "" {
			continue
		}
		if err != nil {
			return fmt.Errorf("backup: read proof %s: %w", g.Dir+o.name, err)
		}
		if p != nil && p.Set == g.ID && !farAhead(p.FinishedAt, o.modified) {
			g.Proofs = append(g.Proofs, *p)
		}
	}
	g.proofs = nil
	sort.SliceStable(g.Proofs, func(i, k int) bool { return g.Proofs[i].FinishedAt.After(g.Proofs[k].FinishedAt) })
	return nil
}

// proof is nil for what is none.
func (c *Catalogue) proof(ctx context.Context, g *Gathered, o member) (*Proof, error) {
	key := g.Dir + o.name + "\x00" + o.etag
	if known, ok := c.known.get(key); ok {
		return known.(*Proof), nil
	}
	raw, err := c.fetch(ctx, g, o, maxProof)
	if err != nil {
		return nil, err
	}
	var read *Proof
	if p, ok := parseProof(raw); ok {
		read = &p
	}
	c.known.put(key, document{read, o.size + documentMemory})
	return read, nil
}

// fetch reads a document of a set, one that the listing says is of a size that its kind can have.
func (c *Catalogue) fetch(ctx context.Context, g *Gathered, o member, limit int64) ([]byte, error) {
	if o.size > limit {
		return nil, tooLarge(g.Dir+o.name, limit)
	}
	if raw, ok := g.cached.get(g.ID, o); ok {
		return raw, nil
	}
	raw, object, err := c.bucket.GetSmall(ctx, g.Dir+o.name, limit)
	if errors.Is(err, bounded.ErrTooLarge) {
		return nil, tooLarge(g.Dir+o.name, limit)
	}
	damaged := fault.CodeOf(err) == fault.Integrity && !errors.Is(err, s3.ErrNotFound)
	if damaged || err == nil && strings.HasSuffix(o.name, ".json") && !json.Valid(raw) { // it may have come damaged
		raw, object, err = Fetch(ctx, c.bucket, g.Dir+o.name, limit)
	}
	if err == nil && confirmed(object, raw) {
		g.cached.put(g.ID, o, object.ETag, raw)
	}
	return raw, err
}

// confirmed reports whether what came is what is stored: the store keeps a checksum, with which it was
// compared, or the ETag is one.
func confirmed(o s3.Object, raw []byte) bool {
	sum := md5.Sum(raw) //nolint:gosec // against a wire, not a person
	return o.CRC64NVME != "" || strings.Trim(o.ETag, `"`) == fmt.Sprintf("%x", sum)
}

func hexOf(sum [sha256.Size]byte) string { return hex.EncodeToString(sum[:]) }

func tooLarge(key string, limit int64) error {
	return fault.New(fault.Integrity, fmt.Sprintf("backup: %s is larger than %d bytes", key, limit), "", nil)
}

// Fetch reads a small object whole, and once more when its checksum is wrong; one larger than limit is
// an integrity error, whatever the store says of its size.
func Fetch(ctx context.Context, bucket *s3.Bucket, key string, limit int64) ([]byte, s3.Object, error) {
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
	if object.Size > limit {
		return nil, object, tooLarge(key, limit)
	}
	raw, err := bounded.ReadAll(body, limit)
	if errors.Is(err, bounded.ErrTooLarge) {
		err = tooLarge(key, limit)
	}
	return raw, object, err
}

// known are documents that were read, by key and ETag: they are write-once. What a listing did not
// meet again is forgotten once there is more than one listing may hold.
type known struct {
	mu        sync.Mutex
	documents map[string]document
	bytes     int64
	met       map[string]bool // by listings that are under way; nil: none is
	listings  int
}

// document is one that was read, and what it costs to keep.
type document struct {
	read  any
	bytes int64
}

func (k *known) begin() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.listings++
	if k.met == nil {
		k.met = map[string]bool{}
	}
}

func (k *known) end() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.listings--; k.listings > 0 {
		return
	}
	if k.bytes > maxListingBytes {
		for key, d := range k.documents {
			if !k.met[key] {
				k.bytes -= d.bytes
				delete(k.documents, key)
			}
		}
	}
	k.met = nil
}

func (k *known) get(key string) (any, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	d, ok := k.documents[key]
	if ok && k.met != nil {
		k.met[key] = true
	}
	return d.read, ok
}

func (k *known) put(key string, d document) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if _, there := k.documents[key]; !there {
		k.bytes += d.bytes
	}
	k.documents[key] = d
	if k.met != nil {
		k.met[key] = true
	}
}
