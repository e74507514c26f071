package beside

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
)

// Extract says what is taken out of a copy, and where to in the live server.
type Extract struct {
	Database string
	Table    postgres.Table // zero: the whole database
	Into     string         // a new database; with a table, an existing one that lacks it
	Live     postgres.Target
	Tell     func(string)
}

// Extracted is what came of it.
type Extracted struct {
	Copy     string   `json:"copy"`
	Database string   `json:"database"`
	Table    string   `json:"table,omitempty"`
	Into     string   `json:"into"`
	Tables   int      `json:"tables"`
	Rows     int64    `json:"rows"`
	Problems []string `json:"problems,omitempty"` // settings of the database that the live server refused
}

// Extract brings a database of a copy, or a table of it, into the live server by pg_dump and pg_restore. A table comes
// with its rows, indexes, constraints, triggers, owner and grants, or not at all; what refers to it from other tables
// does not. Nothing that exists is changed.
func (c *Copy) Extract(ctx context.Context, x Extract) (done Extracted, err error) {
	done = Extracted{Copy: c.ID, Database: x.Database, Into: x.Into}
	release, err := c.hold()
	if err != nil {
		return done, err
	}
	defer release()
	if _, err := c.mustSee(ctx); err != nil {
		return done, err
	}
	databases, err := c.databases(ctx)
	if err != nil {
		return done, err
	}
	if !slices.ContainsFunc(databases, func(d DatabaseLook) bool { return string(d.Name) == x.Database }) {
		return done, c.noDatabase(x.Database)
	}
	tools, err := postgres.FindTools(ctx, c.BinDir, c.Major)
	if err != nil {
		return done, err
	}
	if x.Table.Name != "" {
		return c.extractTable(ctx, tools, x, done)
	}
	return c.extractDatabase(ctx, tools, x, done)
}

func (x Extract) tell(text string) {
	if x.Tell != nil {
		x.Tell(text)
	}
}

// pipe dumps from the copy and restores into the live server.
func (c *Copy) pipe(
	ctx context.Context, t postgres.Tools, x Extract, d postgres.DumpOptions, r postgres.RestoreOptions,
) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	dump, err := t.Dump(ctx, c.Database(x.Database), d)
	if err != nil {
		return err
	}
	defer func() { _ = dump.Close() }()
	live := x.Live
	live.Database = x.Into
	if err := t.Restore(ctx, live, r, whole{dump}); err != nil {
		return err
	}
	return dump.Wait()
}

// whole is a dump that ends only when pg_dump has said that it is complete.
type whole struct{ dump *postgres.Process }

func (w whole) Read(b []byte) (int, error) {
	n, err := w.dump.Read(b)
	if err == nil || n > 0 {
		return n, nil // the next read tells
	}
	if failed := w.dump.Wait(); failed != nil {
		return 0, failed
	}
	return 0, err
}

func (c *Copy) extractTable(ctx context.Context, t postgres.Tools, x Extract, done Extracted) (Extracted, error) {
	done.Table = x.Table.Written()
	tables, err := c.tables(ctx, x.Database)
	if err != nil {
		return done, err
	}
	if !slices.Contains(tables, x.Table) {
		return done, fault.New(fault.NotFound,
			fmt.Sprintf("pitr: database %q of copy %s has no table %s with rows of its own", x.Database, c.ID,
				done.Table),
			"Look at its tables with --database of `pgbtui cluster look "+c.ID+"`; of a partitioned one, take each partition.",
			nil)
	}
	live := x.Live
	live.Database = x.Into
	var there bool
	name := postgres.QuoteIdent(x.Table.Schema) + "." + postgres.QuoteIdent(x.Table.Name)
	err = askJSON(ctx, live,
		"SELECT pg_catalog.to_json(pg_catalog.to_regclass("+postgres.QuoteLiteral(name)+") IS NOT NULL)", &there)
	if err != nil {
		return done, err
	}
	if there {
		return done, fault.New(fault.Refused,
			fmt.Sprintf("pitr: %s is in database %q already, and nothing that exists is changed", done.Table, x.Into),
			"Rename the table that is there, or extract the whole database into a new one and compare.", nil)
	}
	x.tell("dumping " + done.Table + " from the copy into " + x.Into)
	err = c.pipe(ctx, t, x, postgres.DumpOptions{Table: name, Encoding: "UTF8"},
		postgres.RestoreOptions{SingleTransaction: true})
	if err != nil {
		return done, err
	}
	done.Tables = 1
	done.Rows, err = c.compare(ctx, x, []postgres.Table{x.Table})
	return done, err
}

func (c *Copy) extractDatabase(ctx context.Context, t postgres.Tools, x Extract, done Extracted) (Extracted, error) {
	source, err := postgres.Connect(ctx, c.Database(x.Database), 0)
	if err != nil {
		return done, err
	}
	settings, err := source.Settings(ctx)
	_ = source.Close(ctx)
	if err != nil {
		return done, err
	}
	maintenance := x.Live
	maintenance.Database = "postgres"
	live, err := postgres.Connect(ctx, maintenance, 0)
	if err != nil {
		return done, err
	}
	defer func() { _ = live.Close(ctx) }()
	if err := live.CreateDatabase(ctx, x.Into, settings); err != nil {
		return done, err
	}
	x.tell("dumping database " + x.Database + " from the copy into the new database " + x.Into)
	problems, err := live.ApplyParameters(ctx, x.Into, settings)
	done.Problems = problems
	if err == nil {
		err = c.pipe(ctx, t, x, postgres.DumpOptions{}, postgres.RestoreOptions{})
	}
	if err == nil {
		problems, err = live.ApplySettings(ctx, x.Into, settings)
		done.Problems = append(done.Problems, problems...)
	}
	if err != nil {
		return done, fault.New(fault.CodeOf(err), "",
			strings.TrimSpace(fmt.Sprintf("%s The new database %q is not complete: drop it.", fault.Remedy(err), x.Into)),
			err)
	}
	tables, err := c.tables(ctx, x.Database)
	if err != nil {
		return done, err
	}
	done.Tables = len(tables)
	done.Rows, err = c.compare(ctx, x, tables)
	return done, err
}

// compare counts the rows of both. What was written into the live one since is not known here, so more is no error.
func (c *Copy) compare(ctx context.Context, x Extract, tables []postgres.Table) (rows int64, err error) {
	target := x.Live
	target.Database = x.Into
	var counts [2]map[postgres.Table]int64
	for i, side := range []postgres.Target{c.Database(x.Database), target} {
		session, err := postgres.Connect(ctx, side, 0)
		if err != nil {
			return 0, err
		}
		counts[i], err = session.RowCounts(ctx, tables)
		err = errors.Join(err, session.Close(ctx))
		if err != nil {
			return 0, err
		}
	}
	for _, table := range tables {
		if counts[1][table] < counts[0][table] {
			return rows, fault.New(fault.Integrity,
				fmt.Sprintf("pitr: %s has %d rows in the copy and %d in database %q", table.Written(), counts[0][table],
					counts[1][table], x.Into), "Do not use what was extracted; extract it again.", nil)
		}
		rows += counts[1][table]
	}
	return rows, nil
}
