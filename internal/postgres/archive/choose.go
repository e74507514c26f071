package archive

import (
	"maps"
	"slices"
)

// What of an archive is restored when somebody wants some tables, or schemas, and not all.
//
// Rules: what a chosen object depends on comes along, as far as the archive has it (pg_dump
// records that with each entry); with an exclusion constraint all extensions do, since the operator
// class that it compares by stands nowhere. A table that is chosen comes whole: rows, defaults, sequences,
// indexes, constraints, triggers, policies. A table that only comes along, because a chosen thing
// cannot be created without it, comes as its bare definition, without rows. What hangs on a chosen
// table and needs a table that is not there, is left out: a foreign key needs both tables whole.
// Tables of extensions have no entry, only their rows have (members.go): these come with the extension.

// Choice is a selection of entries, by DumpID.
type Choice struct {
	IDs     []int   // to restore, in archive order
	Tables  []Entry // whole: with their rows
	Chosen  []Entry // as asked for, partitions of a chosen table included
	Brought []Entry // further objects that the chosen ones depend on; tables without rows
	LeftOut []Entry // what hangs on chosen tables and is not restored
	entries map[int]Entry
}

// relations can be depended on as tables are.
var relations = []string{"TABLE", "FOREIGN TABLE", "VIEW", "MATERIALIZED VIEW"}

// details describe the object that they depend on, and come whenever it does.
var details = []string{
	"ACL", "COMMENT", "SECURITY LABEL", "SEQUENCE SET", "SEQUENCE OWNED BY", "TABLE ATTACH", "INDEX ATTACH",
}

// parts belong to a table, and come with a whole one.
var parts = []string{
	"TABLE DATA", "MATERIALIZED VIEW DATA", "DEFAULT", "SEQUENCE", "INDEX", "CONSTRAINT", "CHECK CONSTRAINT",
	"FK CONSTRAINT", "TRIGGER", "RULE", "POLICY", "ROW SECURITY", "STATISTICS",
}

// global entries concern the whole database.
var global = []string{
	"ENCODING", "STDSTRINGS", "SEARCHPATH", "DATABASE", "DATABASE PROPERTIES", "BLOB", "BLOBS", "BLOB METADATA",
}

// planned are planner's statistics, which pg_dump writes from 18 on when it is asked to. No part brings them: they
// would be of tables whose rows may not come, and who restores a part has them computed anew.
var planned = []string{"STATISTICS DATA", "EXTENDED STATISTICS DATA"}

func (e Entry) isPlanned() bool { return slices.Contains(planned, e.Desc) }

// IsLargeObject tells entries of large objects from others.
func (e Entry) IsLargeObject() bool {
	return slices.Contains([]string{"BLOB", "BLOBS", "BLOB METADATA"}, e.Desc)
}

// IsRelation tells tables and views from other entries.
func (e Entry) IsRelation() bool { return slices.Contains(relations, e.Desc) }

func (e Entry) isDetail() bool { return slices.Contains(details, e.Desc) }

// InSchema is everything of a schema that can be chosen: its objects, and the schema itself.
func (a *Archive) InSchema(name string) (entries []Entry) {
	known := a.known()
	for _, e := range a.Entries {
		switch {
		case e.isPlanned():
		case e.Namespace == name && e.ofMember(known):
			entries = append(entries, e)
		case e.Desc == "SCHEMA" && e.Tag == name,
			e.isDetail() && e.Namespace == "" && e.Tag == "SCHEMA "+name, // of public, which has no entry
			e.Namespace == name && (e.Desc == "SEQUENCE" || !e.isDetail() && !slices.Contains(parts, e.Desc) &&
				!slices.Contains(global, e.Desc) && e.Desc != "PUBLICATION TABLE"):
			entries = append(entries, e)
		}
	}
	return entries
}

// Everything is all that can be chosen at once: every entry but those of large objects. Details of
// what has no entry of its own, such as rights on the schema public, stand for themselves.
func (a *Archive) Everything() (entries []Entry) {
	known := a.known()
	for _, e := range a.Entries {
		ofKnown := slices.ContainsFunc(e.Deps, func(id int) bool { return known[id] })
		if !slices.Contains(global, e.Desc) && !e.isPlanned() && !(e.isDetail() && ofKnown) {
			entries = append(entries, e)
		}
	}
	return entries
}

// Relations are the tables and views of the archive, and those tables of extensions of which it has rows.
func (a *Archive) Relations() (entries []Entry) {
	known := a.known()
	for _, e := range a.Entries {
		if e.IsRelation() || e.Desc == tableData && e.ofMember(known) {
			entries = append(entries, e)
		}
	}
	return entries
}

// Choose decides what comes with the entries asked for.
func (a *Archive) Choose(asked []Entry, with Choosing) Choice {
	c := chooser{
		archive: a, with: with, known: a.known(), byID: make(map[int]Entry, len(a.Entries)), schemas: map[string]Entry{},
		in: map[int]bool{}, whole: map[int]bool{}, asked: map[int]bool{},
	}
	for _, e := range a.Entries {
		c.byID[e.DumpID] = e
		switch e.Desc {
		case "SCHEMA":
			c.schemas[e.Tag] = e
		case "EXTENSION":
			c.extensions = append(c.extensions, e)
		}
	}
	for _, e := range asked {
		c.ask(e)
	}
	for c.grow() {
	}
	return c.choice()
}

type chooser struct {
	archive *Archive
	with    Choosing
	known   map[int]bool // ids of entries
	byID    map[int]Entry
	schemas map[string]Entry

	extensions []Entry

	in    map[int]bool // to restore
	whole map[int]bool // relations that come with their parts
	asked map[int]bool
}

func (c *chooser) ask(e Entry) {
	c.asked[e.DumpID] = true
	if e.IsRelation() {
		c.whole[e.DumpID] = true
	}
	c.bring(e)
}

// bring takes an entry and all that it needs.
func (c *chooser) bring(e Entry) {
	if c.in[e.DumpID] {
		return
	}
	c.in[e.DumpID] = true
	if e.ofMember(c.known) { // with its table, which has no entry: its grants have
		maps.Copy(c.in, e.unknown(c.known))
	}
	for _, need := range c.needs(e) {
		c.bring(need)
	}
}

// needs are the entries that one directly depends on, its schema included.
func (c *chooser) needs(e Entry) (needs []Entry) {
	for _, id := range e.Deps {
		if need, ok := c.byID[id]; ok { // ids of what is not dumped stand there too
			needs = append(needs, need)
		}
	}
	if schema, ok := c.schemas[e.Namespace]; ok {
		needs = append(needs, schema)
	}
	if e.Excludes {
		needs = append(needs, c.extensions...)
	}
	if e.ofMember(c.known) {
		needs = append(needs, c.extensionsOf(e)...)
	}
	return needs
}

// grow takes what hangs on the entries there are, and reports whether there was any.
func (c *chooser) grow() (grown bool) {
	for _, e := range c.archive.Entries {
		if c.in[e.DumpID] {
			continue
		}
		if partition, ok := c.partitionOf(e); ok {
			c.ask(partition)
			grown = true
		}
		if c.follows(e) {
			c.bring(e)
			grown = true
		}
	}
	return grown
}

// partitionOf is the partition that a TABLE ATTACH gives to a whole parent.
func (c *chooser) partitionOf(e Entry) (partition Entry, ok bool) {
	if e.Desc != "TABLE ATTACH" {
		return Entry{}, false
	}
	toWhole := false
	for _, id := range e.Deps {
		if t := c.byID[id]; t.Namespace == e.Namespace && t.Tag == e.Tag {
			partition = t
		} else if c.whole[id] {
			toWhole = true
		}
	}
	return partition, toWhole && partition.DumpID != 0 && !c.whole[partition.DumpID]
}

// follows reports whether an entry comes with those that are there.
func (c *chooser) follows(e Entry) bool {
	switch {
	case e.ofMember(c.known):
		return !c.with.RowsOnly && c.comes(e)
	case e.isDetail():
		return len(e.Deps) > 0 && !slices.ContainsFunc(e.Deps, func(id int) bool { return !c.in[id] })
	case !slices.Contains(parts, e.Desc), !c.onWhole(e):
		return false
	}
	needed := map[int]bool{}
	c.closure(e, needed)
	for id := range needed {
		if !c.byID[id].IsRelation() {
			continue
		}
		if !c.in[id] || (!c.whole[id] && c.wantsRows(e, c.byID[id])) {
			return false
		}
	}
	return true
}

// wantsRows: over a table that came without rows, a foreign key cannot be made, and a materialized
// view would be filled with what was never true.
func (c *chooser) wantsRows(e, of Entry) bool {
	return (e.Desc == "FK CONSTRAINT" || e.Desc == "MATERIALIZED VIEW DATA") &&
		(of.Desc == "TABLE" || of.Desc == "MATERIALIZED VIEW")
}

func (c *chooser) onWhole(e Entry) bool {
	return slices.ContainsFunc(e.Deps, func(id int) bool { return c.whole[id] })
}

// closure is everything that an entry needs, directly or not.
func (c *chooser) closure(e Entry, seen map[int]bool) {
	for _, need := range c.needs(e) {
		if !seen[need.DumpID] {
			seen[need.DumpID] = true
			c.closure(need, seen)
		}
	}
}

// choice lists what was decided, in archive order.
func (c *chooser) choice() Choice {
	out := Choice{entries: map[int]Entry{}}
	for _, e := range c.archive.Entries {
		switch id := e.DumpID; {
		case c.in[id]:
			out.IDs = append(out.IDs, id)
			out.entries[id] = e
			rowsOfMember := e.Desc == tableData && e.ofMember(c.known)
			if c.whole[id] && e.Desc == "TABLE" || rowsOfMember {
				out.Tables = append(out.Tables, e)
			}
			if c.asked[id] && !e.isDetail() && (rowsOfMember || !slices.Contains(parts, e.Desc)) {
				out.Chosen = append(out.Chosen, e)
			} else if !e.isDetail() && !(slices.Contains(parts, e.Desc) && c.onWhole(e)) {
				out.Brought = append(out.Brought, e)
			}
		case c.onWhole(e) && !e.isDetail() && !e.isPlanned(), e.Desc == tableData && c.mayBeOfOneThatComes(e):
			out.LeftOut = append(out.LeftOut, e)
		}
	}
	return out
}

// Of lists the chosen entries of some kinds, Except the others, both in archive order.
func (c Choice) Of(descs ...string) []int {
	return c.only(func(desc string) bool { return slices.Contains(descs, desc) })
}

// Except lists the chosen entries but those of some kinds.
func (c Choice) Except(descs ...string) []int {
	return c.only(func(desc string) bool { return !slices.Contains(descs, desc) })
}

// Entries are the chosen entries of some ids.
func (c Choice) Entries(ids []int) (entries []Entry) {
	for _, id := range ids {
		entries = append(entries, c.entries[id])
	}
	return entries
}

func (c Choice) only(wanted func(desc string) bool) (ids []int) {
	for _, id := range c.IDs {
		if wanted(c.entries[id].Desc) {
			ids = append(ids, id)
		}
	}
	return ids
}
