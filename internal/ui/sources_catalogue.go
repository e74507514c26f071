package ui

import (
	"context"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
)

// Backups, their contents, and what is asked of them.

// Catalogue reads the bucket.
type Catalogue interface {
	// Sets is everything below the prefix, every instance, newest first; native, legacy and
	// incomplete ones, with their proofs. Called at the start, every five minutes, after a run
	// ended, and on the r key. Manifests already read should be remembered between calls.
	Sets(ctx context.Context) ([]backup.Set, error)
	// Contents is what the dump of one set holds. For an encrypted set without an identity
	// here: an error with code fault.NotPermitted and a remedy.
	Contents(ctx context.Context, set backup.Set) (ContentsView, error)
	// Recipe is the commands that restore the set without pgbtui, one per line, quoted for a
	// shell. It does no I/O.
	Recipe(set backup.Set) []string
}

// Objectives finds out what the jobs promise, where the configuration leaves that to their timers. Until it has
// answered, nothing is judged good.
type Objectives interface {
	// Objectives are those of all jobs, by name. Called at the start, and on the r key. What cannot be asked has the
	// default, and says so.
	Objectives(ctx context.Context) map[string]Objective
}

// Objective is what one job promises.
type Objective struct {
	backup.Objectives        // an RPO of 0 is none: no set is ever late
	RPOFrom           string // where the RPO comes from, in words
}

// ContentsView is the browsable content of a dump.
type ContentsView struct {
	Tables     []TableView // with their rows, in archive order
	Others     []TableView // views, and partitioned tables, whose rows are their partitions'
	Extensions []string
	Roles      []string // that own objects or are granted to
}

// TableView is one table's share of a dump.
type TableView struct {
	Schema, Name string
	Ref          string // as `restore --table` takes it
	Kind         string // of Others: "view"
	Rows         int64  // -1: unknown
	Bytes        int64  // raw COPY text; -1: unknown
}
