package chaos

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"

	"filippo.io/age"
	"github.com/klauspost/compress/zstd"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

// object is one stored object of a set, by its key within the set's folder.
type object struct {
	key  string
	body []byte
}

// set is what lies in one folder of the bucket; manifest is nil without one.
type set struct {
	id       string
	manifest *backup.Manifest
	objects  []object
}

const manifestName = "manifest.json"

func (w *World) folder() string { return backup.Folder(prefix, instance, w.database) }

// sets reads everything back that lies below the job's folder, in the order of their IDs.
func (w *World) sets(ctx context.Context) (sets []set, err error) {
	for o, err := range w.bucket.List(ctx, w.folder()) {
		if err != nil {
			return nil, err
		}
		id, key, inside := strings.Cut(o.Key[len(w.folder()):], "/")
		if !inside {
			continue // the lease
		}
		if len(sets) == 0 || sets[len(sets)-1].id != id {
			sets = append(sets, set{id: id})
		}
		s := &sets[len(sets)-1]
		body, err := w.read(ctx, o.Key)
		if err != nil {
			return nil, err
		}
		s.objects = append(s.objects, object{key, body})
		if key == manifestName {
			s.manifest = &backup.Manifest{}
			if err := json.Unmarshal(body, s.manifest); err != nil {
				return nil, fmt.Errorf("%s: %w", o.Key, err)
			}
		}
	}
	return sets, nil
}

func (w *World) read(ctx context.Context, key string) ([]byte, error) {
	r, _, err := w.bucket.Get(ctx, key, 0, -1)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

// provenWhole says how a set with a manifest is not a backup, or "": every object as long and of
// the hash that the manifest says, and the dump decodes to its end by zstd, age and pg_restore.
func (w *World) provenWhole(ctx context.Context, s *set) string {
	bodies := map[string][]byte{}
	for _, o := range s.objects {
		bodies[o.key] = o.body
	}
	for _, p := range s.manifest.Objects() {
		body, there := bodies[p.Key]
		sum := sha256.Sum256(body)
		if !there || int64(len(body)) != p.SizeBytes || hex.EncodeToString(sum[:]) != p.SHA256 {
			return fmt.Sprintf("%s/%s: there %t, %d bytes of %d, sha256 %x of %s", s.id, p.Key, there, len(body), p.SizeBytes, sum, p.SHA256)
		}
	}
	for _, stream := range s.manifest.Archives() {
		raw, err := w.decode(ctx, bodies[stream.Key])
		if err != nil || raw != stream.RawBytes {
			return fmt.Sprintf("%s: %s: %d of %d bytes decoded: %v", s.id, stream.Key, raw, stream.RawBytes, err)
		}
	}
	return ""
}

func (w *World) decode(ctx context.Context, body []byte) (raw int64, err error) {
	var in io.Reader = bytes.NewReader(body)
	if w.sealed {
		if in, err = age.Decrypt(in, w.lab.key); err != nil {
			return 0, err
		}
	}
	z, err := zstd.NewReader(in)
	if err != nil {
		return 0, err
	}
	defer z.Close()
	counted := &counter{r: z}
	restore := exec.CommandContext(ctx, w.lab.server.BinDir+"/pg_restore", "-f", "/dev/null")
	restore.Stdin = counted
	if out, err := restore.CombinedOutput(); err != nil {
		return counted.n, fmt.Errorf("pg_restore: %w: %s", err, out)
	}
	// What pg_restore leaves unread counts too.
	_, err = io.Copy(io.Discard, counted)
	return counted.n, err
}

type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// plant writes a set of the laboratory as one of this job that finished so long ago.
func (w *World) plant(ctx context.Context, ago time.Duration) (id string, err error) {
	from := w.lab.plain
	if w.sealed {
		from = w.lab.sealed
	}
	finished := time.Now().Add(-ago)
	id = backup.NewID(finished)
	for _, o := range from {
		body := o.body
		if o.key == manifestName {
			if body, err = w.renamed(body, id, finished); err != nil {
				return "", err
			}
		}
		if _, err := w.bucket.Put(ctx, w.folder()+id+"/"+o.key, body, s3.PutOptions{}); err != nil {
			return "", err
		}
	}
	w.planted = append(w.planted, id)
	return id, nil
}

// renamed edits a manifest as JSON, so that fields unknown here stay.
func (w *World) renamed(manifest []byte, id string, finished time.Time) ([]byte, error) {
	var m map[string]any
	if err := json.Unmarshal(manifest, &m); err != nil {
		return nil, err
	}
	m["id"], m["runId"], m["database"], m["job"] = id, id, w.database, w.database
	m["startedAt"], m["finishedAt"] = finished.Add(-time.Minute).UTC(), finished.UTC()
	return json.Marshal(m)
}
