package backup

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"codeberg.org/pgbtui/pgbtui/internal/bounded"
)

// How kept documents lie on disk: a head, documents one after the other as ID, name, ETag and bytes, each with
// its length before it, and the SHA-256 of all that.

const (
	cacheHead   = "pgbtui documents 1\n"
	cacheEnding = ".documents"
)

// cacheFolder is a folder of this user's own. Everything is done relative to the open folder, so that it does not
// matter what becomes of its name.
type cacheFolder struct{ root *os.Root }

// openCacheFolder is nil where there is none and none can be made, or it is not this user's alone.
func openCacheFolder(dir string) *cacheFolder {
	if dir == "" || !ownAncestor(dir) || os.MkdirAll(dir, 0o700) != nil {
		return nil
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil
	}
	if info, err := root.Stat("."); err != nil || !own(info) {
		_ = root.Close()
		return nil
	}
	return &cacheFolder{root}
}

// own: what another user owns or may write to is not believed, and nothing is written there.
func own(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Geteuid() && info.Mode().Perm()&0o022 == 0
}

// ownAncestor looks at the folder, or at the nearest one above it that exists: root with somebody else's HOME
// must not write there.
func ownAncestor(dir string) bool {
	for {
		info, err := os.Lstat(dir)
		switch above := filepath.Dir(dir); {
		case err == nil:
			return info.IsDir() && own(info)
		case !errors.Is(err, fs.ErrNotExist) || above == dir:
			return false
		default:
			dir = above
		}
	}
}

func (f *cacheFolder) close() { _ = f.root.Close() }

// read is a whole file, or nil.
func (f *cacheFolder) read(name string) []byte {
	file, err := f.root.OpenFile(name, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() || !own(info) {
		return nil
	}
	raw, err := bounded.ReadAll(file, maxCacheFile)
	if err != nil {
		return nil
	}
	return raw
}

// write puts a file in the place of the one before, whole or not at all; an empty one removes it.
func (f *cacheFolder) write(name string, raw []byte) bool {
	if len(raw) == 0 {
		f.remove(name)
		return false
	}
	next := rand.Text() + cacheEnding
	err := f.root.WriteFile(next, raw, 0o600)
	if err == nil {
		err = f.root.Rename(next, name)
	}
	if err != nil {
		f.remove(next)
	}
	return err == nil
}

func (f *cacheFolder) remove(name string) { _ = f.root.Remove(name) }

// names are the files in the folder that are ours by their ending.
func (f *cacheFolder) names() (names []string) {
	entries, _ := fs.ReadDir(f.root.FS(), ".")
	for _, e := range entries {
		if filepath.Ext(e.Name()) == cacheEnding {
			names = append(names, e.Name())
		}
	}
	return names
}

// trim removes files until they have at most so many bytes, those first that were written longest ago.
func (f *cacheFolder) trim(most int64) {
	var files []fs.FileInfo
	total := int64(0)
	for _, name := range f.names() {
		if info, err := f.root.Lstat(name); err == nil {
			files = append(files, info)
			total += info.Size()
		}
	}
	slices.SortFunc(files, func(a, b fs.FileInfo) int {
		return cmp.Or(a.ModTime().Compare(b.ModTime()), cmp.Compare(a.Name(), b.Name()))
	})
	for _, info := range files {
		if total <= most {
			return
		}
		f.remove(info.Name())
		total -= info.Size()
	}
}

// cacheBytes is the content of a file, nothing for no documents. What is too much is left out.
func cacheBytes(entries map[cacheKey]cacheEntry, name string) []byte {
	if len(entries) == 0 {
		return nil
	}
	size := len(cacheHead) + len(name) + 1 + sha256.Size
	for key, e := range entries {
		size += entrySize(key, e)
	}
	out := append(make([]byte, 0, min(size, maxCacheFile)), cacheHead+name+"\n"...)
	for key, e := range entries {
		if len(out)+entrySize(key, e)+sha256.Size > maxCacheFile {
			break
		}
		for _, part := range [][]byte{[]byte(key.id), []byte(key.name), []byte(e.etag), e.raw} {
			out = append(binary.AppendUvarint(out, uint64(len(part))), part...)
		}
	}
	sum := sha256.Sum256(out)
	return append(out, sum[:]...)
}

// entrySize is the most that a document takes in a file.
func entrySize(key cacheKey, e cacheEntry) int {
	return len(key.id) + len(key.name) + len(e.etag) + len(e.raw) + 4*binary.MaxVarintLen64
}

// keptDocument is one document of a file.
type keptDocument struct {
	key cacheKey
	cacheEntry
}

// cacheEntries are the documents of a file, none of one that is damaged. Their bytes are parts of raw.
func cacheEntries(raw []byte, name string) iter.Seq[keptDocument] {
	return func(yield func(keptDocument) bool) {
		if len(raw) < sha256.Size {
			return
		}
		body, sum := raw[:len(raw)-sha256.Size], raw[len(raw)-sha256.Size:]
		if want := sha256.Sum256(body); !bytes.Equal(sum, want[:]) {
			return
		}
		rest, ours := bytes.CutPrefix(body, []byte(cacheHead+name+"\n"))
		for ours && len(rest) > 0 {
			var parts [4][]byte
			for i := range parts {
				if parts[i], rest, ours = cutPart(rest); !ours {
					return
				}
			}
			key := cacheKey{id: string(parts[0]), name: string(parts[1])}
			if !yield(keptDocument{key, cacheEntry{etag: string(parts[2]), raw: parts[3]}}) {
				return
			}
		}
	}
}

// cutPart takes one part off, which has its length before it.
func cutPart(raw []byte) (part, rest []byte, ok bool) {
	size, n := binary.Uvarint(raw)
	if n <= 0 || size > uint64(len(raw)-n) {
		return nil, nil, false
	}
	end := n + int(size) // no longer than raw
	return raw[n:end:end], raw[end:], true
}
