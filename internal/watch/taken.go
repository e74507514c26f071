package watch

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/bounded"
)

// When a channel last took an alert: what shows that the way to people works, long before it is needed.

const takenName = "taken.json"

// Taken remembers that channels, by their labels, took alerts at a time. It is for whoever holds the store.
func (s *Store) Taken(labels []string, at time.Time) error {
	if len(labels) == 0 {
		return nil
	}
	taken, err := ReadTaken(s.dir)
	if err != nil || taken == nil { // what cannot be read is begun anew
		taken = map[string]time.Time{}
	}
	for _, label := range labels {
		taken[label] = at.UTC()
	}
	text, err := json.Marshal(taken)
	if err != nil {
		return fmt.Errorf("watch: encode what channels took: %w", err)
	}
	half := filepath.Join(s.dir, "."+takenName)
	_ = os.Remove(half) // of a run that was killed
	if err := os.WriteFile(half, text, 0o600); err != nil {
		return fmt.Errorf("watch: remember what channels took: %w", err)
	}
	err = os.Chmod(half, 0o640) //nolint:gosec // operators read it
	return errors.Join(err, os.Rename(half, filepath.Join(s.dir, takenName)))
}

// ReadTaken is when each channel of a folder's file took its last alert, by label; nil where none ever did.
func ReadTaken(dir string) (taken map[string]time.Time, err error) {
	raw, err := bounded.ReadPlain(filepath.Join(dir, takenName), stateLimit)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil {
		err = json.Unmarshal(raw, &taken)
	}
	if err != nil {
		return nil, fmt.Errorf("watch: read what channels took: %w", err)
	}
	return taken, nil
}
