package record

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"codeberg.org/pgbtui/pgbtui/internal/bounded"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
)

// DefaultDir is the StateDirectory= of the unit that looks. Its group is that of the operators.
const DefaultDir = "/var/lib/pgbtui-pitr"

const (
	fileName   = "clusters.json"
	fileSchema = 1
	fileLimit  = 16 << 20
)

// mostClusters and mostItems bound what is believed to be known of one host, and of one cluster.
const (
	mostClusters = 1000
	mostItems    = 50_000
)

type file struct {
	Schema   int       `json:"schema"`
	Clusters []Cluster `json:"clusters"`
}

// Write replaces what is known of the clusters of this host.
func Write(dir string, clusters []Cluster) error {
	name := filepath.Join(dir, fileName)
	text, err := json.Marshal(file{Schema: fileSchema, Clusters: clusters})
	if err != nil {
		return fmt.Errorf("record: encode clusters: %w", err)
	}
	if _, err := parse(text); err != nil {
		return fmt.Errorf("record: write %s: %w", name, err)
	}
	temp, err := os.CreateTemp(dir, ".clusters-*")
	if err != nil {
		return writeError(name, err)
	}
	_, err = temp.Write(append(text, '\n'))
	if err == nil {
		err = temp.Chmod(0o640)
	}
	if err == nil {
		err = temp.Sync()
	}
	if err = errors.Join(err, temp.Close()); err == nil {
		err = os.Rename(temp.Name(), name)
	}
	if err != nil {
		return errors.Join(writeError(name, err), os.Remove(temp.Name()))
	}
	return nil
}

func writeError(name string, err error) error {
	what := "record: write " + name
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return fault.New(fault.NotPermitted, what,
			"Let the unit write it: `sudo systemctl start postgres-pitr-status.service`.", err)
	}
	return fmt.Errorf("%s: %w", what, err)
}

// Read is what is known of the clusters of this host. Where nobody has looked yet that is an error with
// fault.NotFound.
func Read(dir string) ([]Cluster, error) {
	name := filepath.Join(dir, fileName)
	raw, err := bounded.ReadPlain(name, fileLimit)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fault.New(fault.NotFound, "record: nobody has looked at the clusters of this host yet",
			"Switch it on: `sudo systemctl enable --now postgres-pitr-status.timer`.", nil)
	case errors.Is(err, fs.ErrPermission):
		return nil, fault.New(fault.NotPermitted, "record: read "+name,
			"Become a member of group pgbtui: `usermod -aG pgbtui USER`, then log in again.", err)
	case err != nil:
		return nil, fmt.Errorf("record: %w", err)
	}
	clusters, err := parse(raw)
	if err != nil {
		return nil, fault.New(fault.Failed, "record: read "+name,
			"Have it written again: `sudo systemctl start postgres-pitr-status.service`.", err)
	}
	return clusters, nil
}

// Of is one cluster of those that are known.
func Of(clusters []Cluster, name string) (Cluster, bool) {
	i := slices.IndexFunc(clusters, func(c Cluster) bool { return c.Cluster == name })
	if i < 0 {
		return Cluster{}, false
	}
	return clusters[i], true
}

func parse(raw []byte) ([]Cluster, error) {
	var f file
	if err := json.Unmarshal(raw, &f); err != nil {
		return nil, err
	}
	if f.Schema != fileSchema {
		return nil, fmt.Errorf("schema %d, this program knows %d", f.Schema, fileSchema)
	}
	if len(f.Clusters) > mostClusters {
		return nil, fmt.Errorf("%d clusters, at most %d are believed", len(f.Clusters), mostClusters)
	}
	for i := range f.Clusters {
		c := &f.Clusters[i]
		if _, twice := Of(f.Clusters[:i], c.Cluster); twice {
			return nil, fmt.Errorf("cluster %q stands in it twice", printable.Text(c.Cluster))
		}
		if err := c.check(); err != nil {
			return nil, fmt.Errorf("cluster %q: %w", printable.Text(c.Cluster), err)
		}
		c.makeSafe()
	}
	return f.Clusters, nil
}

var errImpossible = errors.New("an impossible value")

// check refuses what no look has found.
func (c *Cluster) check() error {
	items := len(c.Windows) + len(c.Gaps) + len(c.Backups) + len(c.Elsewhere) + len(c.Problems)
	bad := c.Cluster == "" || c.At.IsZero() || c.Commits < 0 || c.Ready < 0 || c.RPOSeconds < 0 ||
		c.Loss != nil && *c.Loss < 0
	for _, w := range c.Windows {
		items += len(w.Backups)
		bad = bad || w.Until.Before(w.After) || w.Timeline < 0
	}
	for _, g := range c.Gaps {
		items += len(g.Segments)
		bad = bad || g.Missing < 0
	}
	for _, b := range c.Backups {
		bad = bad || b.Bytes < 0 || b.StoredBytes < 0 || b.StoppedAt.Before(b.StartedAt)
	}
	if p := c.Proof; p != nil {
		items += len(p.Databases) + len(p.NotProven)
		bad = bad || p.RTOSeconds < 0 || p.FilesSeconds < 0 || p.ClusterBytes < 0 || p.WALBytes < 0 || p.Timeline < 0
	}
	if bad || items > mostItems {
		return errImpossible
	}
	return nil
}

// makeSafe lets no text reach a screen as it came, and takes nothing for good that has a problem.
func (c *Cluster) makeSafe() {
	texts := []*string{&c.Cluster, &c.Engine, &c.EngineVersion, &c.Stanza, &c.Summary, &c.LossSummary}
	for i := range c.Windows {
		w := &c.Windows[i]
		texts = append(texts, &w.First, &w.Last)
		for k := range w.Backups {
			texts = append(texts, &w.Backups[k])
		}
	}
	for i := range c.Gaps {
		for k := range c.Gaps[i].Segments {
			texts = append(texts, &c.Gaps[i].Segments[k])
		}
	}
	for i := range c.Backups {
		texts = append(texts, &c.Backups[i].Label, &c.Backups[i].Kind)
	}
	for i := range c.Problems {
		p := &c.Problems[i]
		texts = append(texts, &p.Kind, &p.What, &p.Remedy)
	}
	if p := c.Proof; p != nil {
		texts = append(texts, &p.Cluster, &p.Failure, &p.Set)
		for i := range p.Databases {
			texts = append(texts, &p.Databases[i].Name, &p.Databases[i].Amcheck)
		}
		for i := range p.NotProven {
			texts = append(texts, &p.NotProven[i])
		}
	}
	if c.Error != nil {
		texts = append(texts, &c.Error.Message, &c.Error.Remedy)
	}
	for _, text := range texts {
		*text = printable.Text(*text)
	}
	c.OK = c.OK && len(c.Problems) == 0 && c.Error == nil
}
