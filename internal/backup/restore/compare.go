package restore

import (
	"context"
	"fmt"

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
		if r.legible(t.Schema) && r.legible(t.Name) {
			tables = append(tables, t)
		} else {
			odd++
		}
	}
	if odd > 0 {
		r.note(fmt.Sprintf("rows of %d tables were not compared: the dump holds their names in another encoding", odd))
	}
	if tables, err = r.made(ctx, tables); err != nil {
		return err
	}
	counts, skip, err := r.count(ctx, tables)
	if err != nil {
		return err
	}
	return r.judge(tables, counts, skip)
}

// counted are the tables whose rows are known, which may be none; nil when nothing was counted.
func (r *restoring) counted() ([]archive.Table, error) {
	switch {
	case r.part != nil && r.part.counted != nil:
		return r.expected()
	case r.part != nil:
		return nil, nil // no rows were restored
	case r.contents == nil || r.contents.Archive == nil:
		r.note("rows were not compared: the set has no counts")
		return nil, nil
	}
	return append([]archive.Table{}, r.contents.Archive.Tables()...), nil
}

// judge holds the counts against each other.
func (r *restoring) judge(tables []archive.Table, counts map[postgres.Table]int64, skip map[postgres.Table]bool) error {
	for _, t := range tables {
		name := postgres.Table{Schema: t.Schema, Name: t.Name}
		if t.Rows < 0 || skip[name] {
			r.note(fmt.Sprintf("rows of %s.%s were not compared: the dump's count is not known, or the table is an extension's", t.Schema, t.Name))
			continue
		}
		r.result.Tables++
		r.result.Rows += counts[name]
		if counts[name] != t.Rows {
			r.result.Differences = append(r.result.Differences, RowMismatch{t.Schema, t.Name, t.Rows, counts[name]})
		}
	}
	if r.result.leftOut() > 0 {
		return nil // told, and no evidence
	}
	if len(r.result.Differences) > 0 {
		d := r.result.Differences[0]
		return fault.New(fault.Integrity, fmt.Sprintf("restore: %d of %d tables differ from the dump, first %s.%s: %d rows restored, %d dumped",
			len(r.result.Differences), len(tables), d.Schema, d.Table, d.Got, d.Want), "do not use this copy; look for triggers or rules that change rows while loading", nil)
	}
	// A set whose every table had to be left out was not compared.
	r.result.Compared = r.result.Tables > 0 || len(tables) == 0 && r.part == nil && len(r.contents.Archive.Tables()) == 0
	return nil
}

// count is the rows of each table, and which tables' counts mean nothing.
func (r *restoring) count(ctx context.Context, tables []archive.Table) (counts map[postgres.Table]int64, skip map[postgres.Table]bool, err error) {
	names := make([]postgres.Table, len(tables))
	for i, t := range tables {
		names[i] = postgres.Table{Schema: t.Schema, Name: t.Name}
	}
	err = r.inTarget(ctx, func(s *postgres.Server) error {
		if skip, err = s.ExtensionTables(ctx); err != nil {
			return err
		}
		counts, err = s.RowCounts(ctx, names)
		return err
	})
	return counts, skip, err
}

// record keeps the restore as the set's best evidence, when the rows are those of the dump. Who
// may only read the bucket can restore, but not record it.
func (r *restoring) record(ctx context.Context) error {
	if !r.result.Compared || r.part != nil || r.set.Kind != backup.KindNative {
		return nil
	}
	p := backup.Proof{
		Schema: backup.ManifestSchema, Set: r.set.ID, Kind: "restore", Level: backup.LevelRestored.String(), OK: true,
		StartedAt: r.started, FinishedAt: r.env.Stamp(),
		Host: r.env.Host, InvocationID: r.env.InvocationID, Bytes: r.set.Manifest.Dump.SizeBytes,
		Tables: r.result.Tables, Rows: r.result.Rows, Stages: r.meter.Stages(),
	}
	var err error
	if r.result.Recorded, err = backup.PutProof(ctx, r.env.Bucket, r.set, p); err != nil {
		r.result.Recorded = ""
		r.note("the restore could not be recorded beside the set: " + err.Error())
	}
	return nil
}
