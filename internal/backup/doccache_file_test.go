package backup

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestTheCacheHasABound(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "kept")
	folder := openCacheFolder(dir)
	defer folder.close()
	for n := range 5 {
		name := fmt.Sprintf("%d%s", n, cacheEnding)
		folder.write(name, make([]byte, 100))
		at := time.Now().Add(time.Duration(n) * time.Minute)
		if err := os.Chtimes(filepath.Join(dir, name), at, at); err != nil {
			t.Fatal(err)
		}
	}
	folder.trim(250)
	if left := folder.names(); len(left) != 2 || left[0] != "3"+cacheEnding {
		t.Errorf("left %q", left)
	}
	many := map[cacheKey]cacheEntry{}
	for n := range 400 {
		many[cacheKey{fmt.Sprint(n), ManifestName}] = cacheEntry{etag: "x", raw: make([]byte, maxCachedDocument)}
	}
	if n := len(cacheBytes(many, "x")); n > maxCacheFile || n < maxCacheFile/2 {
		t.Errorf("a file of %d bytes", n)
	}
}

func FuzzCacheFile(f *testing.F) {
	good := cacheBytes(map[cacheKey]cacheEntry{{"id", "manifest.json"}: {etag: "e", raw: []byte("{}")}}, "x")
	f.Add(good, false)
	f.Add(good[:len(good)-sha256.Size], true)
	f.Fuzz(func(t *testing.T, raw []byte, seal bool) {
		if seal { // past its hash
			sum := sha256.Sum256(raw)
			raw = append(raw, sum[:]...)
		}
		size := 0
		for e := range cacheEntries(raw, "x") {
			size += len(e.key.id) + len(e.key.name) + len(e.etag) + len(e.raw)
		}
		if size > len(raw) {
			t.Errorf("%d bytes out of %d", size, len(raw))
		}
	})
}
