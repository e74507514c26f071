// What the restore screens ask for and get: the request that its unit reads, the plan of a
// preflight, and what the unit says when it has ended.

package ui

import (
	"cmp"
	"context"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
)

// Planner does the read-only part of a restore.
type Planner interface {
	// Databases are the names that exist on the target server.
	Databases(ctx context.Context) ([]string, error)
	// Preflight checks what the unit will check again. It changes nothing. An error means that
	// the checks could not be made, or that what was asked cannot be; failed checks are not errors.
	Preflight(ctx context.Context, r RestoreRequest) (Plan, error)
	// Result is what a restore's unit says of itself; nil while it says nothing yet.
	Result(ctx context.Context, unit string) (*RestoreResult, error)
}

// RestoreRequest asks for one of four: a set restored into a new database (To), rows of it into an existing one
// (To with DataOnly), a set in the place of a live one (Replace), or a database that was kept put in a live one's
// place (Swap).
type RestoreRequest struct {
	Set  backup.Set
	From string // the copy that it is read from; "" is the main bucket
	Swap string // the live database; needs no set
	With string // goes with Swap; "" is the newest that a restore replaced

	// What is to be done with the set. Confirm and Terminate count for a swap, too.
	restore.Request
}

// live is the existing database that is changed, or "".
func (r *RestoreRequest) live() string {
	if r.DataOnly {
		return r.To
	}
	return cmp.Or(r.Swap, r.Replace)
}

// Plan is what a preflight found.
type Plan struct {
	Checks  []restore.Check
	Portion *restore.Portion // what a part brings and costs; nil for everything, or when it is not known
	Left    bool             // the checks were left to the unit: this user may not make them
}

// RestoreResult is what a restore's unit says of itself. It is for reading: what exists is asked of
// PostgreSQL.
type RestoreResult struct {
	Over     bool
	Request  RestoreRequest // its Set holds no more than ID and database
	Restored *restore.Restored
	Swapped  *restore.Undone
	Err      error
}

// kept is the live database, and what was live before and stands beside it now; "" when there is none.
func (r *RestoreResult) kept() (database, name string) {
	switch {
	case r == nil:
	case r.Restored != nil && r.Restored.Kept != "":
		return r.Restored.Database, r.Restored.Kept
	case r.Swapped != nil:
		return r.Swapped.Database, r.Swapped.Kept
	}
	return "", ""
}

// ended is how many connections were ended for it.
func (r *RestoreResult) ended() int {
	switch {
	case r.Restored != nil:
		return r.Restored.Ended
	case r.Swapped != nil:
		return r.Swapped.Ended
	}
	return 0
}
