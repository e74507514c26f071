package restore

import (
	"fmt"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
)

// Request says where to and how. The target is always a database that does not exist yet;
// with Replace it takes an existing one's place when it is whole.
//
// Its JSON is what a request's file has: what has no name there is not for whoever writes the file.
type Request struct {
	To        string `json:"to,omitempty"`        // the new database's name; with Replace it is chosen here
	Replace   string `json:"replace,omitempty"`   // the live database that the copy replaces; "" for none
	Confirm   string `json:"confirm,omitempty"`   // the existing database that is changed, as a person typed it
	Terminate bool   `json:"terminate,omitempty"` // end the connections of the replaced database
	// Parallel sessions; 0: as many as the target has cores to spare. For more than 1, a set without an index needs its
	// raw dump on disk first.
	Jobs    int  `json:"jobs,omitempty"`
	Globals bool `json:"globals,omitempty"` // create missing roles and tablespaces from the set first
	// everything belongs to the restoring role, and nothing is granted
	NoOwner       bool   `json:"noOwner,omitempty"`
	NoTablespaces bool   `json:"noTablespaces,omitempty"` // everything goes to the database's default tablespace
	Thaw          string `json:"thaw,omitempty"`          // an archived set is thawed first, by this tier, and waited for
	KeepGoing     bool   `json:"-"`                       // goes on past objects that cannot be created, and tells which

	// Only these, as people name them; with neither, everything.
	Tables  []string `json:"tables,omitempty"`
	Schemas []string `json:"schemas,omitempty"`

	SchemaOnly bool              `json:"schemaOnly,omitempty"` // definitions without rows
	DataOnly   bool              `json:"dataOnly,omitempty"`   // rows without definitions: To exists, its tables are empty
	Roles      map[string]string `json:"roles,omitempty"`      // owners and grants of one role go to another

	// Of a tenant's set: into this existing database, under this name instead of its own. With Replace, which then names
	// the database, it takes the live schema's place, whose name is Confirm.
	Beside string `json:"-"`
	As     string `json:"-"`

	ForOperator bool `json:"-"` // somebody asked for it who must not get a superuser's rights by it
}

// live is the existing database that is changed, or "".
func (q Request) live() string {
	if q.DataOnly {
		return q.To
	}
	return q.Replace
}

// Restored is what a finished restore did.
type Restored struct {
	Database    string
	Schema      string // of a tenant's set in a database that was there; "" else
	Kept        string // name of the database that was replaced; "" when none was
	Ended       int    // connections that were ended for it
	Tables      int
	Rows        int64
	Compared    bool               // row counts were known and are equal
	Notes       []string           // what a person should know, e.g. that there were no counts
	Globals     []string           // roles and tablespaces that were created
	Seconds     float64            // from the start to the end
	Stages      []backup.StageTime //
	Differences []RowMismatch      // never empty when Compared is false because of them
	Unmade      []postgres.Unmade  // with KeepGoing: what could not be restored, at most maxUnmade
	UnmadeMore  int                // beyond those
	Recorded    string             // key of the proof beside the set; "" when there is none

	Portion *Portion // nil: everything was restored
	Fetched int64    // stored bytes of the dump that a part took

	host string // of the server, for the way back
}

// counted is what was compared, in words. Nothing counted is not the same as nothing restored.
func (r *Restored) counted() string {
	if r.Tables == 0 && !r.Compared {
		return "its rows were not counted"
	}
	return fmt.Sprintf("%d tables, %d rows", r.Tables, r.Rows)
}

// RowMismatch is one table whose rows differ from those counted in the dump.
type RowMismatch struct {
	Schema, Table string
	Want, Got     int64
}
