package request

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// A restore that waits for a thaw does so for hours, and the host may restart meanwhile. So its request, which was
// removed when it was taken, lies beside it as ID.waiting while it waits, and the unit that finds it after the next
// start goes on waiting.
//
// Rules: it is there only as long as nothing was restored, so that what was carried out is never carried out again; it
// names the end of the wait, which no restart puts off; whoever ends the run ends the wait.

const waitingSuffix = ".waiting"

// Waiting is a request whose restore waits for a thaw. It is a restore's backup.ThawWait.
type Waiting struct {
	Request Restore   `json:"request"`
	Until   time.Time `json:"until"` // when the wait is over

	dir, id string
	written bool
}

// NewWaiting is the wait of a request that was taken. Nothing is written before Begin.
func NewWaiting(dir, id string, r Restore) *Waiting { return &Waiting{Request: r, dir: dir, id: id} }

// Resume is the wait that a restart of the host interrupted; fault.NotFound when there is none.
func Resume(dir, id string, now time.Time) (*Waiting, error) {
	file, err := waitingPath(dir, id)
	if err != nil {
		return nil, err
	}
	body, _, err := load(file, maxBytes)
	if err != nil {
		return nil, err
	}
	w, err := parseWaiting(body)
	if err != nil {
		return nil, errors.Join(err, os.Remove(file))
	}
	w.dir, w.id = dir, id
	w.written = true
	w.Request.Owner = OverflowUID // the file is the unit's own
	if now.After(w.Until) {
		return nil, errors.Join(w.late(), w.Over())
	}
	return w, nil
}

func (w *Waiting) late() error {
	return fault.New(fault.Temporary,
		fmt.Sprintf("request: the wait for set %s ended at %s, while the host was down", w.Request.Set,
			w.Until.UTC().Format(time.RFC3339)),
		"Ask for the restore again, if it is still wanted: what was thawed is not paid for twice.", nil)
}

func parseWaiting(body []byte) (*Waiting, error) {
	var w Waiting
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(&w)
	wrong := w.Request.wrong()
	if err == nil && (wrong != "" || w.Request.Check || w.Request.Thaw == "" || w.Until.IsZero()) {
		err = errors.New("it is not that of a restore with a thaw " + wrong)
	}
	if err != nil {
		return nil, fault.New(fault.Refused, "request: wait not readable", "Ask for the restore again.", err)
	}
	return &w, nil
}

// Begin notes that the restore waits, for at most so long, and returns when the wait ends: the time that was noted
// first holds.
func (w *Waiting) Begin(now time.Time, most time.Duration) (until time.Time, err error) {
	if w.written {
		return w.Until, nil
	}
	file, err := waitingPath(w.dir, w.id)
	if err != nil {
		return time.Time{}, err
	}
	w.Until = now.Add(most).UTC()
	if err := writeWhole(w.dir, file, w); err != nil {
		return time.Time{}, err
	}
	w.written = true
	return w.Until, nil
}

// Over notes that the restore waits no more. After an error it must not go on: it would be carried out again.
func (w *Waiting) Over() error {
	if !w.written {
		return nil
	}
	if err := EndWait(w.dir, w.id); err != nil {
		return err
	}
	w.written = false
	return nil
}

// EndWait removes the note of a restore that waits, if there is one.
func EndWait(dir, id string) error {
	file, err := waitingPath(dir, id)
	if err != nil {
		return err
	}
	if err := os.Remove(file); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fault.New(fault.Refused, "request: remove "+filepath.Base(file)+", which must not be carried out twice",
			"Let the unit's user write to "+dir+".", err)
	}
	return nil
}

// Waits reports whether there is a note of a restore that waits.
func Waits(dir, id string) bool {
	file, err := waitingPath(dir, id)
	if err == nil {
		_, err = os.Lstat(file)
	}
	return err == nil
}

// AllWaiting are the IDs of the restores that wait, or did when the host went down.
func AllWaiting(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("request: list %s: %w", dir, err)
	}
	var ids []string
	for _, e := range entries {
		id, waits := strings.CutSuffix(e.Name(), waitingSuffix)
		if waits && validID().MatchString(id) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids, nil
}

func waitingPath(dir, id string) (string, error) {
	if _, err := path(dir, id); err != nil {
		return "", err
	}
	return filepath.Join(dir, id+waitingSuffix), nil
}
