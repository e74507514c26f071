package s3server

// How buckets lie on disk, one folder each:
//
//	BUCKET/bucket.json              when it was made, and its settings
//	BUCKET/keys/<sha-256>.json      one object: its key, metadata and which data files hold it
//	BUCKET/keys/<sha-256>-<v>.json  the same of version v; a delete marker has no data
//	BUCKET/data/<random>            bytes, written once, never changed
//	BUCKET/uploads/<id>/            a multipart upload: upload.json, a file for each part; their bytes lie in data too
//
// No name that a client chose is ever a path. An object appears by the rename of its JSON
// file, so it is whole or absent; data files that nothing names are swept when the store opens.

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"syscall"
	"time"
)

type store struct {
	dir     string
	lock    *os.File
	mu      sync.Mutex
	buckets map[string]*bucket
}

const bucketFile = "bucket.json"

type bucketInfo struct {
	Created     time.Time
	Versioning  string `json:",omitempty"`
	ObjectLock  bool   `json:",omitempty"` // for good, once it is on
	DefaultLock defaultLock
	Lifecycle   []lifecycleRule `json:",omitempty"`
	// LifecycleMinimum is which objects transitions without a size leave alone.
	LifecycleMinimum string `json:",omitempty"`

	Encryption   []encryptionRule `json:",omitempty"`
	PublicAccess *publicAccessXML `json:",omitempty"`
	Policy       string           `json:",omitempty"`
}

func openStore(dir string) (*store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("s3server: open %s: %w", dir, err)
	}
	lock, err := os.OpenFile(filepath.Join(dir, ".lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("s3server: open %s: %w", dir, err)
	}
	st := &store{dir: dir, lock: lock, buckets: map[string]*bucket{}}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("s3server: open %s: another server has it: %w", dir, err), lock.Close())
	}
	if err := st.load(); err != nil {
		return nil, errors.Join(fmt.Errorf("s3server: open %s: %w", dir, err), lock.Close())
	}
	return st, nil
}

func (st *store) load() error {
	entries, err := os.ReadDir(st.dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		var info bucketInfo
		dir := filepath.Join(st.dir, e.Name())
		err := readJSON(filepath.Join(dir, bucketFile), &info)
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
			continue
		}
		if err != nil {
			return err
		}
		if st.buckets[e.Name()], err = openBucket(dir, info); err != nil {
			return err
		}
	}
	return nil
}

// close may be called more than once.
func (st *store) close() error {
	if err := st.lock.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		return err
	}
	return nil
}

var bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

// createBucket reports whether the bucket was already there.
func (st *store) createBucket(name string, info bucketInfo) (existed bool, err error) {
	if !bucketName.MatchString(name) {
		return false, apiErr(400, "InvalidBucketName", "The specified bucket is not valid.")
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.buckets[name] != nil {
		return true, nil
	}
	dir := filepath.Join(st.dir, name)
	for _, sub := range []string{"keys", "data", "uploads"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o700); err != nil {
			return false, err
		}
	}
	if err := writeJSON(filepath.Join(dir, bucketFile), info); err != nil {
		return false, err
	}
	st.buckets[name], err = openBucket(dir, info)
	return false, err
}

func (st *store) bucket(name string) (*bucket, error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if b := st.buckets[name]; b != nil {
		return b, nil
	}
	return nil, noSuchBucket()
}

func readJSON(path string, into any) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// writeJSON writes beside path, then renames.
func writeJSON(path string, value any) error {
	raw, err := json.Marshal(value)
	if err != nil {
		return err
	}
	tmp := path + "." + randomHex(4) + ".tmp"
	if err := os.WriteFile(tmp, raw, 0o600); err != nil {
		return errors.Join(err, os.Remove(tmp))
	}
	return os.Rename(tmp, path)
}
