package drill

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/bounded"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/pitr/beside"
	"codeberg.org/pgbtui/pgbtui/internal/pitr/wal"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
)

// Proof is what a drill has shown of a cluster, or that it has failed.
type Proof struct {
	Schema     int       `json:"schema"`
	Cluster    string    `json:"cluster"`
	Engine     string    `json:"engine"`
	StartedAt  time.Time `json:"startedAt"`
	FinishedAt time.Time `json:"finishedAt"`
	OK         bool      `json:"ok"`
	Failure    string    `json:"failure,omitempty"`

	Target   time.Time `json:"target"`
	Set      string    `json:"set"` // label of the base backup that it began from
	Timeline uint32    `json:"timeline"`
	Reached  Reached   `json:"reached,omitzero"`

	// From the order until the server answered at the target: the measured time of a recovery by this engine.
	RTOSeconds   float64 `json:"rtoSeconds,omitempty"`
	FilesSeconds float64 `json:"filesSeconds,omitempty"` // of it, for the files of the base backup
	ClusterBytes int64   `json:"clusterBytes"`           // of the restored files
	WALBytes     int64   `json:"walBytes,omitempty"`     // replayed

	Databases []Database `json:"databases,omitempty"`
	NotProven []string   `json:"notProven,omitempty"` // what this drill could not look at
}

// Reached is where the recovery has stopped, as the copy and as the archived WAL have it.
type Reached struct {
	LSN    wal.LSN   `json:"lsn"`
	Commit time.Time `json:"commit,omitzero"` // the last transaction in the copy ended; zero: none since the base backup
	Next   time.Time `json:"next"`            // the first one that is not in it
	XID    uint32    `json:"xid,omitempty"`   // of the last
}

// Database is one that was connected to, with what was counted.
type Database struct {
	Name      printable.Name `json:"name"`
	Relations int            `json:"relations"`
	Tables    int            `json:"tables"`
	Rows      int64          `json:"rows"`
	Bytes     int64          `json:"bytes"`
	Amcheck   string         `json:"amcheck,omitempty"`
}

// RTO is how long the recovery took.
func (p Proof) RTO() time.Duration { return time.Duration(p.RTOSeconds * float64(time.Second)) }

const (
	proofSchema   = 1
	mostProof     = 1 << 20
	keptProofs    = 100
	mostDatabases = 10_000
)

// proofName sorts by time.
var proofName = regexp.MustCompile(`^[0-9]{8}T[0-9]{6}Z-(ok|failed)\.json$`)

// folder is where the proofs of a cluster are, beside the records of copies.
func folder(copies, cluster string) string {
	return filepath.Join(cmp.Or(copies, beside.DefaultDir), "proofs", cluster)
}

// write adds a proof to those that are there, and lets the oldest go.
func (p Proof) write(copies string) error {
	p.Schema = proofSchema
	dir := folder(copies, p.Cluster)
	what := "pitr: write the proof of cluster " + p.Cluster
	// operators read it through the group of the folder above
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return fault.New(fault.NotPermitted, what, "Run it as root or as the owner of the server's files.", err)
	}
	body, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	word := "failed"
	if p.OK {
		word = "ok"
	}
	file := filepath.Join(dir, p.FinishedAt.UTC().Format("20060102T150405Z")+"-"+word+".json")
	//nolint:gosec // operators read it through the folder's group
	err = os.WriteFile(file+".next", append(body, '\n'), 0o640)
	if err == nil {
		err = os.Rename(file+".next", file)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	names, err := proofNames(dir)
	for len(names) > keptProofs {
		err = errors.Join(err, os.Remove(filepath.Join(dir, names[0])))
		names = names[1:]
	}
	return err
}

// proofNames are those of a folder, the oldest first.
func proofNames(dir string) (names []string, err error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	for _, entry := range entries {
		if proofName.MatchString(entry.Name()) {
			names = append(names, entry.Name())
		}
	}
	slices.Sort(names)
	return names, err
}

// Known are the newest drill of a cluster, and the newest one that was a proof. nil: none is known.
type Known struct {
	Newest *Proof `json:"newest"`
	Proven *Proof `json:"proven"`
}

// Read is what is known of a cluster, from the folder of copies.
func Read(copies, cluster string) (k Known, err error) {
	dir := folder(copies, cluster)
	names, err := proofNames(dir)
	if err != nil {
		return k, fault.New(fault.NotPermitted, "pitr: look for proofs of cluster "+cluster,
			"Run it as root or as the owner of the server's files.", err)
	}
	for i := len(names) - 1; i >= 0 && k.Proven == nil; i-- {
		if k.Newest != nil && strings.HasSuffix(names[i], "-failed.json") {
			continue
		}
		raw, err := bounded.ReadPlain(filepath.Join(dir, names[i]), mostProof)
		if err != nil {
			return k, fmt.Errorf("pitr: read proof %s of cluster %s: %w", names[i], cluster, err)
		}
		proof, err := parse(raw, cluster)
		if err != nil {
			return k, fmt.Errorf("pitr: read proof %s of cluster %s: %w", names[i], cluster, err)
		}
		if k.Newest == nil {
			k.Newest = &proof
		}
		if proof.OK {
			k.Proven = &proof
		}
	}
	return k, nil
}

func parse(raw []byte, cluster string) (p Proof, err error) {
	if err := json.Unmarshal(raw, &p); err != nil {
		return Proof{}, err
	}
	switch {
	case p.Schema > proofSchema:
		return Proof{}, fault.New(fault.Refused, fmt.Sprintf("schema %d", p.Schema),
			"Update pgbtui: a newer one has written it.", nil)
	case p.Schema != proofSchema, p.Cluster != cluster, p.FinishedAt.Before(p.StartedAt), p.FinishedAt.IsZero(),
		p.RTOSeconds < 0, p.RTOSeconds > 1e9, p.ClusterBytes < 0, p.WALBytes < 0, len(p.Databases) > mostDatabases,
		p.OK && (p.Target.IsZero() || p.RTOSeconds == 0):
		return Proof{}, errors.New("no drill has written that")
	}
	p.Failure = printable.Text(p.Failure)
	p.Set, p.Engine = printable.Text(p.Set), printable.Text(p.Engine)
	for i := range p.NotProven {
		p.NotProven[i] = printable.Text(p.NotProven[i])
	}
	return p, nil
}
