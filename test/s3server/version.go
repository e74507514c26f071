package s3server

import (
	"cmp"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Versions. A bucket keeps for each key what was ever put under it, newest first, and the markers by
// which a delete hides it. Without versioning there is one version of a key at most, named "null".

// How a bucket's versioning stands; the empty string is a bucket that never had any.
const (
	versioningEnabled   = "Enabled"
	versioningSuspended = "Suspended"
)

const nullVersion = "null"

// guard remembers that its key was deleted while a conditional write was on its way.
type guard struct {
	key   string
	raced bool
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
	if err := cond.check(b.objects[o.Key], g); err != nil {
		return err
	}
	if o.Lock.Mode == "" {
		o.Lock.retention = b.info.DefaultLock.from(o.Modified)
	}
	return b.insert(o)
}

// insert puts o on top of its key's versions, in place of the null version where o is one.
func (b *bucket) insert(o *object) error {
	o.Version = nullVersion
	if b.info.Versioning == versioningEnabled {
		o.Version = randomHex(16)
	}
	b.seq++
	o.Seq = b.seq
	if err := writeJSON(b.objectPath(o), o); err != nil {
		return fmt.Errorf("s3server: commit: %w", err)
	}
	if old := b.find(o.Key, o.Version); old != nil {
		b.forget(old)
	}
	b.history[o.Key] = slices.Insert(b.history[o.Key], 0, o)
	b.show(o.Key)
	return nil
}

// removal is what a delete did: the version that it removed, or the marker that it put.
type removal struct {
	Version string // "" in a bucket without versions
	Marker  bool
}

// remove deletes a version of a key, or without one the key: in a bucket with versions that only
// puts a marker on top. What is not there is no error, as on S3.
func (b *bucket) remove(key, version string, now time.Time) (removal, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for g := range b.guards {
		g.raced = g.raced || g.key == key
	}
	b.emptied[key] = struct{}{}
	if version == "" && b.info.Versioning != "" {
		marker := &object{Key: key, Marker: true, Modified: now}
		err := b.insert(marker)
		return removal{marker.Version, true}, err
	}
	o := b.find(key, cmp.Or(version, nullVersion))
	switch {
	case o == nil:
		return removal{Version: version}, nil
	case o.Lock.holds(now):
		return removal{}, accessDenied("Access Denied because object protected by object lock.")
	}
	if err := os.Remove(b.objectPath(o)); err != nil {
		return removal{}, err
	}
	b.forget(o)
	b.show(key)
	return removal{version, o.Marker && version != ""}, nil
}

// forget takes a version out of its key's history, and lets its data go.
func (b *bucket) forget(o *object) {
	at := slices.Index(b.history[o.Key], o)
	b.history[o.Key] = slices.Delete(b.history[o.Key], at, at+1)
	b.drop(o)
}

// show makes a key's newest version what reads and lists see, unless it is a marker.
func (b *bucket) show(key string) {
	versions := b.history[key]
	if len(versions) == 0 {
		delete(b.history, key)
	}
	at, listed := slices.BinarySearch(b.keys, key)
	switch visible := len(versions) > 0 && !versions[0].Marker; {
	case visible:
		b.objects[key] = versions[0]
		if !listed {
			b.keys = slices.Insert(b.keys, at, key)
		}
	case listed:
		delete(b.objects, key)
		b.keys = slices.Delete(b.keys, at, at+1)
	}
}

// find is a version of a key, or nil.
func (b *bucket) find(key, version string) *object {
	for _, o := range b.history[key] {
		if o.Version == version {
			return o
		}
	}
	return nil
}

// lookup is the object that a request names: the newest without a version, which must be no marker.
func (b *bucket) lookup(key, version string) (*object, error) {
	o := b.objects[key]
	if version != "" {
		o = b.find(key, version)
	}
	switch newest := b.history[key]; {
	case o == nil && version != "":
		return nil, apiErr(http.StatusNotFound, "NoSuchVersion", "The specified version does not exist.")
	case o == nil && len(newest) > 0:
		return nil, noSuchKey().with("X-Amz-Delete-Marker", "true").with("X-Amz-Version-Id", newest[0].Version)
	case o == nil:
		return nil, noSuchKey()
	case o.Marker:
		return nil, apiErr(http.StatusMethodNotAllowed, "MethodNotAllowed", "The specified method is not allowed against this resource.").
			with("X-Amz-Delete-Marker", "true").with("X-Amz-Version-Id", o.Version)
	}
	return o, nil
}

// acquire is lookup, with the object's data kept until release.
func (b *bucket) acquire(key, version string) (*object, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	o, err := b.lookup(key, version)
	if err == nil {
		o.readers++
	}
	return o, err
}

// objectPath is the file of one version.
func (b *bucket) objectPath(o *object) string {
	name := hexSHA256(o.Key)
	if o.Version != nullVersion {
		name += "-" + o.Version
	}
	return filepath.Join(b.dir, "keys", name+".json")
}

// named writes which version an answer is about, in buckets that have versions.
func (b *bucket) named(h http.Header, version string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if version != "" && b.info.Versioning != "" {
		h.Set("X-Amz-Version-Id", version)
	}
}
