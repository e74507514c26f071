package s3server

import (
	"cmp"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// bucket is one bucket: the index in memory, the truth on disk.
type bucket struct {
	dir  string
	info bucketInfo

	mu      sync.Mutex
	keys    []string             // of objects, sorted by bytes: what a list shows
	objects map[string]*object   // the newest version of a key, unless it is a marker
	history map[string][]*object // every version and marker of a key, newest first
	seq     int64                // counts commits
	uploads map[string]*upload
	guards  map[*guard]struct{} // conditional writes under way
	tidied  time.Time           // when lifecycle rules were last looked at
	emptied map[string]struct{} // keys that were deleted, see Habits.EmptiedStay
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

	Version string // nullVersion where its bucket had no versions
	Seq     int64  // in which order versions were committed
	Marker  bool   `json:",omitempty"` // no object: a delete hid what is below

	// Guarded by the bucket's mutex.
	Lock    lock
	Restore *thaw  `json:",omitempty"`
	Tier    string `json:",omitempty"` // of Intelligent-Tiering, where its bytes are archived
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

func openBucket(dir string, info bucketInfo) (*bucket, error) {
	b := &bucket{
		dir: dir, info: info, objects: map[string]*object{}, history: map[string][]*object{},
		uploads: map[string]*upload{}, guards: map[*guard]struct{}{},
		emptied: map[string]struct{}{},
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
		o.Version = cmp.Or(o.Version, nullVersion)
		b.history[o.Key] = append(b.history[o.Key], o)
		b.seq = max(b.seq, o.Seq)
		return nil
	})
	for key, versions := range b.history {
		slices.SortFunc(versions, func(x, y *object) int { return cmp.Compare(y.Seq, x.Seq) })
		if !versions[0].Marker {
			b.objects[key] = versions[0]
		}
	}
	b.keys = slices.Sorted(maps.Keys(b.objects))
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
	for _, versions := range b.history {
		for _, o := range versions {
			for _, s := range o.Segments {
				used[s.File] = true
			}
			if u := b.uploads[o.UploadID]; u != nil {
				if err := b.endUpload(u, o.Segments); err != nil {
					return err
				}
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
