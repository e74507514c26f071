package s3server

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const maxParts = 10000

// upload is one multipart upload. Everything but Parts is fixed; Parts is guarded by the bucket's mutex.
type upload struct {
	ID        string // sorts by time of initiation
	Key       string
	Initiated time.Time
	Settings
	Lock      lock
	Algorithm algorithm // asked for at the start; "" when the caller said nothing
	SumType   string
	Parts     map[int]part `json:"-"` // a file each: 10,000 parts are not written 10,000 times
}

// part is an uploaded part.
type part struct {
	Number   int
	ETag     string
	Segment  segment
	Modified time.Time
	Sums     map[algorithm]string
}

// algorithm is the checksum that the finished object carries. S3 takes CRC64NVME when the caller
// named none.
func (u *upload) algorithm() (algorithm, string) {
	if u.Algorithm == "" {
		return algCRC64NVME, fullObject
	}
	return u.Algorithm, u.SumType
}

// loadUploads reads uploads/ID/upload.json and uploads/ID/NUMBER.json. A folder without the first is
// the rest of an ended upload.
func (b *bucket) loadUploads() error {
	entries, err := os.ReadDir(filepath.Join(b.dir, "uploads"))
	if err != nil {
		return err
	}
	for _, e := range entries {
		u := &upload{Parts: map[int]part{}}
		switch err := readJSON(b.uploadPath(e.Name(), uploadFile), u); {
		case errors.Is(err, os.ErrNotExist):
			err = os.RemoveAll(b.uploadPath(e.Name()))
			if err != nil {
				return err
			}
			continue
		case err != nil:
			return err
		}
		if err := b.loadParts(u); err != nil {
			return err
		}
		b.uploads[u.ID] = u
	}
	return nil
}

const uploadFile = "upload.json"

func (b *bucket) loadParts(u *upload) error {
	return eachJSON(b.uploadPath(u.ID), func(path string) error {
		if filepath.Base(path) == uploadFile {
			return nil
		}
		var p part
		if err := readJSON(path, &p); err != nil {
			return err
		}
		u.Parts[p.Number] = p
		return nil
	})
}

func (b *bucket) uploadPath(id string, file ...string) string {
	return filepath.Join(append([]string{b.dir, "uploads", id}, file...)...)
}

func (b *bucket) partPath(id string, number int) string {
	return b.uploadPath(id, fmt.Sprintf("%05d.json", number))
}

// newUpload registers an upload.
func (b *bucket) newUpload(u *upload) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	u.ID = fmt.Sprintf("%016x%s", u.Initiated.UnixNano(), randomHex(8))
	u.Parts = map[int]part{}
	if err := os.Mkdir(b.uploadPath(u.ID), 0o700); err != nil {
		return err
	}
	if err := writeJSON(b.uploadPath(u.ID, uploadFile), u); err != nil {
		return err
	}
	b.uploads[u.ID] = u
	return nil
}

// upload finds an upload of a key.
func (b *bucket) upload(id, key string) (*upload, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.uploadLocked(id, key)
}

func (b *bucket) uploadLocked(id, key string) (*upload, error) {
	if u := b.uploads[id]; u != nil && u.Key == key {
		return u, nil
	}
	return nil, noSuchUpload()
}

// addPart puts a part in place of any earlier one of its number; the upload may have ended meanwhile.
func (b *bucket) addPart(u *upload, p part) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, err := b.uploadLocked(u.ID, u.Key); err != nil {
		return err
	}
	if err := writeJSON(b.partPath(u.ID, p.Number), p); err != nil {
		return err
	}
	old, replaced := u.Parts[p.Number]
	u.Parts[p.Number] = p
	if replaced {
		b.discard(old.Segment)
	}
	return nil
}

// endUpload forgets an upload and removes the parts that keep does not name. Its own file goes
// first: what is left after a kill is then known as rest.
func (b *bucket) endUpload(u *upload, keep []segment) error {
	if err := os.Remove(b.uploadPath(u.ID, uploadFile)); err != nil {
		return err
	}
	delete(b.uploads, u.ID)
	kept := map[segment]bool{}
	for _, s := range keep {
		kept[s] = true
	}
	for _, p := range u.Parts {
		if !kept[p.Segment] {
			b.discard(p.Segment)
		}
	}
	return os.RemoveAll(b.uploadPath(u.ID))
}

func (b *bucket) abort(id, key string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	u, err := b.uploadLocked(id, key)
	if err != nil {
		return err
	}
	return b.endUpload(u, nil)
}

// completion is one CompleteMultipartUpload.
type completion struct {
	id, key string
	cond    writeConditions
	guard   *guard
	again   bool // answer a repeated call as the first
	build   func(*upload) (*object, error)
}

// complete makes the object of the chosen parts and ends the upload, in one step for all others. build sees
// the upload as it is then.
func (b *bucket) complete(c completion) (*object, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if o := b.objects[c.key]; c.again && o != nil && o.UploadID == c.id {
		return o, nil
	}
	u, err := b.uploadLocked(c.id, c.key)
	if err != nil {
		return nil, err
	}
	o, err := c.build(u)
	if err != nil {
		return nil, err
	}
	if err := b.commitLocked(o, c.cond, c.guard); err != nil {
		return nil, err
	}
	return o, b.endUpload(u, o.Segments)
}

// uploadPage lists uploads after a key and id, ordered by key, then by initiation.
func (b *bucket) uploadPage(prefix, afterKey, afterID string, limit int) (page []*upload, more bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, u := range b.uploads {
		after := u.Key > afterKey || (u.Key == afterKey && afterID != "" && u.ID > afterID)
		if strings.HasPrefix(u.Key, prefix) && (afterKey == "" || after) {
			page = append(page, u)
		}
	}
	slices.SortFunc(page, func(x, y *upload) int {
		if c := strings.Compare(x.Key, y.Key); c != 0 {
			return c
		}
		return strings.Compare(x.ID, y.ID)
	})
	if len(page) > limit {
		return page[:limit], limit > 0
	}
	return page, false
}

// sortedParts is a copy of an upload's parts in their order.
func (b *bucket) sortedParts(u *upload) []part {
	b.mu.Lock()
	defer b.mu.Unlock()
	parts := make([]part, 0, len(u.Parts))
	for _, p := range u.Parts {
		parts = append(parts, p)
	}
	slices.SortFunc(parts, func(x, y part) int { return x.Number - y.Number })
	return parts
}

// checksumMismatch is S3's answer to a part that carries another checksum than its upload.
func checksumMismatch(want, got string) *apiError {
	if got == "" {
		got = "null"
	}
	return apiErr(http.StatusBadRequest, "InvalidRequest", "Checksum Type mismatch occurred, expected checksum Type: %s, actual checksum Type: %s", strings.ToLower(want), strings.ToLower(got))
}

// OpenUploads counts the multipart uploads that were neither completed nor aborted.
func (s *Server) OpenUploads(bucket string) int {
	b, err := s.store.bucket(bucket)
	if err != nil {
		return 0
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.uploads)
}
