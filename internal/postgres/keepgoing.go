package postgres

import (
	"errors"
	"strings"
)

// A restore that goes on past what cannot be made, and tells what that was.

// Unmade is an object that could not be restored, or a message of no object.
type Unmade struct {
	Object string `json:"object,omitempty"` // kind and name as pg_restore has them: raw
	Why    string `json:"why"`              // without what may quote a row
}

// String is one sentence; names are raw.
func (u Unmade) String() string {
	if u.Object == "" {
		return u.Why
	}
	return u.Object + ": " + u.Why
}

// hear takes the objects that fail out of the lines of pg_restore.
func (o RestoreOptions) hear() func(string) {
	if o.Failed == nil {
		return nil
	}
	object := ""
	return func(line string) {
		if at := objectOf(line); at != "" {
			object = at
			return
		}
		if why, failed := strings.CutPrefix(line, loader+": error: "); failed {
			o.Failed(Unmade{Object: object, Why: discreetLine(why)})
		}
	}
}

// toItsEnd reports whether pg_restore went through the whole archive, past errors: then that is its last word.
func toItsEnd(err error) bool {
	var exit *ExitError
	if !errors.As(err, &exit) || len(exit.Lines) == 0 {
		return false
	}
	return strings.HasPrefix(exit.Lines[len(exit.Lines)-1], loader+": warning: errors ignored on restore: ")
}
