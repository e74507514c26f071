// What is remembered between looks: one small file in the units' StateDirectory=, which the watch and
// the alerts share.
//
// Rules: the lock is held from reading to writing, so that an incident is not told by two at once; a
// crash in between tells once more rather than never. A file that cannot be read is no reason to stop:
// everything is news again, and that is said.

package watch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/bounded"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

const (
	stateSchema = 1
	stateName   = "incidents.json"
	stateLimit  = 4 << 20 // bytes; more is not ours
	lockPause   = 50 * time.Millisecond
)

type stateFile struct {
	Schema    int        `json:"schema"`
	Incidents []Incident `json:"incidents"`
}

// Store is the locked memory of incidents.
type Store struct {
	Incidents []Incident
	Lost      error // why what was remembered could not be read; nil when it was, or there was nothing

	dir  string
	lock *os.File
}

// OpenStore waits for the lock of the folder dir, and reads what is remembered there.
func OpenStore(ctx context.Context, dir string) (*Store, error) {
	what := "watch: remember incidents in " + dir
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fault.New(fault.NotPermitted, what, "The folder belongs to user pgbtui and is made by the unit.", err)
	}
	for {
		err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			break
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errors.Join(fmt.Errorf("%s: lock: %w", what, err), lock.Close())
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(fault.New(fault.Temporary, what, "", fmt.Errorf("locked by another run: %w", ctx.Err())), lock.Close())
		case <-time.After(lockPause):
		}
	}
	s := &Store{dir: dir, lock: lock}
	s.Incidents, s.Lost = readState(filepath.Join(dir, stateName))
	return s, nil
}

// Close gives the lock back.
func (s *Store) Close() error { return s.lock.Close() }

func readState(file string) ([]Incident, error) {
	f, err := os.OpenFile(file, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("watch: read %s: %w", file, err)
	}
	defer f.Close()
	raw, err := bounded.ReadAll(f, stateLimit)
	if err != nil {
		return nil, fmt.Errorf("watch: read %s: %w", file, err)
	}
	incidents, err := parseState(raw)
	if err != nil {
		return nil, fmt.Errorf("watch: read %s: %w", file, err)
	}
	return incidents, nil
}

func parseState(raw []byte) ([]Incident, error) {
	if len(raw) > stateLimit {
		return nil, errors.New("larger than anything that was written there")
	}
	var s stateFile
	if err := json.Unmarshal(raw, &s); err != nil {
		return nil, err
	}
	if s.Schema != stateSchema {
		return nil, fmt.Errorf("schema %d, this program knows %d", s.Schema, stateSchema)
	}
	return s.Incidents, nil
}

// DefaultDir is where the units of the watch and the alerts remember: their StateDirectory=.
const DefaultDir = "/var/lib/pgbtui/watch"

// ReadOpen is the incidents that a folder remembers as open, oldest first, without waiting for its lock:
// the file is replaced as a whole. A folder without one remembers nothing.
func ReadOpen(dir string) ([]Incident, error) {
	file := filepath.Join(dir, stateName)
	all, err := readState(file)
	if errors.Is(err, fs.ErrPermission) {
		return nil, fault.New(fault.NotPermitted, "", "become an operator: the folder is for the group pgbtui", err)
	}
	if err != nil {
		return nil, err
	}
	open := slices.DeleteFunc(all, func(i Incident) bool { return !i.Open() })
	slices.SortStableFunc(open, func(a, b Incident) int { return a.OpenedAt.Compare(b.OpenedAt) })
	return open, nil
}

// Save replaces what is remembered, as a whole. Operators may read it, to see in the console what was told.
func (s *Store) Save(incidents []Incident) error {
	file := filepath.Join(s.dir, stateName)
	text, err := json.MarshalIndent(stateFile{stateSchema, incidents}, "", "  ")
	if err != nil {
		return fmt.Errorf("watch: encode incidents: %w", err)
	}
	temp, err := os.CreateTemp(s.dir, ".incidents-*")
	if err != nil {
		return fmt.Errorf("watch: write %s: %w", file, err)
	}
	_, err = temp.Write(append(text, '\n'))
	if err == nil {
		err = temp.Chmod(0o640)
	}
	if err == nil {
		err = temp.Sync()
	}
	if err = errors.Join(err, temp.Close()); err == nil {
		err = os.Rename(temp.Name(), file)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("watch: write %s: %w", file, err), os.Remove(temp.Name()))
	}
	s.Incidents = incidents
	return nil
}
