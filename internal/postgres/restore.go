package postgres

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// RestoreOptions change what pg_restore restores, and from where.
type RestoreOptions struct {
	File          string // read this archive instead of the stream; needed for Jobs > 1
	Jobs          int    // parallel sessions
	NoOwner       bool   // objects belong to the restoring role
	NoACL         bool   // no grants
	NoTablespaces bool   // everything in the database's tablespace
	DataOnly      bool   // no definitions
	SchemaOnly    bool   // no data; the stream is then not read to its end

	KeepGoing bool         // go on past what fails; Failed has it
	Failed    func(Unmade) // each object that could not be made, with KeepGoing; from one goroutine

	SingleTransaction bool        // all or nothing
	NoEventTriggers   bool        // those of the archive do not fire while it is restored; a superuser's, from 17 on
	Session           []Parameter // what its sessions have otherwise than the database
	Entries           []int       // dump IDs of the entries to restore, in that order (pg_restore --use-list); nil: all
	Sections          []string    // only these of the entries: pre-data, data, post-data; nil: all
	ReadAll           bool        // read the stream to its end also when pg_restore stops earlier

	Rows *Rows // File has the head alone, and here is where the rows are; nil: File has all
}

// Restore runs pg_restore into the target, an existing empty database, and stops at the first
// error. After success the rest of stdin is read, so that a checking reader gets to its end;
// an error of stdin itself is returned in preference to what pg_restore made of it. stdin must
// end with ctx.
//
// The database's name travels in PGDATABASE with an empty --dbname: libpq skips empty values
// and takes the variable literally, for each of the parallel sessions too.
func (t Tools) Restore(ctx context.Context, target Target, o RestoreOptions, stdin io.Reader) error {
	if err := target.check(); err != nil {
		return err
	}
	if target.Database == "" {
		return fault.New(fault.Usage, "postgres: restore needs a database", "", nil)
	}
	if o.Jobs > 1 && o.File == "" {
		return fault.New(fault.Usage, "postgres: parallel restore needs a file", "Give a spool folder, or use one job.", nil)
	}
	if err := o.checkRows(); err != nil {
		return err
	}
	if o.Rows != nil || o.Jobs > 1 && !o.NoACL {
		return t.restoreSteps(ctx, target, o)
	}
	return t.restore(ctx, target, o, stdin)
}

func (t Tools) restore(ctx context.Context, target Target, o RestoreOptions, stdin io.Reader) error {
	list, err := writeList(o.Entries)
	if err != nil {
		return err
	}
	if list != "" {
		defer func() { _ = os.Remove(list) }()
	}
	c := command{path: t.path("pg_restore"), args: o.args(list), env: o.env(target.Env(os.Environ())), onLine: o.hear()}
	if o.File == "" {
		c.stdin = newSource(stdin)
	}
	p, err := start(ctx, c)
	if err != nil {
		return err
	}
	defer func() { _ = p.Close() }()
	err = discardAll(p)
	if o.KeepGoing && toItsEnd(err) {
		err = nil
	}
	if o.File == "" {
		err = c.stdin.finish(err, o.ReadAll || !o.SchemaOnly && list == "")
	}
	return err
}

// env adds the settings of pg_restore's own sessions to what PGOPTIONS has already.
func (o RestoreOptions) env(base []string) []string {
	parameters := o.Session
	if o.NoEventTriggers {
		parameters = append(slices.Clip(parameters), Parameter{Name: "event_triggers", Value: "off"})
	}
	return addOptions(base, parameters)
}

// addOptions gives the sessions of a program parameters besides those that PGOPTIONS has already.
func addOptions(env []string, parameters []Parameter) []string {
	if len(parameters) == 0 {
		return env
	}
	const name = "PGOPTIONS="
	for i, kv := range env {
		if before, found := strings.CutPrefix(kv, name); found {
			env[i] = name + sessionOptions(before, parameters)
			return env
		}
	}
	return append(env, name+sessionOptions("", parameters))
}

func (o RestoreOptions) args(list string) []string {
	// Only with --verbose does it name the object that failed. Its chatter is dropped where it is read.
	args := []string{"--format=custom", "--verbose", "--no-password", "--dbname="}
	for _, flag := range []struct {
		set  bool
		name string
	}{
		{!o.KeepGoing, "--exit-on-error"},
		{o.Jobs > 1, "--jobs=" + strconv.Itoa(o.Jobs)},
		{o.NoOwner, "--no-owner"},
		{o.NoACL, "--no-privileges"},
		{o.NoTablespaces, "--no-tablespaces"},
		{o.DataOnly, "--data-only"},
		{o.SchemaOnly, "--schema-only"},
		{o.SingleTransaction, "--single-transaction"},
		{list != "", "--use-list=" + list},
	} {
		if flag.set {
			args = append(args, flag.name)
		}
	}
	for _, section := range o.Sections {
		args = append(args, "--section="+section)
	}
	if o.File != "" {
		args = append(args, "--", o.File)
	}
	return args
}

// writeList is a file for pg_restore --use-list, "" for nil. pg_restore reads of each line the number before
// the semicolon.
func writeList(entries []int) (string, error) {
	if entries == nil {
		return "", nil
	}
	f, err := os.CreateTemp("", "pgbtui-list-")
	if err != nil {
		return "", fmt.Errorf("postgres: write the list of entries: %w", err)
	}
	for _, id := range entries {
		if err == nil {
			_, err = fmt.Fprintf(f, "%d;\n", id)
		}
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return "", fmt.Errorf("postgres: write the list of entries: %w", err)
	}
	return f.Name(), nil
}

// Decode reads a whole archive through pg_restore, which turns every entry into SQL and
// throws it away: what decodes can be restored. Damage: code Integrity.
func (t Tools) Decode(ctx context.Context, stdin io.Reader) error {
	in := newSource(stdin)
	p, err := t.offline(ctx, in, "--file=/dev/null")
	if err != nil {
		return err
	}
	defer func() { _ = p.Close() }()
	return damaged(in.finish(discardAll(p), true))
}

// List is the archive's table of contents as pg_restore --list prints it. It reads only the
// head of the stream.
func (t Tools) List(ctx context.Context, stdin io.Reader) ([]string, error) {
	in := newSource(stdin)
	p, err := t.offline(ctx, in, "--list")
	if err != nil {
		return nil, err
	}
	defer func() { _ = p.Close() }()
	var lines []string
	scanner := bufio.NewScanner(p)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		lines = append(lines, scanner.Text())
	}
	err = scanner.Err()
	if err == nil {
		err = p.Wait()
	}
	return lines, damaged(in.finish(err, false))
}

// offline starts pg_restore without a server.
func (t Tools) offline(ctx context.Context, in *source, arg string) (*Process, error) {
	return start(ctx, command{
		path: t.path("pg_restore"), args: []string{"--format=custom", arg}, env: Target{}.Env(os.Environ()), stdin: in,
	})
}

// damaged: without a server, what pg_restore cannot read is the archive's fault.
func damaged(err error) error {
	if exit := (*ExitError)(nil); errors.As(err, &exit) && fault.CodeOf(err) == fault.Failed {
		return fault.New(fault.Integrity, "postgres: decode archive", "Restore another backup.", err)
	}
	return err
}

func discardAll(p *Process) error {
	if _, err := io.Copy(io.Discard, p); err != nil && p.ctx.Err() == nil {
		return fmt.Errorf("postgres: read %s: %w", p.name, err)
	}
	return p.Wait()
}
