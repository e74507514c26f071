package doctor

import (
	"slices"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// The catalogue: every check, with why it matters and where the documentation has more. IDs are for scripts and links:
// given once, and never changed.

// Check is a row of the catalogue.
type Check struct {
	ID   string
	Why  string
	Docs string
}

// Area is what the check is about.
func (c Check) Area() Area {
	area, _, _ := strings.Cut(c.ID, ".")
	return Area(area)
}

// Catalogue is every check, in the order in which they are shown.
func Catalogue() []Check {
	return slices.Concat(postgresCatalogue(), storeCatalogue(), bucketCatalogue(), unitsCatalogue())
}

// KnownCheck reports whether id names a check, or the beginning of some.
func KnownCheck(id string) bool {
	return slices.ContainsFunc(Catalogue(), func(c Check) bool { return Named(c.ID, id) })
}

func place(id string) int {
	return slices.IndexFunc(Catalogue(), func(c Check) bool { return c.ID == id })
}

// log collects findings of one place.
type log struct {
	from     string
	findings []Finding
}

// seen is how a check went.
type seen struct {
	result Result
	tried  string
	seen   string
	remedy string
}

// add takes a check's result. An ID that the catalogue lacks is a mistake of this package, and shows as one.
func (l *log) add(id string, s seen) *Finding {
	f := Finding{
		ID: id, Result: s.result, Tried: s.tried, Seen: s.seen, Remedy: s.remedy, From: l.from,
		Why: "not in the catalogue", Docs: "docs/troubleshooting.md",
	}
	area, _, _ := strings.Cut(id, ".")
	f.Area = Area(area)
	if i := place(id); i >= 0 {
		c := Catalogue()[i]
		f.Why, f.Docs = c.Why, c.Docs
	}
	l.findings = append(l.findings, f)
	return &l.findings[len(l.findings)-1]
}

func (l *log) ok(id, tried, text string) *Finding {
	return l.add(id, seen{result: OK, tried: tried, seen: text})
}

// unknown is for what could not be looked at.
func (l *log) unknown(id, tried, why, remedy string) *Finding {
	return l.add(id, seen{result: Unknown, tried: tried, seen: why, remedy: remedy})
}

// failed is for an error: its own remedy, and result.
func (l *log) failed(id string, result Result, tried string, err error) *Finding {
	return l.add(id, seen{result: result, tried: tried, seen: oneLine(err), remedy: fault.Remedy(err)})
}

// judge is ok without an error, and failed with one.
func (l *log) judge(id, tried, good string, err error) *Finding {
	if err != nil {
		return l.failed(id, Fail, tried, err)
	}
	return l.ok(id, tried, good)
}

// oneLine joins errors that were gathered.
func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }
