package dump

import (
	"context"
	"fmt"
	"log/slog"
	"slices"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/event"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
)

// What a job leaves out of its sets. Rules:
//
//   - pg_dump gets the patterns where they mean nothing else, so that a table that is made meanwhile is left out too;
//     what the set says it lacks was looked up right before
//   - partitions and children go with the table that they belong to, and so does a column's own sequence: without it
//     they could not be made
//   - sequences keep their values: a pattern of exclude_table_data means tables
//   - what cannot be made, or not with all of its rows, without what is left out is a warning of the set: a restore of
//     the whole set will stop there
//   - a pattern that no table has is told once, until it has one

// leftOut is what a dump does not have, and how pg_dump is told.
type leftOut struct {
	tables, rows               []postgres.Table
	tablePatterns, rowPatterns []string
}

func (r *run) leaveOut(ctx context.Context) (without leftOut, err error) {
	if len(r.job.ExcludeTables)+len(r.job.ExcludeTableData) == 0 {
		return without, nil
	}
	all, err := r.server.Relations(ctx)
	if err != nil {
		return without, err
	}
	tables := chosen(all, r.job.WithoutTable)
	noSequences := slices.DeleteFunc(slices.Clone(all), func(t postgres.Relation) bool { return t.Sequence })
	rows := chosen(noSequences, r.job.WithoutRows)
	isLeftOut := map[uint32]bool{}
	for _, t := range tables {
		isLeftOut[t.OID] = true
	}
	rows = slices.DeleteFunc(rows, func(t postgres.Relation) bool { return isLeftOut[t.OID] })
	for _, t := range rows {
		isLeftOut[t.OID] = true
	}
	without.tables, without.rows = namesOf(tables), namesOf(rows)
	if without.tablePatterns, err = r.programs(ctx, r.job.ExcludeTables, all, tables, isLeftOut); err != nil {
		return without, err
	}
	if without.rowPatterns, err = r.programs(ctx, r.job.ExcludeTableData, all, rows, isLeftOut); err != nil {
		return without, err
	}
	r.tellUnmatched(ctx)
	return without, r.warnOfReferrers(ctx, tables, rows)
}

// chosen are the relations that are matched, with what belongs to them.
func chosen(all []postgres.Relation, matched func(schema, table string) bool) (found []postgres.Relation) {
	parents := map[uint32]uint32{}
	is := map[uint32]bool{}
	for _, t := range all {
		parents[t.OID] = t.Parent
		is[t.OID] = matched(t.Schema, t.Name)
	}
	for _, t := range all {
		for oid := t.OID; oid != 0; oid = parents[oid] {
			if is[oid] {
				found = append(found, t)
				break
			}
		}
	}
	return found
}

func namesOf(relations []postgres.Relation) (names []postgres.Table) {
	for _, t := range relations {
		names = append(names, t.Table)
	}
	return names
}

// programs tells pg_dump of what was found: the patterns that mean nothing else, and the other tables by name.
func (r *run) programs(
	ctx context.Context, patterns []config.TablePattern, all, found []postgres.Relation, isLeftOut map[uint32]bool,
) (programs []string, err error) {
	add := func(text string) error {
		encoded, ok, err := r.server.InEncoding(ctx, text)
		if ok {
			programs = append(programs, encoded)
		}
		return err
	}
	var exact []config.TablePattern
	for _, p := range patterns {
		matched, others := false, false
		for _, t := range all {
			if p.Matches(t.Schema, t.Name) {
				matched = true
				others = others || !isLeftOut[t.OID]
			}
		}
		switch {
		case !matched:
			r.unmatched = append(r.unmatched, p.String())
		case !others:
			exact = append(exact, p)
			if err := add(p.Program()); err != nil {
				return nil, err
			}
		}
	}
	for _, t := range found {
		if slices.ContainsFunc(exact, func(p config.TablePattern) bool { return p.Matches(t.Schema, t.Name) }) {
			continue
		}
		if err := add(postgres.QuoteIdent(t.Schema) + "." + postgres.QuoteIdent(t.Name)); err != nil {
			return nil, err
		}
	}
	return programs, nil
}

// tellUnmatched is no warning of the set: nothing of it is missing.
func (r *run) tellUnmatched(ctx context.Context) {
	var known []string
	if before, err := recall(r.env.StateDir, r.job); err == nil && before != nil {
		known = before.Unmatched
	}
	for _, pattern := range r.unmatched {
		if slices.Contains(known, pattern) {
			continue
		}
		r.log.WarnContext(ctx, fmt.Sprintf("no table is left out by %q: %q has none of that name", pattern, r.job.Database),
			event.Attr(event.Warning), slog.String("remedy",
				"correct exclude_tables or exclude_table_data of the job, or take the pattern out"))
	}
}

func (r *run) warnOfReferrers(ctx context.Context, tables, rows []postgres.Relation) error {
	need, err := r.server.NeedTables(ctx, oidsOf(tables))
	if err != nil {
		return err
	}
	needRows, err := r.server.NeedRows(ctx, oidsOf(append(slices.Clone(tables), rows...)))
	if err != nil {
		return err
	}
	for _, one := range needRows {
		if !slices.Contains(need, one) {
			need = append(need, one)
		}
	}
	if len(need) == 0 {
		return nil
	}
	const what = "this set will not restore as a whole, since what it has needs what is left out"
	const remedy = "Leave that out too, or take what it needs back in."
	told := backup.InLine(need, "; ", func(n postgres.Referrer) string { return n.What + " needs " + n.To })
	if len(r.recipients) == 0 {
		r.warn(ctx, what+": "+told+". "+remedy)
		return nil
	}
	r.warn(ctx, fmt.Sprintf("%s: %d objects, which the journal names. %s", what, len(need), remedy))
	r.log.InfoContext(ctx, "what needs what is left out: "+told)
	return nil
}

func oidsOf(relations []postgres.Relation) []uint32 {
	oids := []uint32{}
	for _, t := range relations {
		oids = append(oids, t.OID)
	}
	return oids
}
