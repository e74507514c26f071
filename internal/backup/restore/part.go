package restore

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
	"codeberg.org/pgbtui/pgbtui/internal/postgres/archive"
)

// Restoring some tables or schemas instead of everything.
//
// Rules: what comes along and what is left out is decided by package archive from the table of
// contents of the very dump that is restored, and told before anything starts. Large objects
// never come: nothing in an archive says whose they are. A part is no evidence about the set.

// Portion is what a restore of a part brings, and what it costs.
type Portion struct {
	Chosen  []Item `json:"chosen"`  // as asked for, with partitions of chosen tables
	Brought []Item `json:"brought"` // what these need to exist
	LeftOut []Item `json:"leftOut"` // what hangs on chosen tables and does not come

	FetchBytes  int64  `json:"fetchBytes"`      // of the stored dump
	StoredBytes int64  `json:"storedBytes"`     // of the whole stored dump
	Whole       string `json:"whole,omitempty"` // why the whole dump has to be fetched
}

// Item is one object of a dump.
type Item struct {
	Kind        string `json:"kind"` // as pg_restore calls it: "TABLE", "FK CONSTRAINT", …
	Schema      string `json:"schema,omitempty"`
	Name        string `json:"name"` // of parts of a table: the table's and the part's
	WithoutRows bool   `json:"withoutRows,omitempty"`
}

// String is the item in messages; names are raw.
func (i Item) String() string {
	name := i.Name
	if i.Schema != "" {
		name = i.Schema + "." + name
	}
	text := strings.ToLower(i.Kind) + " " + name
	if i.WithoutRows {
		text += " (without rows)"
	}
	return text
}

// part is the state of a restore of a part.
type part struct {
	head    *archive.Archive // without data
	kept    []byte           // the begin of the dump with the head; nil: too long to be kept
	roles   map[int][]string // that entries name in their SQL
	choice  archive.Choice
	ids     []int // to restore, in archive order
	blocks  []int // those of them with data
	portion Portion
	counted *archive.Archive // the data that passed; nil before it has
	fetched int64            // stored bytes so far
}

// Partial reports whether less than a whole set is wanted.
func (q Request) Partial() bool {
	return len(q.Tables)+len(q.Schemas) > 0 || q.SchemaOnly || q.DataOnly
}

// check refuses what contradicts itself.
func (q Request) check() error {
	var wrong string
	switch {
	case !knownTier(q.Thaw):
		wrong = "a set is thawed by bulk, standard or expedited"
	case q.SchemaOnly && q.DataOnly:
		wrong = "definitions alone and rows alone exclude each other"
	case q.KeepGoing && (q.Partial() || q.Replace != "" || q.ForOperator):
		wrong = "continuing past what fails is for a whole set, into a new database, on the command line"
	case q.DataOnly && len(q.Tables)+len(q.Schemas) == 0:
		wrong = "rows into an existing database need chosen tables or schemas"
	case q.DataOnly && q.Globals:
		wrong = "rows need no roles or tablespaces"
	case q.Partial() && q.Replace != "":
		wrong = "a part cannot take the place of a whole database"
	case q.Partial() && q.Jobs > 1:
		wrong = "parallel sessions are for whole sets; a part is loaded by one"
	}
	if wrong == "" {
		return checkRoles(q.Roles)
	}
	return fault.New(fault.Usage, "restore: "+wrong, "Read `pgbtui restore --help`.", nil)
}

// plan reads the head of the dump and decides what comes. Errors are about what was asked, or the
// store.
func (r *restoring) plan(ctx context.Context) error {
	p := &part{}
	if err := r.readHead(ctx, p); err != nil {
		return err
	}
	asked, err := r.asked(p.head)
	if err != nil {
		return err
	}
	p.choice = p.head.Choose(asked, archive.Choosing{Members: r.source.members(), RowsOnly: r.req.DataOnly})
	const rows, sequence, view = "TABLE DATA", "SEQUENCE SET", "MATERIALIZED VIEW DATA"
	switch {
	case r.req.DataOnly:
		p.ids = p.choice.Of(rows, sequence)
	case r.req.SchemaOnly:
		p.ids = p.choice.Except(rows, sequence, view)
	default:
		p.ids = p.choice.IDs
	}
	if !r.req.SchemaOnly {
		p.blocks = p.choice.Of(rows)
	}
	r.part = p
	r.describePart()
	return nil
}

// asked are the entries of the tables and schemas in the request; all, when it names none.
func (r *restoring) asked(head *archive.Archive) (entries []archive.Entry, err error) {
	if len(r.req.Tables)+len(r.req.Schemas) == 0 {
		return head.Everything(), nil
	}
	for _, name := range r.req.Schemas {
		found := head.InSchema(rawSchema(head, name))
		if len(found) == 0 {
			return nil, unknownName(r.source.set, "schema", name, schemasOf(head))
		}
		entries = append(entries, found...)
	}
	for _, name := range r.req.Tables {
		entry, err := findTable(head, r.source.set, name)
		if err != nil {
			return nil, err
		}
		entries = append(entries, entry)
	}
	return entries, nil
}

func (r *restoring) describePart() {
	p := r.part
	s := &p.portion
	for _, list := range []struct {
		from []archive.Entry
		to   *[]Item
	}{{p.choice.Chosen, &s.Chosen}, {p.choice.Brought, &s.Brought}, {p.choice.LeftOut, &s.LeftOut}} {
		*list.to = []Item{}
		for _, e := range list.from {
			whole := slices.ContainsFunc(p.choice.Tables, func(t archive.Entry) bool { return t.DumpID == e.DumpID })
			*list.to = append(*list.to,
				Item{
					Kind: e.Desc, Schema: WrittenName(e.Namespace), Name: WrittenName(e.Tag),
					WithoutRows: e.Desc == "TABLE" && (!whole || r.req.SchemaOnly),
				})
		}
	}
	if r.req.DataOnly {
		s.Brought, s.LeftOut = []Item{}, []Item{} // definitions are not touched
	}
	if slices.ContainsFunc(p.head.Entries, archive.Entry.IsLargeObject) {
		r.result.note("large objects do not come with a part of a set")
	}
	s.StoredBytes = r.source.storedBytes()
	if s.Whole = r.source.unreadableInParts(); s.Whole == "" {
		s.FetchBytes = p.fetched + r.lead().Cost(p.blocks)
		return
	}
	s.FetchBytes = s.StoredBytes
	if len(p.blocks) == 0 {
		s.FetchBytes = p.fetched
	}
	r.result.note("the whole dump is fetched: " + s.Whole)
}

// checkPart decides what comes, and looks at what that needs. What was asked wrongly is an error
// with its own exit code.
func (r *restoring) checkPart(ctx context.Context) ([]Check, error) {
	if r.failing {
		return nil, nil // there is nothing to read, or nowhere to look
	}
	if err := r.plan(ctx); err != nil {
		return nil, err
	}
	if r.req.DataOnly {
		return r.checkEmpty(ctx)
	}
	locale, err := r.checkLocale(ctx)
	if err != nil {
		return nil, err
	}
	needs, err := r.checkNeeds(ctx)
	return append(append(locale, r.part.portion.tell()), needs...), err
}

// tell is the part in one line.
func (s *Portion) tell() Check {
	detail := fmt.Sprintf("%d chosen, %d come along, %d left out; fetches %s of %s", len(s.Chosen), len(s.Brought),
		len(s.LeftOut),
		humanize.IBytes(uint64(max(0, s.FetchBytes))), humanize.IBytes(uint64(max(0, s.StoredBytes))))
	if s.Whole != "" {
		return warns("tables", detail+": "+s.Whole, "")
	}
	return passes("tables", detail)
}

// needsOfPart are the names that the server must have for the chosen entries.
func (r *restoring) needsOfPart(role func(name, use string), space func(name string)) (extensions []string) {
	chosen := make(map[int]bool, len(r.part.ids))
	for _, id := range r.part.ids {
		chosen[id] = true
	}
	for _, e := range r.part.head.Entries {
		if !chosen[e.DumpID] {
			continue
		}
		if e.Desc == "EXTENSION" {
			extensions = append(extensions, e.Tag)
		}
		if r.common(e.Owner) {
			role(e.Owner, "owner")
		}
		if r.common(e.Tablespace) {
			space(e.Tablespace)
		}
		for _, name := range r.part.roles[e.DumpID] {
			if r.common(name) {
				role(name, useOf(e.Desc))
			}
		}
	}
	return extensions
}

// useOf is a RoleUse's word for the roles of an entry; grants alone go without owners.
func useOf(desc string) string {
	if strings.HasSuffix(desc, "ACL") {
		return "grant"
	}
	return "policy"
}

// expected are the chosen tables with the rows that passed, which must be those that the set recorded.
func (p *part) expected(from *source) (chosen []archive.Table, err error) {
	wanted := make(map[int]bool, len(p.blocks))
	for _, id := range p.blocks {
		wanted[id] = true
	}
	recorded := map[int]archive.Data{}
	if from.listed() {
		for _, d := range from.contents.Archive.Data {
			recorded[d.DumpID] = d
		}
	}
	passed := archive.Archive{Entries: p.head.Entries, Data: p.counted.Data}
	for _, t := range passed.Tables() {
		if !wanted[t.DumpID] {
			continue // of a whole dump that passed
		}
		if want, known := recorded[t.DumpID]; known && (want.Rows != t.Rows || want.RawBytes != t.RawBytes) {
			return nil, fault.New(fault.Integrity,
				fmt.Sprintf("restore: the dump holds %d rows of %s.%s, the set recorded %d", t.Rows, t.Schema, t.Name, want.Rows),
				from.remedyOther(), nil)
		}
		chosen = append(chosen, t)
	}
	return chosen, nil
}

// tableOf is an entry as the server names it.
func tableOf(e archive.Entry) postgres.Table { return postgres.Table{Schema: e.Namespace, Name: e.Tag} }
