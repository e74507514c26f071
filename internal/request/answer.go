package request

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// The answer: what the unit tells the operator who asked, in a file beside the request. It is there as
// soon as the request was taken, and complete when Over.
//
// Rules: it is for the eyes of people. Anybody who may ask may also write here, so nothing is decided by
// it: the unit looks for itself, and the journal says what was done.

// Answer is what came of a request.
type Answer struct {
	Request  Restore           `json:"request"`
	Over     bool              `json:"over"`
	Checks   []restore.Check   `json:"checks,omitempty"`  // of a request that only checks
	Portion  *restore.Portion  `json:"portion,omitempty"` // what its part would bring
	Restored *restore.Restored `json:"restored,omitempty"`
	Swapped  *restore.Undone   `json:"swapped,omitempty"`
	Error    string            `json:"error,omitempty"`
	Remedy   string            `json:"remedy,omitempty"`
	Code     fault.Code        `json:"code,omitempty"` // of the error
}

// End completes the answer.
func (a *Answer) End(err error) {
	a.Over = true
	if err != nil {
		a.Error = err.Error()
		a.Remedy = fault.Remedy(err)
		a.Code = fault.CodeOf(err)
	}
}

// Err is the error of the answer, or nil.
func (a *Answer) Err() error {
	if a.Error == "" {
		return nil
	}
	return fault.New(a.Code, a.Error, a.Remedy, nil)
}

// maxAnswer bounds an answer; a part may name every table of a large database.
const maxAnswer = 16 << 20

func answerPath(dir, id string) (string, error) {
	if _, err := path(dir, id); err != nil {
		return "", err
	}
	return filepath.Join(dir, id+".answer"), nil
}

// WriteAnswer stores a beside the request of that ID, in the place of an earlier one, readable by the
// folder's group.
func WriteAnswer(dir, id string, a Answer) error { return writeAnswer(dir, id, a) }

func writeAnswer(dir, id string, a any) error {
	file, err := answerPath(dir, id)
	if err != nil {
		return err
	}
	return writeWhole(dir, file, a)
}

// writeWhole stores a document at file, whole or not at all, in the place of an earlier one, readable by the folder's
// group.
func writeWhole(dir, file string, document any) error {
	body, err := json.Marshal(document)
	if err != nil {
		return fmt.Errorf("request: write %s: %w", filepath.Base(file), err)
	}
	f, err := os.CreateTemp(dir, ".answer-*")
	if err != nil {
		return classify(dir, err)
	}
	_, err = f.Write(body)
	err = errors.Join(err, f.Chmod(0o640), f.Close()) // the asker reads it through the folder's group
	if err == nil {
		err = os.Rename(f.Name(), file) // whole or not at all: somebody may be reading
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return fmt.Errorf("request: write %s: %w", filepath.Base(file), err)
	}
	return nil
}

// ReadAnswer loads the answer of an ID; fault.NotFound while there is none.
func ReadAnswer(dir, id string) (Answer, error) {
	file, err := answerPath(dir, id)
	if err != nil {
		return Answer{}, err
	}
	body, _, err := load(file, maxAnswer)
	if err != nil {
		return Answer{}, err
	}
	return parseAnswer(body)
}

func parseAnswer(body []byte) (a Answer, err error) {
	if err := decodeAnswer(body, &a); err != nil {
		return Answer{}, err
	}
	return a, nil
}

func decodeAnswer(body []byte, into any) error {
	if err := json.Unmarshal(body, into); err != nil {
		return fault.New(fault.Refused, "request: answer not readable",
			"The journal of the unit says how it ended.", err)
	}
	return nil
}

// Remove takes away a request and its answer, of which nobody needs anything any more.
func Remove(dir, id string) {
	for _, name := range []func(dir, id string) (string, error){path, answerPath} {
		if file, err := name(dir, id); err == nil {
			_ = os.Remove(file)
		}
	}
}
