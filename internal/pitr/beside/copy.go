// Package beside restores a cluster to a moment beside the live one, and what people do with such a copy: look, take
// tables out of it, promote it, throw it away. Rules:
//
//   - nothing here writes to the live cluster's files, its archive or its stanza; only an extract writes to the live
//     server, what was asked for
//   - a copy is a folder and a record, written before the first byte: whatever is killed, the record leads to what has
//     to be removed
//   - a copy's server has no network, archives nothing, and lives in its own folder with its own socket
package beside

import (
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"codeberg.org/pgbtui/pgbtui/internal/bounded"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/pitr/wal"
)

// DefaultDir is where copies lie, each in a folder of its own.
const DefaultDir = "/var/lib/pgbtui-copies"

// DefaultTTL is how long a copy stays unless somebody says otherwise, and WarnBefore when its end is told.
const (
	DefaultTTL = 72 * time.Hour
	WarnBefore = 24 * time.Hour
)

// Phase is how far the making of a copy is.
type Phase string

// The phases of a copy.
const (
	Restoring  Phase = "restoring"  // files come, or WAL is replayed
	Ready      Phase = "ready"      // it has reached its target
	Promoted   Phase = "promoted"   // it is a server of its own, which can be written to
	Unfinished Phase = "unfinished" // whoever made it is gone; only of a copy that is looked at, never written
)

// Copy is the record of one.
type Copy struct {
	Schema   int       `json:"schema"`
	ID       string    `json:"id"`
	Cluster  string    `json:"cluster"`
	Target   Target    `json:"target"`
	Set      string    `json:"set"` // label of the base backup
	Timeline uint32    `json:"timeline"`
	Made     time.Time `json:"made"`
	Expires  time.Time `json:"expires"`
	Warned   bool      `json:"warned,omitempty"`
	Drill    bool      `json:"drill,omitempty"` // thrown away by whoever made it
	Phase    Phase     `json:"phase"`
	Data     string    `json:"data"`   // folder of its files
	BinDir   string    `json:"binDir"` // of the server's programs; "" those on PATH
	Major    int       `json:"major"`
	User     string    `json:"user"` // role to log in as
	Reached  Reached   `json:"reached,omitzero"`

	dir string // of the record
}

// Reached is how far a copy has replayed.
type Reached struct {
	LSN    wal.LSN   `json:"lsn,omitzero"`
	Commit time.Time `json:"commit,omitzero"` // of the last transaction that is in it
	Log    string    `json:"log,omitempty"`   // the server's own words for where it stopped

	FilesSeconds float64 `json:"filesSeconds,omitempty"` // how long the base backup's files took
}

const recordSchema = 1

const remedyOwner = "Run it as root or as the owner of the server's files."

// place is where the parts of a copy are.
type place struct{ dir, files string }

func (c *Copy) place() place { return place{dir: c.dir, files: c.Data} }

func (p place) record() string      { return filepath.Join(p.dir, "copy.json") }
func (p place) config() string      { return filepath.Join(p.dir, "postgresql.conf") }
func (p place) hba() string         { return filepath.Join(p.dir, "pg_hba.conf") }
func (p place) ident() string       { return filepath.Join(p.dir, "pg_ident.conf") }
func (p place) log() string         { return filepath.Join(p.dir, "server.log") }
func (p place) socket() string      { return filepath.Join(p.dir, "s") }
func (p place) locks() string       { return filepath.Join(p.dir, "lock") }
func (p place) data() string        { return filepath.Join(p.files, "data") }
func (p place) tablespaces() string { return filepath.Join(p.files, "tablespaces") }

var copyID = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,39}-[0-9a-f]{6}$`)

// IsID reports whether text can be the ID of a copy.
func IsID(text string) bool { return copyID.MatchString(text) }

// newID never fails: crypto/rand.
func newID(cluster string) string {
	var b [3]byte
	_, _ = rand.Read(b[:])
	return cluster + "-" + hex.EncodeToString(b[:])
}

// mostRecord bounds a record.
const mostRecord = 64 << 10

// save writes the record, whole or not at all.
func (c *Copy) save() error {
	c.Schema = recordSchema
	body, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return fmt.Errorf("pitr: write the record of copy %s: %w", c.ID, err)
	}
	file := c.place().record()
	next := file + ".next"
	//nolint:gosec // operators read it through the folder's group
	if err := os.WriteFile(next, append(body, '\n'), 0o640); err != nil {
		return fmt.Errorf("pitr: write the record of copy %s: %w", c.ID, err)
	}
	if err := os.Chmod(next, 0o640); err != nil { //nolint:gosec // the same, whatever the mask of a unit is
		return fmt.Errorf("pitr: write the record of copy %s: %w", c.ID, err)
	}
	if owner, err := os.Stat(c.dir); err == nil && os.Geteuid() == 0 {
		if stat, ok := owner.Sys().(*syscall.Stat_t); ok {
			_ = os.Chown(next, int(stat.Uid), int(stat.Gid))
		}
	}
	if err := os.Rename(next, file); err != nil {
		return fmt.Errorf("pitr: write the record of copy %s: %w", c.ID, err)
	}
	return nil
}

// load reads the record of a folder.
func load(dir string) (*Copy, error) {
	what := "pitr: read the record of copy " + filepath.Base(dir)
	raw, err := bounded.ReadFile(filepath.Join(dir, "copy.json"), mostRecord)
	if errors.Is(err, os.ErrPermission) {
		return nil, fault.New(fault.NotPermitted, what, remedyOwner, err)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	c := &Copy{}
	if err := json.Unmarshal(raw, c); err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	if c.Schema > recordSchema {
		return nil, fault.New(fault.Refused, what, "Update pgbtui: a newer one has made this copy.", nil)
	}
	if c.ID != filepath.Base(dir) || !copyID.MatchString(c.ID) || !filepath.IsAbs(c.Data) ||
		filepath.Base(c.Data) != c.ID {
		return nil, fault.New(fault.Integrity, what+": it is of another copy", "Look who has written to "+dir+".", nil)
	}
	c.dir = dir
	return c, nil
}

// Copies are all below dir, the newest first. What cannot be read is told in problems.
func Copies(dir string) (copies []*Copy, problems []error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, []error{fault.New(fault.NotPermitted, "pitr: look for copies", remedyOwner, err)}
	}
	for _, entry := range entries {
		if !entry.IsDir() || !copyID.MatchString(entry.Name()) {
			continue
		}
		one, err := load(filepath.Join(dir, entry.Name()))
		if errors.Is(err, os.ErrNotExist) {
			continue // another run is making or removing it
		}
		if err != nil {
			problems = append(problems, err)
			continue
		}
		copies = append(copies, one)
	}
	slices.SortFunc(copies, func(a, b *Copy) int { return cmp.Or(b.Made.Compare(a.Made), cmp.Compare(a.ID, b.ID)) })
	return copies, problems
}

// Find is a copy by its ID.
func Find(dir, id string) (*Copy, error) {
	if !copyID.MatchString(id) {
		return nil, fault.New(fault.Usage, fmt.Sprintf("pitr: %.60q is not the ID of a copy", id),
			"`pgbtui cluster copies` lists them.", nil)
	}
	one, err := load(filepath.Join(dir, id))
	if errors.Is(err, os.ErrNotExist) {
		return nil, fault.New(fault.NotFound, "pitr: there is no copy "+id, "`pgbtui cluster copies` lists them.", nil)
	}
	return one, err
}

// hold locks a copy for one who changes it. Busy: code Temporary.
func (c *Copy) hold() (release func(), err error) {
	f, err := os.Open(c.dir)
	if err != nil {
		return nil, fmt.Errorf("pitr: lock copy %s: %w", c.ID, err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = f.Close()
		return nil, fault.New(fault.Temporary, "pitr: copy "+c.ID+" is being worked on by another run",
			"Wait until that has ended.", err)
	}
	return func() { _ = f.Close() }, nil
}

// Busy reports whether a run is working on the copy.
func (c *Copy) Busy() bool {
	release, err := c.hold()
	if err != nil {
		return true
	}
	release()
	return false
}

// State is the phase as it is seen now: a copy whose maker is gone is unfinished.
func (c *Copy) State() Phase {
	if c.Phase == Restoring && !c.Busy() {
		return Unfinished
	}
	return c.Phase
}

// makePlace makes the folders of a copy, for the owner of the server's files.
func (c *Copy) makePlace(uid, gid uint32) error {
	p := c.place()
	folders := []string{c.dir}
	if c.Data != c.dir {
		folders = append(folders, c.Data)
	}
	for _, dir := range append(folders, p.socket(), p.locks(), p.data()) {
		mode := os.FileMode(0o700)
		if dir == c.dir {
			mode = 0o750 // operators list copies
		}
		if err := os.Mkdir(dir, mode); err != nil {
			return fault.New(fault.NotPermitted, "pitr: make the folder of a copy",
				"Give the owner of the server's files the right to write to "+filepath.Dir(dir)+".", err)
		}
		if os.Geteuid() == 0 {
			group := int(gid)
			if dir == c.dir {
				group = -1 // the group of the folder above, by its set-group-ID bit
			}
			if err := os.Chown(dir, int(uid), group); err != nil {
				return fmt.Errorf("pitr: make the folder of a copy: %w", err)
			}
		}
	}
	if err := os.Chmod(c.dir, 0o750); err != nil { //nolint:gosec // whatever the mask of a unit is
		return fmt.Errorf("pitr: make the folder of a copy: %w", err)
	}
	return nil
}
