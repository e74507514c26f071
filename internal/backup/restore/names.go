package restore

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
	"codeberg.org/pgbtui/pgbtui/internal/postgres/archive"
)

// How a person names a table of a dump: as `pgbtui show --tables` prints it, or as SQL quotes it.
// Case is never folded; a name without its schema must be unique.

// findTable is the one table or view that a name means.
func findTable(head *archive.Archive, name string) (archive.Entry, error) {
	relations := head.Relations()
	for _, forms := range []func(archive.Entry) []string{fullForms, bareForms} {
		var found []archive.Entry
		for _, e := range relations {
			if slices.Contains(forms(e), name) {
				found = append(found, e)
			}
		}
		switch len(found) {
		case 0:
		case 1:
			return found[0], nil
		default:
			return archive.Entry{}, fault.New(fault.Refused, fmt.Sprintf("restore: %q means several tables: %s", name, strings.Join(quotedNames(found), ", ")),
				"give one of these names, with its quotes", nil)
		}
	}
	return archive.Entry{}, unknownName("table", name, quotedNames(relations))
}

// TableName is how `restore --table` takes a table so that no other can be meant: plain where that is
// enough, else with SQL's quotes.
func TableName(schema, name string) string {
	if plainName.MatchString(schema) && plainName.MatchString(name) {
		return schema + "." + name
	}
	return postgres.QuoteIdent(schema) + "." + postgres.QuoteIdent(name)
}

var plainName = regexp.MustCompile(`^[A-Za-z0-9_$]+$`)

func fullForms(e archive.Entry) (forms []string) {
	for _, schema := range []string{e.Namespace, postgres.QuoteIdent(e.Namespace)} {
		for _, name := range bareForms(e) {
			forms = append(forms, schema+"."+name)
		}
	}
	return forms
}

func bareForms(e archive.Entry) []string { return []string{e.Tag, postgres.QuoteIdent(e.Tag)} }

func quotedNames(entries []archive.Entry) (names []string) {
	for _, e := range entries {
		names = append(names, postgres.QuoteIdent(e.Namespace)+"."+postgres.QuoteIdent(e.Tag))
	}
	return names
}

func schemasOf(head *archive.Archive) (names []string) {
	for _, e := range head.Entries {
		if e.Namespace != "" && !slices.Contains(names, e.Namespace) {
			names = append(names, e.Namespace)
		}
	}
	return names
}

// maxNear bounds how many names a message offers.
const maxNear = 5

func unknownName(what, name string, known []string) error {
	remedy := "`pgbtui show ID --tables` lists what there is"
	if near := nearNames(name, known); len(near) > 0 {
		remedy = "near it: " + strings.Join(near, ", ") + "; " + remedy
	}
	return fault.New(fault.NotFound, fmt.Sprintf("restore: the dump has no %s %q", what, name), remedy, nil)
}

// nearNames are known names that differ in case, quotes, schema or a few letters.
func nearNames(name string, known []string) (near []string) {
	bare := func(s string) string {
		s = strings.ToLower(strings.ReplaceAll(s, `"`, ""))
		return s[strings.LastIndexByte(s, '.')+1:]
	}
	for _, k := range known {
		if a, b := bare(name), bare(k); len(near) < maxNear && a != "" && (strings.Contains(b, a) || distance(a, b) <= 2) {
			near = append(near, k)
		}
	}
	return near
}

// distance is how many bytes have to be changed, put in or left out (Levenshtein's).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := before
			if a[i] != b[j] {
				cost++
			}
			before = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
