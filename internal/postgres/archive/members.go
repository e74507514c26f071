package archive

import "slices"

// What an archive has of tables and sequences that belong to extensions: no definition, that is CREATE EXTENSION's, but
// perhaps rows, the place of a sequence, and grants. Each depends on an id without an entry, and
// nothing says whose the table is: that was asked beside the dump (Choosing.Members).

const (
	tableData   = "TABLE DATA"
	sequenceSet = "SEQUENCE SET"
)

// Choosing is what decides about a choice besides what was asked for.
type Choosing struct {
	Members  map[Member]string // the extensions that tables and sequences belong to; nil: not known
	RowsOnly bool              // into tables that exist: nothing comes that was not asked for
}

// Member is a table or sequence of an extension.
type Member struct{ Schema, Name string }

// known are the ids that have an entry.
func (a *Archive) known() map[int]bool {
	known := make(map[int]bool, len(a.Entries))
	for _, e := range a.Entries {
		known[e.DumpID] = true
	}
	return known
}

// ofMember tells the contents of an extension's table or sequence from those of others.
func (e Entry) ofMember(known map[int]bool) bool {
	return (e.Desc == tableData || e.Desc == sequenceSet) && len(e.Deps) > 0 && len(e.unknown(known)) == len(e.Deps)
}

// unknown are the ids without an entry that an entry depends on.
func (e Entry) unknown(known map[int]bool) map[int]bool {
	ids := map[int]bool{}
	for _, id := range e.Deps {
		if !known[id] {
			ids[id] = true
		}
	}
	return ids
}

// extensionsOf are those that something may belong to: one where that is known, else all.
func (c *chooser) extensionsOf(e Entry) []Entry {
	name, ok := c.with.Members[Member{Schema: e.Namespace, Name: e.Tag}]
	if i := slices.IndexFunc(c.extensions, func(x Entry) bool { return x.Tag == name }); ok && i >= 0 {
		return c.extensions[i : i+1]
	}
	return c.extensions
}

// comes reports whether the extension of something is there, without doubt.
func (c *chooser) comes(e Entry) bool {
	of := c.extensionsOf(e)
	return len(of) > 0 && !slices.ContainsFunc(of, func(x Entry) bool { return !c.in[x.DumpID] })
}

// mayBeOfOneThatComes is for what does not come, and perhaps should.
func (c *chooser) mayBeOfOneThatComes(e Entry) bool {
	return e.ofMember(c.known) && !c.with.RowsOnly && slices.ContainsFunc(c.extensionsOf(e),
		func(x Entry) bool { return c.in[x.DumpID] })
}
