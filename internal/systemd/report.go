package systemd

import (
	"fmt"
	"io"
)

// Action is what a step of Install or Uninstall did.
type Action string

// The actions of a report's steps.
const (
	Created   Action = "created"
	Updated   Action = "updated"
	Unchanged Action = "unchanged"
	Adopted   Action = "adopted" // a file that was not ours: kept under another name, its settings carried over
	Removed   Action = "removed"
	Kept      Action = "kept" // left where it is, on purpose
	Ran       Action = "ran"
	Enabled   Action = "enabled"
	Disabled  Action = "disabled"
	Note      Action = "note" // something that a person has to know or do
)

// Step is one thing that was done or is to be known.
type Step struct {
	Action Action `json:"action"`
	What   string `json:"what"` // a path, a unit, a command, or for notes the sentence
	Detail string `json:"detail,omitempty"`
}

// Report is what Install or Uninstall did, in order.
type Report struct {
	Steps []Step `json:"steps"`
}

func (r *Report) add(action Action, what, detail string) {
	r.Steps = append(r.Steps, Step{Action: action, What: what, Detail: detail})
}

// WriteTo prints a line per step, notes last.
func (r *Report) WriteTo(w io.Writer) (int64, error) {
	var written int64
	for _, notes := range []bool{false, true} {
		for _, s := range r.Steps {
			if (s.Action == Note) != notes {
				continue
			}
			line := fmt.Sprintf("%-10s %s", s.Action, s.What)
			if s.Detail != "" {
				line += " (" + s.Detail + ")"
			}
			n, err := fmt.Fprintln(w, line)
			written += int64(n)
			if err != nil {
				return written, fmt.Errorf("systemd: print report: %w", err)
			}
		}
	}
	return written, nil
}
