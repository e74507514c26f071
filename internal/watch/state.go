// The incidents that are remembered between checks: one small file in the units' StateDirectory=, which the watch and
// the alerts share.
//
// Rules: the lock is held from reading to writing, so that no two runs send the same alert; after a crash in between
// it is sent once more rather than never. If the file cannot be read, everything is news again, with a warning.
//
// The keys of the file are those of its first release, whatever the fields are called: toldAt, owed.

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
	ReadErr   error // why the file could not be read; nil when it was, or there was none

	dir  string
	lock *os.File
}

// OpenStore waits for the lock of the folder dir, and reads what is remembered there.
func OpenStore(ctx context.Context, dir string) (*Store, error) {
	what := "watch: remember incidents in " + dir
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fault.New(fault.NotPermitted, what, "Run it by its unit: systemd makes the folder, for user pgbtui.", err)
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
			busy := fault.New(fault.Temporary, what, "", fmt.Errorf("locked by another run: %w", ctx.Err()))
			return nil, errors.Join(busy, lock.Close())
		case <-time.After(lockPause):
		}
	}
	s := &Store{dir: dir, lock: lock}
	s.Incidents, s.ReadErr = readState(filepath.Join(dir, stateName))
	return s, nil
}

// Close gives the lock back.
func (s *Store) Close() error { return s.lock.Close() }

func readState(file string) ([]Incident, error) {
	raw, err := bounded.ReadPlain(file, stateLimit)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("watch: %w", err)
	}
	incidents, err := parseState(raw)
	if err != nil {
		return nil, fmt.Errorf("watch: read %s: %w", file, err)
	}
	return incidents, nil
}

func parseState(raw []byte) ([]Incident, error) {
	if len(raw) > stateLimit {
		return nil, errors.New("larger than anything that is written there")
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

// DefaultDir is where the units of the watch and the alerts keep the file: their StateDirectory=.
const DefaultDir = "/var/lib/pgbtui/watch"

// ReadOpen is the open incidents in a folder's file, oldest first, without waiting for its lock: the file is replaced
// as a whole. A folder without one has none.
func ReadOpen(dir string) ([]Incident, error) {
	file := filepath.Join(dir, stateName)
	all, err := readState(file)
	if errors.Is(err, fs.ErrPermission) {
		return nil, fault.New(fault.NotPermitted, "",
			"Become a member of group pgbtui: `usermod -aG pgbtui USER`, then log in again.", err)
	}
	if err != nil {
		return nil, err
	}
	open := slices.DeleteFunc(all, func(i Incident) bool { return !i.Open() })
	slices.SortStableFunc(open, func(a, b Incident) int { return a.OpenedAt.Compare(b.OpenedAt) })
	return open, nil
}

// Save replaces the file as a whole. Operators may read it: the console shows the incidents.
func (s *Store) Save(incidents []Incident) error {
	file := filepath.Join(s.dir, stateName)
	text, err := json.MarshalIndent(stateFile{Schema: stateSchema, Incidents: incidents}, "", "  ")
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
