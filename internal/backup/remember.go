package backup

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// The newest sets can be cut off without a trace in the bucket. So the host keeps one small file per
// database: which set it committed last. Nothing else is kept there, and nothing is lost with it.

// DefaultStateDir is the backup units' StateDirectory=.
const DefaultStateDir = "/var/lib/pgbtui/backup"

// memory is what a host knows of the last set that it committed.
type memory struct {
	Schema         int    `json:"schema"`
	Location       string `json:"location"` // the folder in the bucket
	ID             string `json:"id"`
	ManifestSHA256 string `json:"manifestSha256"`
	Sequence       int64  `json:"sequence"`
}

func memoryFile(dir string, job config.Job) (file, location string) {
	location = job.S3.Endpoint + " " + job.S3.Bucket + "/" + Folder(job.S3.Prefix, job.Instance, job.Database)
	return filepath.Join(dir, fmt.Sprintf("last-%x.json", sha256.Sum256([]byte(location)))), location
}

// recall is nil for a host that remembers nothing of this database.
func recall(dir string, job config.Job) (*memory, error) {
	if dir == "" {
		return nil, nil
	}
	file, location := memoryFile(dir, job)
	raw, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("backup: recall the last set: %w", err)
	}
	var m memory
	if err := json.Unmarshal(raw, &m); err != nil || m.Location != location || m.ID == "" {
		return nil, fault.New(fault.Failed, "backup: recall the last set: "+file+" is damaged", "remove it; the next backup writes it again", err)
	}
	return &m, nil
}

// lost says how the bucket lacks what is remembered, or "". A set that others have followed may be
// gone: retention takes it some day.
func (m *memory) lost(sets []Set) string {
	if m == nil {
		return ""
	}
	const who = "; find out who writes to the bucket, and whether it has versions to put back"
	for i := range sets {
		if s := &sets[i]; s.ID == m.ID && s.manifestSum == m.ManifestSHA256 {
			return ""
		} else if s.ID == m.ID && s.manifestSum != "" {
			return "the set that this host committed last, " + m.ID + ", has another manifest now" + who
		}
	}
	newest := "nothing is left"
	if s := last(sets); s != nil {
		if s.sequence > m.Sequence {
			return ""
		}
		newest = "the newest left is " + s.ID
	}
	return "an older state of the bucket: the set that this host committed last, " + m.ID + ", is gone, and " + newest + who
}

// remember keeps what was just committed, for the next run on this host.
func (r *run) remember(manifest []byte) error {
	if r.env.StateDir == "" {
		return nil
	}
	file, location := memoryFile(r.env.StateDir, r.job)
	body, err := json.Marshal(memory{ManifestSchema, location, r.manifest.ID, fmt.Sprintf("%x", sha256.Sum256(manifest)), r.manifest.Sequence})
	if err != nil {
		return fmt.Errorf("backup: remember the set: %w", err)
	}
	next := file + ".next"
	if err := os.WriteFile(next, body, 0o640); err != nil {
		return fmt.Errorf("backup: remember the set: %w", err)
	}
	// The watch, another user of the group, compares with it; it is no secret, and the unit's umask is 0077.
	if err := os.Chmod(next, 0o640); err != nil { //nolint:gosec // G302: see above
		return fmt.Errorf("backup: remember the set: %w", err)
	}
	if err := os.Rename(next, file); err != nil {
		return fmt.Errorf("backup: remember the set: %w", err)
	}
	return nil
}

// Lost says whether the bucket lacks the set that this host committed last, or has another in its
// place; "" when not, or when this host remembers nothing or may not look.
func Lost(stateDir string, job config.Job, sets []Set) string {
	remembered, err := recall(stateDir, job)
	if err != nil {
		return "" // the next run tells
	}
	return remembered.lost(sets)
}
