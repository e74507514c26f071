package s3server

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// bucket is one bucket: the index in memory, the truth on disk. keys is sorted by bytes.
type bucket struct {
	dir  string
	info bucketInfo

	mu      sync.Mutex
	keys    []string
	objects map[string]*object
	uploads map[string]*upload
	guards  map[*guard]struct{} // conditional writes under way
}

// object is one object as it is stored. Fields are fixed once it is committed, but for those below mu.
type object struct {
	Key      string
	ETag     string // without quotes
	Size     int64
	Modified time.Time
	Segments []segment
	Settings
	Sum     map[algorithm]string // the one checksum that S3 remembers
	SumType string
	// UploadID is the multipart upload that made it, or "".
	UploadID string `json:",omitempty"`

	// Guarded by the bucket's mutex.
	Restore *thaw `json:",omitempty"`
	readers int
	dropped bool
}

// segment is one data file of an object.
type segment struct {
	File string
	Size int64
}

// Settings are what a caller says of an object besides its bytes.
type Settings struct {
	Headers map[string]string // Content-Type and its like
	Meta    map[string]string // x-amz-meta-*, without the prefix
	Class   string            // "" is STANDARD
	SSE     string
	KMSKey  string
}

// guard remembers that its key was deleted while a conditional write was on its way.
type guard struct {
	key   string
	raced bool
}

func openBucket(dir string, info bucketInfo) (*bucket, error) {
	b := &bucket{
		dir: dir, info: info, objects: map[string]*object{},
		uploads: map[string]*upload{}, guards: map[*guard]struct{}{},
	}
	if err := b.loadObjects(); err != nil {
		return nil, err
	}
	if err := b.loadUploads(); err != nil {
		return nil, err
	}
	return b, b.sweep()
}

func (b *bucket) loadObjects() error {
	err := eachJSON(filepath.Join(b.dir, "keys"), func(path string) error {
		o := &object{}
		if err := readJSON(path, o); err != nil {
			return err
		}
		b.objects[o.Key] = o
		b.keys = append(b.keys, o.Key)
		return nil
	})
	slices.Sort(b.keys)
	return err
}

// eachJSON visits the JSON files of a folder and removes unfinished ones.
func eachJSON(dir string, visit func(path string) error) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if strings.HasSuffix(path, ".tmp") {
			err = os.Remove(path)
		} else {
			err = visit(path)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// sweep ends what a killed server had begun: uploads whose object is there, and data that no object or
// upload names.
func (b *bucket) sweep() error {
	used := map[string]bool{}
	for _, o := range b.objects {
		for _, s := range o.Segments {
			used[s.File] = true
		}
		if u := b.uploads[o.UploadID]; u != nil {
			if err := b.endUpload(u, o.Segments); err != nil {
				return err
			}
		}
	}
	for _, u := range b.uploads {
		for _, p := range u.Parts {
			used[p.Segment.File] = true
		}
	}
	entries, err := os.ReadDir(filepath.Join(b.dir, "data"))
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !used[e.Name()] {
			if err := os.Remove(b.dataPath(e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

func (b *bucket) dataPath(name string) string { return filepath.Join(b.dir, "data", name) }

func (b *bucket) keyPath(key string) string {
	return filepath.Join(b.dir, "keys", hexSHA256(key)+".json")
}

// write streams a payload into a data file of its own; nothing stays behind on error.
func (b *bucket) write(p *payload) (segment, stored, error) {
	name := randomHex(16)
	f, err := os.OpenFile(b.dataPath(name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return segment{}, stored{}, err
	}
	got, err := p.copyTo(f)
	if err = errors.Join(err, f.Close()); err != nil {
		return segment{}, got, errors.Join(err, os.Remove(f.Name()))
	}
	return segment{File: name, Size: got.size}, got, nil
}

// watch starts a guard for a conditional write of key.
func (b *bucket) watch(key string) *guard {
	b.mu.Lock()
	defer b.mu.Unlock()
	g := &guard{key: key}
	b.guards[g] = struct{}{}
	return g
}

func (b *bucket) unwatch(g *guard) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.guards, g)
}

// commit makes o its key's object if the conditions hold. The caller keeps o's data on error.
func (b *bucket) commit(o *object, cond writeConditions, g *guard) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.commitLocked(o, cond, g)
}

func (b *bucket) commitLocked(o *object, cond writeConditions, g *guard) error {
	old := b.objects[o.Key]
	if err := cond.check(old, g); err != nil {
		return err
	}
	if err := writeJSON(b.keyPath(o.Key), o); err != nil {
		return fmt.Errorf("s3server: commit: %w", err)
	}
	b.objects[o.Key] = o
	if i, found := slices.BinarySearch(b.keys, o.Key); !found {
		b.keys = slices.Insert(b.keys, i, o.Key)
	}
	if old != nil {
		b.drop(old)
	}
	return nil
}

// remove deletes a key. A key that is not there is no error, as on S3.
func (b *bucket) remove(key string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for g := range b.guards {
		g.raced = g.raced || g.key == key
	}
	o := b.objects[key]
	if o == nil {
		return nil
	}
	if err := os.Remove(b.keyPath(key)); err != nil {
		return err
	}
	delete(b.objects, key)
	if i, found := slices.BinarySearch(b.keys, key); found {
		b.keys = slices.Delete(b.keys, i, i+1)
	}
	b.drop(o)
	return nil
}

// drop removes an object's data, now or when its last reader is done.
func (b *bucket) drop(o *object) {
	o.dropped = true
	if o.readers == 0 {
		b.discard(o.Segments...)
	}
}

func (b *bucket) discard(segments ...segment) {
	for _, s := range segments {
		_ = os.Remove(b.dataPath(s.File)) // swept at the next start if this fails
	}
}

// acquire returns the key's object with its data kept until release, or nil.
func (b *bucket) acquire(key string) *object {
	b.mu.Lock()
	defer b.mu.Unlock()
	o := b.objects[key]
	if o != nil {
		o.readers++
	}
	return o
}

func (b *bucket) release(o *object) {
	b.mu.Lock()
	defer b.mu.Unlock()
	o.readers--
	if o.dropped && o.readers == 0 {
		b.discard(o.Segments...)
	}
}

// read copies length bytes of o from offset to w.
func (b *bucket) read(w io.Writer, o *object, offset, length int64) error {
	for _, s := range o.Segments {
		if offset >= s.Size {
			offset -= s.Size
			continue
		}
		n := min(length, s.Size-offset)
		if n == 0 {
			return nil
		}
		if err := b.readSegment(w, s, offset, n); err != nil {
			return err
		}
		offset, length = 0, length-n
	}
	return nil
}

func (b *bucket) readSegment(w io.Writer, s segment, offset, n int64) error {
	f, err := os.Open(b.dataPath(s.File))
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	if _, err := f.Seek(offset, io.SeekStart); err != nil {
		return err
	}
	_, err = io.CopyN(w, f, n)
	return err
}

// newETag is the MD5 in hex, or, as on S3 for KMS, something that is not.
func newETag(sse string, md5 []byte) string {
	if sse == "aws:kms" || sse == "aws:kms:dsse" {
		return randomHex(16)
	}
	return hex.EncodeToString(md5)
}
