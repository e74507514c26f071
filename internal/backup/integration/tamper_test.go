package integration

import (
	"crypto/sha256"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/sealed"
	"codeberg.org/pgbtui/pgbtui/internal/backup/stored"
)

// RewriteContents plays somebody who may write to the bucket and keeps the manifest in step.
func (w *world) rewriteContents(t *testing.T, set *backup.Set, change func(*backup.Contents)) {
	t.Helper()
	c, err := stored.ReadContents(t.Context(), w.env.Bucket, set, nil)
	if err != nil {
		t.Fatal(err)
	}
	change(c)
	raw, err := c.Pack()
	if err != nil {
		t.Fatal(err)
	}
	packed, err := sealed.Pack(raw, nil)
	if err != nil {
		t.Fatal(err)
	}
	w.put(t, set.Dir+set.Manifest.Contents.Key, packed)
	w.edit(t, set.Dir+backup.ManifestName, func(m *backup.Manifest) {
		m.Contents.SizeBytes, m.Contents.RawBytes = int64(len(packed)), int64(len(raw))
		m.Contents.SHA256 = fmt.Sprintf("%x", sha256.Sum256(packed))
	})
}

func ownerOf(info os.FileInfo) int {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(stat.Uid)
	}
	return -1
}

func (w *world) keysOf(t *testing.T, s *backup.Set) (keys []string) {
	t.Helper()
	for _, key := range w.keys(t) {
		if strings.HasPrefix(key, s.Dir) {
			keys = append(keys, key)
		}
	}
	return keys
}
