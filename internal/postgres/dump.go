package postgres

import (
	"context"
	"os"
	"strconv"
	"time"
)

// DumpOptions change how pg_dump runs.
type DumpOptions struct {
	LockWait time.Duration // for each table's lock; 0 waits for ever
	OnLine   func(string)  // each line of standard error, from one goroutine; may be nil

	// Patterns, in the language of psql, of what is left out: tables as a whole, and the rows of tables. Their bytes are
	// in the database's encoding.
	WithoutTables []string
	WithoutRows   []string

	Encoding string // the session's, where the bytes of patterns depend on it; "": as the database has it set

	// Snapshot is the ID of one that is dumped, instead of what there is now.
	Snapshot string
	// RowsOf are the patterns of the only tables whose rows are dumped, and nothing else; none: all there is.
	RowsOf []string

	Schema string // the same of the only schema that is dumped, which has to be there; "": all
	Table  string // the same of the only table, with its rows, indexes, constraints and triggers

	// PlainStrings has string literals written as the standard has them, where the server would write a backslash as an
	// escape: no server from 19 on reads those.
	PlainStrings bool
}

// Dump starts pg_dump of the target in the custom format, uncompressed, with owners and
// grants. What it reads is one snapshot. Errors of Wait: NotFound, NotPermitted, Unavailable
// (the server went away), Temporary (locks), NoSpace, Integrity (damaged source), Refused.
func (t Tools) Dump(ctx context.Context, target Target, o DumpOptions) (*Process, error) {
	if err := target.check(); err != nil {
		return nil, err
	}
	args := []string{"--format=custom", "--compress=0", "--no-password"}
	if o.LockWait > 0 {
		args = append(args, "--lock-wait-timeout="+strconv.FormatInt(max(1, o.LockWait.Milliseconds()), 10))
	}
	for _, pattern := range o.WithoutTables {
		args = append(args, "--exclude-table="+pattern)
	}
	for _, pattern := range o.WithoutRows {
		args = append(args, "--exclude-table-data="+pattern)
	}
	if o.Snapshot != "" {
		args = append(args, "--snapshot="+o.Snapshot)
	}
	if len(o.RowsOf) > 0 {
		args = append(args, "--data-only", "--strict-names")
	}
	for _, pattern := range o.RowsOf {
		args = append(args, "--table="+pattern)
	}
	if o.Schema != "" {
		args = append(args, "--schema="+o.Schema, "--strict-names")
	}
	if o.Table != "" {
		args = append(args, "--table="+o.Table, "--strict-names")
	}
	env := target.Env(os.Environ())
	if o.Encoding != "" {
		env = append(env, "PGCLIENTENCODING="+o.Encoding)
	}
	if o.PlainStrings {
		env = addOptions(env, []Parameter{{Name: "standard_conforming_strings", Value: "on"}})
	}
	return start(ctx, command{path: t.path("pg_dump"), args: args, env: env, onLine: o.OnLine})
}

// Globals starts pg_dumpall of roles, memberships and tablespaces, as UTF-8 SQL. Without
// withPasswords it needs no superuser. pg_dumpall connects to postgres or template1, whatever
// the target's database.
func (t Tools) Globals(ctx context.Context, target Target, withPasswords bool) (*Process, error) {
	if err := target.check(); err != nil {
		return nil, err
	}
	args := []string{"--globals-only", "--no-password", "--encoding=UTF8"}
	if !withPasswords {
		args = append(args, "--no-role-passwords")
	}
	return start(ctx, command{path: t.path("pg_dumpall"), args: args, env: target.Env(os.Environ())})
}
