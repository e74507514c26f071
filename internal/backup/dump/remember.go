package dump

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/bounded"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// The newest sets can be cut off without a trace in the bucket. So the host keeps one small file per
// job: which set it committed last. Nothing else is kept there, and nothing is lost with it.
//
// Programs before kept one file per database, whatever the job. It is read where a job has none of its own.

// DefaultStateDir is the backup units' StateDirectory=.
const DefaultStateDir = "/var/lib/pgbtui/backup"

// memory is what a host knows of the last set that it committed.
type memory struct {
	Schema         int    `json:"schema"`
	Location       string `json:"location"`      // the folder in the bucket
	Job            string `json:"job,omitempty"` // "": from before there was one for each job
	ID             string `json:"id"`
	ManifestSHA256 string `json:"manifestSha256"`
	Sequence       int64  `json:"sequence"`

	Unmatched []string `json:"unmatched,omitempty"` // patterns of what is left out that no table had
}

// memoryFile is where the memory of a job's set is, "" for that of a database.
func memoryFile(dir string, job config.Job, name string) (file, location string) {
	location = job.S3.Endpoint + " " + job.S3.Bucket + "/" + backup.FolderOf(job)
	key := location
	if name != "" {
		key += "\x00" + name
	}
	return filepath.Join(dir, fmt.Sprintf("last-%x.json", sha256.Sum256([]byte(key)))), location
}

// recall is nil for a host that remembers nothing of this job.
func recall(dir string, job config.Job) (*memory, error) {
	if dir == "" {
		return nil, nil
	}
	m, err := recallFile(dir, job, job.Name)
	if m != nil || err != nil {
		return m, err
	}
	return recallFile(dir, job, "")
}

func recallFile(dir string, job config.Job, name string) (*memory, error) {
	file, location := memoryFile(dir, job, name)
	raw, err := bounded.ReadPlain(file, bounded.File)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("backup: recall the last set: %w", err)
	}
	var m memory
	if err := json.Unmarshal(raw, &m); err != nil || m.Location != location || m.Job != name || m.ID == "" {
		return nil, fault.New(fault.Failed, "backup: recall the last set: "+file+" is damaged",
			"Remove the file: the next backup writes it again.", err)
	}
	return &m, nil
}

// lost says how the bucket lacks what is remembered, or "". A set that others have followed may be
// gone: retention takes it some day. sets are all of the database; what followed is of the same job, as far
// as the memory names one.
func (m *memory) lost(sets []backup.Set, whose backup.Whose) string {
	if m == nil {
		return ""
	}
	followers := sets
	if m.Job != "" {
		followers = whose.Own(sets)
	}
	const who = "; find out who writes to the bucket, and whether it has versions to put back"
	for i := range sets {
		if s := &sets[i]; s.ID == m.ID && s.ManifestSum == m.ManifestSHA256 {
			return ""
		} else if s.ID == m.ID && s.ManifestSum != "" {
			return "the set that this host committed last, " + m.ID + ", has another manifest now" + who
		}
	}
	newest := "nothing is left"
	if s := backup.Last(followers); s != nil {
		if s.Sequence > m.Sequence {
			return ""
		}
		newest = "the newest left is " + s.ID
	}
	return "an older state of the bucket: the set that this host committed last, " + m.ID + ", is gone, and " +
		newest + who
}

// remember keeps what was just committed, for the next run on this host.
func (r *run) remember(manifest []byte) error {
	if r.env.StateDir == "" {
		return nil
	}
	file, location := memoryFile(r.env.StateDir, r.job, r.job.Name)
	body, err := json.Marshal(memory{
		Schema: backup.ManifestSchema, Location: location, Job: r.job.Name, ID: r.manifest.ID,
		ManifestSHA256: fmt.Sprintf("%x", sha256.Sum256(manifest)), Sequence: r.manifest.Sequence,
		Unmatched: r.unmatched,
	})
	if err != nil {
		return fmt.Errorf("backup: remember the set: %w", err)
	}
	if err := writeForGroup(file, body); err != nil {
		return fmt.Errorf("backup: remember the set: %w", err)
	}
	return nil
}

// Lost says whether the bucket lacks the set that this host committed last for a job, or has another in
// its place; "" when not, or when this host remembers nothing or may not look. sets are all of the database.
func Lost(stateDir string, job config.Job, sets []backup.Set) string {
	remembered, err := recall(stateDir, job)
	if err != nil {
		return "" // the next run tells
	}
	return remembered.lost(sets, backup.WhoseOf(job))
}
