package restore

import (
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/postgres"
)

// outcome is what a restore has done so far, and what it found on the way.
type outcome struct {
	Restored

	started  time.Time
	created  bool     // the new database
	refused  []string // settings that the server did not take
	unproven []string // what the copy does not show, and no fault of it
}

func (o *outcome) note(text string) { o.Notes = append(o.Notes, text) }

// refuse keeps what of the settings the server did not take.
func (o *outcome) refuse(problems []string) {
	o.refused = append(o.refused, problems...)
	for _, p := range problems {
		o.note("a setting of the database was refused: " + p)
	}
}

// maxUnmade bounds how many objects a restore tells one by one.
const maxUnmade = 1000

// leaveOut notes an object that could not be made.
func (o *outcome) leaveOut(object postgres.Unmade) {
	if len(o.Unmade) == maxUnmade {
		o.UnmadeMore++
		return
	}
	o.Unmade = append(o.Unmade, object)
}
