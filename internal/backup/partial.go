package backup

import (
	"fmt"
	"slices"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/postgres"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
)

// Sets that do not hold all of their database, because the job says so. Rules:
//
//   - their manifests have a schema of their own, so that a program that knows of no such sets refuses them by name: it
//     would take them for the whole database
//   - a partial set never stands in for the whole database: where another job makes whole ones, `latest` is one of
//     these, and no partial set takes the place of a live database
//   - names of tables can be secrets: an encrypted set has them in its contents alone, and its manifest has their
//     number

// PartialSchema is the manifest's schema of partial sets.
const PartialSchema = 2

// Partial says what a set does not hold.
type Partial struct {
	Schema printable.Name `json:"schema,omitempty"` // it holds nothing but this one; "": all of them

	// What a tenant's set needs from outside of its schema, before it can be restored: "extension citext", "table
	// shared.country". Needs counts them; of an encrypted set their names are in the contents alone.
	Needs   int              `json:"needs,omitempty"`
	Outside []printable.Name `json:"outside,omitempty"` // the first ones

	// that were left out as a whole, views and sequences too
	Tables        int              `json:"tables,omitempty"`
	Rows          int              `json:"rows,omitempty"`          // tables that were left out but for their definition
	WithoutTables []printable.Name `json:"withoutTables,omitempty"` // the first ones; of an encrypted set none
	WithoutRows   []printable.Name `json:"withoutRows,omitempty"`
}

// maxNamedLeftOut bounds what a manifest names.
const maxNamedLeftOut = 100

// PartialOf is what a manifest says of what its contents leave out; nil: nothing. Names are told where nothing of the
// set is encrypted.
func PartialOf(c *Contents, encrypted bool) *Partial {
	if c.Tenant == "" && len(c.WithoutTables)+len(c.WithoutRows) == 0 {
		return nil
	}
	p := &Partial{
		Schema: printable.Name(c.Tenant), Needs: len(c.Outside), Tables: len(c.WithoutTables), Rows: len(c.WithoutRows),
	}
	if !encrypted {
		for _, o := range c.Outside[:min(len(c.Outside), maxNamedLeftOut)] {
			p.Outside = append(p.Outside, printable.Name(o.String()))
		}
		p.WithoutTables = namesOf(c.WithoutTables)
		p.WithoutRows = namesOf(c.WithoutRows)
	}
	return p
}

func namesOf(tables []postgres.Table) (names []printable.Name) {
	for _, t := range tables[:min(len(tables), maxNamedLeftOut)] {
		names = append(names, printable.Name(t.Written()))
	}
	return names
}

// Partial is what the set does not hold of its database, nil when it holds all of it, or nobody knows.
func (s *Set) Partial() *Partial {
	if s.Manifest == nil {
		return nil
	}
	return s.Manifest.Partial
}

// LeavesOut reports whether a set lacks tables, or rows, of what it is of.
func (s *Set) LeavesOut() bool {
	p := s.Partial()
	return p != nil && p.Tables+p.Rows > 0
}

// String is what is missing, in words: "without 2 tables and the rows of 1".
func (p *Partial) String() string {
	if p.Schema != "" {
		return fmt.Sprintf("schema %q alone", p.Schema)
	}
	var words []string
	if p.Tables > 0 {
		words = append(words, count(p.Tables, "table"))
	}
	if p.Rows > 0 {
		words = append(words, "the rows of "+count(p.Rows, "table"))
	}
	return "without " + strings.Join(words, " and ")
}

// outside is what a tenant's set needs, as far as the manifest tells.
func (p *Partial) outside() string {
	if len(p.Outside) == 0 {
		return fmt.Sprintf("%d things, which its encrypted contents name", p.Needs)
	}
	return InLine(p.Outside, ", ", func(n printable.Name) string { return n.String() })
}

// Names are the tables behind what String says, as far as they are told; "" where they are not.
func (p *Partial) Names() string {
	if len(p.WithoutTables)+len(p.WithoutRows) == 0 {
		return ""
	}
	all := slices.Concat(p.WithoutTables, p.WithoutRows)
	return " (" + InLine(all, ", ", func(n printable.Name) string { return n.String() }) + ")"
}

func count(n int, of string) string {
	if n == 1 {
		return "1 " + of
	}
	return fmt.Sprintf("%d %ss", n, of)
}

// yieldsToWhole reports which sets are passed over as the latest of their database: partial ones, where the newest set
// of another job is whole. A job that only lately began to leave tables out makes no whole ones any more, so that its
// older sets count for nothing here.
func yieldsToWhole(sets []Set, want Wanted) func(*Set) bool {
	type jobOf struct {
		of  Scope
		job string
	}
	newest := map[jobOf]bool{}
	whole := map[Scope]bool{}
	for i := range sets {
		s := &sets[i]
		of := s.Scope()
		by := jobOf{of: of, job: s.Job}
		if newest[by] || !s.usableFor(want) {
			continue
		}
		newest[by] = true
		whole[of] = whole[of] || !s.LeavesOut()
	}
	return func(s *Set) bool {
		return s.LeavesOut() && whole[s.Scope()]
	}
}
