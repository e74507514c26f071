package backup

import (
	"crypto/sha256"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
)

// Documents of sets are written once. So a host keeps those that it has read in files, and a listing fetches
// only what is new: the keys, sizes and ETags always come from the bucket. Rules:
//
//   - a document is taken from a file only where the listing has its key with the same size and the same ETag; it
//     then goes through the same checks as one that was fetched, signatures included
//   - one is put into a file only when a checksum of the store confirmed its bytes, or its ETag is their MD5
//   - the files are a user's own; what another user owns or may write to is not read
//   - a file that is damaged, missing, too large or cannot be written costs time, and nothing else
//
// A file holds the documents of one database's sets of some ten days, the first digits of their IDs: a new set
// changes one small file.

const (
	maxCachedDocument = usualManifest
	maxCacheFile      = 8 << 20
	maxCacheAll       = 256 << 20 // of one user, the files that were written longest ago go first
	cacheSpan         = len("2026112")
)

// cacheFiles are the files of one listing.
type cacheFiles struct {
	folder  *cacheFolder
	place   string
	partial bool // the listing shows only some of the sets: what it does not show may be there
	shards  map[string]*cacheShard
	wrote   atomic.Bool
}

// cacheShard is one file. Several sets use it at once; the last one closes it.
type cacheShard struct {
	files *cacheFiles
	name  string
	ids   map[string]bool // of the sets in the listing
	left  atomic.Int64    // sets that are not read yet

	mu      sync.Mutex
	loaded  bool
	fresh   bool // there is something that the file has not
	entries map[cacheKey]cacheEntry
}

// cacheKey is a document within its database's folder.
type cacheKey struct{ id, name string }

type cacheEntry struct {
	etag string
	raw  []byte
}

// openCache gives each set of a listing its file. It is nil where nothing is kept.
func (c *Catalogue) openCache(found *gathering, partial bool) *cacheFiles {
	folder := openCacheFolder(c.cacheDir)
	if folder == nil {
		return nil
	}
	files := &cacheFiles{
		folder: folder, partial: partial, shards: map[string]*cacheShard{},
		place: c.cachePlace(),
	}
	for _, g := range found.sets {
		if g.Kind == KindLegacy {
			continue
		}
		s := files.shard(g)
		s.ids[g.ID] = true
		s.left.Add(1)
		g.cached = s
	}
	return files
}

// cachePlace begins the names of all files of a place.
func (c *Catalogue) cachePlace() string {
	return digest8(c.bucket.Endpoint() + "\x00" + c.bucket.Location() + "\x00" + Root(c.prefix))
}

func (f *cacheFiles) shard(g *Gathered) *cacheShard {
	name := f.prefix(strings.TrimSuffix(g.Dir, g.ID+"/")) + "-" + g.ID[:cacheSpan] + cacheEnding
	s := f.shards[name]
	if s == nil {
		s = &cacheShard{files: f, name: name, ids: map[string]bool{}}
		f.shards[name] = s
	}
	return s
}

// prefix begins the names of all files of one database's folder.
func (f *cacheFiles) prefix(folder string) string { return f.place + "-" + digest8(folder) }

func digest8(text string) string { return fmt.Sprintf("%.8x", sha256.Sum256([]byte(text))) }

// close removes the files of what is gone: of whole folders that were listed.
func (f *cacheFiles) close(listed []string, whole bool) {
	if f == nil {
		return
	}
	defer f.folder.close()
	if f.partial {
		return
	}
	patterns := []string{f.place + "-*" + cacheEnding}
	if !whole {
		patterns = nil
		for _, folder := range listed {
			patterns = append(patterns, f.prefix(folder)+"-*"+cacheEnding)
		}
	}
	for _, name := range f.folder.names() {
		for _, pattern := range patterns {
			if ok, _ := filepath.Match(pattern, name); ok && f.shards[name] == nil {
				f.folder.remove(name)
			}
		}
	}
	if f.wrote.Load() {
		f.folder.trim(maxCacheAll)
	}
}

// get is a document that was kept, if it is the one of the listing.
func (s *cacheShard) get(id string, o member) ([]byte, bool) {
	if s == nil || o.etag == "" || o.size > maxCachedDocument {
		return nil, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.load()
	e, ok := s.entries[cacheKey{id, o.name}]
	if !ok || e.etag != o.etag || int64(len(e.raw)) != o.size {
		return nil, false
	}
	return e.raw, true
}

// put keeps a document that was fetched; etag is that of the answer, which a listing may know otherwise.
func (s *cacheShard) put(id string, o member, etag string, raw []byte) {
	if s == nil || etag == "" || etag != o.etag || int64(len(raw)) != o.size || o.size > maxCachedDocument {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.load()
	s.entries[cacheKey{id, o.name}] = cacheEntry{etag, raw}
	s.fresh = true
}

// forget drops what does not fit its signature or its folder.
func (s *cacheShard) forget(id string, o member) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, there := s.entries[cacheKey{id, o.name}]; there {
		delete(s.entries, cacheKey{id, o.name})
		s.fresh = true
	}
}

func (s *cacheShard) load() {
	if s.loaded {
		return
	}
	s.loaded, s.entries = true, map[cacheKey]cacheEntry{}
	raw := s.files.folder.read(s.name)
	for e := range cacheEntries(raw, s.name) {
		if !s.files.partial && !s.ids[e.key.id] {
			s.fresh = true // gone from the bucket
			continue
		}
		s.entries[e.key] = e.cacheEntry
	}
}

// done is called once for each set; the last one writes the file and lets go of the memory.
func (s *cacheShard) done() {
	if s == nil || s.left.Add(-1) > 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fresh && s.files.folder.write(s.name, cacheBytes(s.entries, s.name)) {
		s.files.wrote.Store(true)
	}
	s.entries, s.fresh = map[cacheKey]cacheEntry{}, false
}

// leave ends a listing that failed: nothing is known to be gone.
func (f *cacheFiles) leave() {
	if f != nil {
		f.folder.close()
	}
}
