// What was picked of a backup's contents: whole schemas, and tables of others.

package ui

import (
	"maps"
	"slices"
	"strings"
)

type picked struct {
	schema map[string]bool      // by name
	table  map[string]TableView // by Ref
	rows   int64                // of all of it; -1: not all are known
	bytes  int64
}

func (p picked) tables() []string  { return slices.Sorted(maps.Keys(p.table)) }
func (p picked) schemas() []string { return slices.Sorted(maps.Keys(p.schema)) }
func (p picked) none() bool        { return len(p.table)+len(p.schema) == 0 }

// with is a copy, so that leaving the picker by esc leaves what was picked before.
func (p picked) with() picked {
	c := picked{schema: map[string]bool{}, table: map[string]TableView{}}
	maps.Copy(c.schema, p.schema)
	maps.Copy(c.table, p.table)
	return c
}

func (p *picked) toggleSchema(name string) {
	if p.schema[name] {
		delete(p.schema, name)
		return
	}
	p.schema[name] = true
	maps.DeleteFunc(p.table, func(_ string, t TableView) bool { return t.Schema == name })
}

func (p *picked) toggleTable(t TableView) {
	if _, one := p.table[t.Ref]; one {
		delete(p.table, t.Ref)
		return
	}
	p.table[t.Ref] = t
}

func (p picked) has(t TableView) bool {
	_, one := p.table[t.Ref]
	return one || p.schema[t.Schema]
}

// sum adds up rows and bytes.
func (p *picked) sum(all []TableView) {
	p.rows, p.bytes = 0, 0
	for _, t := range all {
		_, one := p.table[t.Ref]
		if one || p.schema[t.Schema] && t.Kind == "" { // what has no rows has them in its parts
			p.rows, p.bytes = plus(p.rows, t.Rows), plus(p.bytes, t.Bytes)
		}
	}
}

// plus keeps what is unknown unknown.
func plus(a, b int64) int64 {
	if a < 0 || b < 0 {
		return -1
	}
	return a + b
}

// text says what was picked: "public.orders and 2 more".
func (p picked) text() string {
	var names []string
	for _, s := range p.schemas() {
		names = append(names, "schema "+clean(s))
	}
	for _, t := range p.tables() {
		names = append(names, clean(t))
	}
	if len(names) > 3 {
		return strings.Join(names[:2], ", ") + " and " + plural(len(names)-2, "other")
	}
	return strings.Join(names, ", ")
}
