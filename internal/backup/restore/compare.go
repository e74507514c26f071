package restore

import (
	"context"
	"fmt"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
	"codeberg.org/pgbtui/pgbtui/internal/postgres/archive"
)

// What a restore proves: the rows of every table are those that were counted in the dump.

// compare counts the rows of every table and holds them against those counted in the dump.
func (r *restoring) compare(ctx context.Context) error {
	known, err := r.counted()
	if err != nil || known == nil {
		return err
	}
	r.meter.Enter(backup.StageCompare, 0)
	stop := r.meter.KeepAlive()
	defer stop()
	var tables []archive.Table
	odd := 0
	for _, t := range known {
		t = r.here(t)
		if r.legible(t.Schema) && r.legible(t.Name) {
			tables = append(tables, t)
		} else {
			odd++
		}
	}
	if odd > 0 {
		r.result.note(fmt.Sprintf("rows of %d tables were not compared: the dump holds their names in another encoding", odd))
	}
	if tables, err = r.made(ctx, tables); err != nil {
		return err
	}
	here, err := r.count(ctx, tables)
	if err != nil {
		return err
	}
	return r.judge(tables, here)
}

// counted are the tables whose rows are known, which may be none; nil when nothing was counted.
func (r *restoring) counted() ([]archive.Table, error) {
	switch {
	case r.part != nil && r.part.counted != nil:
		return r.part.expected(&r.source)
	case r.part != nil:
		return nil, nil // no rows were restored
	case !r.source.listed():
		r.result.note("rows were not compared: the set has no counts")
		return nil, nil
	}
	return append([]archive.Table{}, r.source.contents.Archive.Tables()...), nil
}

// judge holds the counts against each other.
func (r *restoring) judge(tables []archive.Table, here counts) error {
	for _, t := range tables {
		name := postgres.Table{Schema: t.Schema, Name: t.Name}
		if t.Rows < 0 {
			r.result.note(fmt.Sprintf("rows of %s.%s were not compared: the dump's count is not known", t.Schema, t.Name))
			continue
		}
		if why := r.incomparable(t, here); why != "" {
			r.result.unproven = append(r.result.unproven, fmt.Sprintf("%s.%s, %s", t.Schema, t.Name, why))
			continue
		}
		r.result.Tables++
		r.result.Rows += here.rows[name]
		if here.rows[name] != t.Rows {
			r.result.Differences = append(r.result.Differences,
				RowMismatch{Schema: t.Schema, Table: t.Name, Want: t.Rows, Got: here.rows[name]})
		}
	}
	if r.result.leftOut() > 0 {
		return nil // told, and no evidence
	}
	if len(r.result.Differences) > 0 {
		d := r.result.Differences[0]
		return fault.New(fault.Integrity, fmt.Sprintf(
			"restore: %d of %d tables differ from the dump, first %s.%s: %d rows restored, %d dumped",
			len(r.result.Differences), len(tables), d.Schema, d.Table, d.Got, d.Want), "Do not use this copy, and look for "+
			"triggers or rules that change rows while they are loaded.", nil)
	}
	// A set whose every table had to be left out was not compared.
	r.result.Compared = r.result.Tables > 0 || len(tables) == 0 && r.part == nil &&
		len(r.source.contents.Archive.Tables()) == 0
	return nil
}

// rowsOfExtensions is what the counts of a copy may not show.
const rowsOfExtensions = "rows of tables of extensions"

// counts are what the copy has.
type counts struct {
	rows       map[postgres.Table]int64 // of a table of an extension: those that a dump would have
	extensions map[postgres.Table]postgres.ExtensionTable
}

func (r *restoring) count(ctx context.Context, tables []archive.Table) (here counts, err error) {
	err = r.target.in(ctx, r.req.To, func(s *postgres.Server) error {
		if here.extensions, err = s.ExtensionTables(ctx); err != nil {
			return err
		}
		var plain []postgres.Table
		for _, t := range tables {
			name := postgres.Table{Schema: t.Schema, Name: t.Name}
			if _, ok := here.extensions[name]; !ok {
				plain = append(plain, name)
			}
		}
		if here.rows, err = s.RowCounts(ctx, plain); err != nil {
			return err
		}
		for _, t := range tables {
			x, ok := here.extensions[postgres.Table{Schema: t.Schema, Name: t.Name}]
			if !ok || r.otherRows(x) != "" {
				continue
			}
			if here.rows[x.Table], err = s.UserRows(ctx, x); err != nil {
				return err
			}
		}
		return nil
	})
	return here, err
}

// incomparable says why the rows of a table cannot be held against the dump's, or "".
func (r *restoring) incomparable(t archive.Table, here counts) string {
	x, ok := here.extensions[postgres.Table{Schema: t.Schema, Name: t.Name}]
	if !ok {
		return ""
	}
	why := r.otherRows(x)
	if here.rows[x.Table] > t.Rows && why == "" {
		why = fmt.Sprintf("the dump has %d, the copy %d, since extension %s may have brought some of its own", t.Rows,
			here.rows[x.Table], x.Extension)
	}
	return why
}

// otherRows says why a dump may have other rows of an extension's table than the copy would give, or "". Which ones a
// dump has is the extension's to say, and each version may say something else.
func (r *restoring) otherRows(t postgres.ExtensionTable) string {
	was := r.source.extension(t.Extension)
	switch {
	case !t.Dumped || t.Inherited:
		return "extension " + t.Extension + " does not say which of them are the user's"
	case was == "":
		return "the set does not say which version of extension " + t.Extension + " it has them from"
	case was != t.Version:
		return fmt.Sprintf("they are of extension %s %s, and here is %s", t.Extension, was, t.Version)
	}
	return ""
}

// record keeps the restore as the set's best evidence, when the rows are those of the dump. Who
// may only read the bucket can restore, but not record it.
func (r *restoring) record(ctx context.Context) error {
	if len(r.result.unproven) > 0 {
		r.result.note(rowsOfExtensions + " that were not compared: " + strings.Join(r.result.unproven, "; "))
	}
	if !r.result.Compared || r.part != nil || r.source.set.Kind != backup.KindNative {
		return nil
	}
	p := backup.Proof{
		Schema: backup.ManifestSchema, Set: r.source.set.ID, Kind: "restore", Level: backup.LevelRestored.String(), OK: true,
		StartedAt: r.result.started, FinishedAt: r.env.Stamp(),
		Host: r.env.Host, InvocationID: r.env.InvocationID, Bytes: r.source.set.Manifest.DumpBytes(),
		Tables: r.result.Tables, Rows: r.result.Rows, Stages: r.meter.Stages(),
	}
	var err error
	if r.result.Recorded, err = backup.PutProof(ctx, r.env.Bucket, r.source.set, p); err != nil {
		r.result.Recorded = ""
		r.result.note("the restore could not be recorded beside the set: " + err.Error())
	}
	return nil
}
