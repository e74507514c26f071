package restore

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
	"codeberg.org/pgbtui/pgbtui/internal/postgres/archive"
)

// How a person names a table of a dump: as `pgbtui show --tables` prints it, or as SQL quotes it.
// Case is never folded; a name without its schema must be unique.

// findTable is the one table or view of a set that a name means.
func findTable(head *archive.Archive, set *backup.Set, name string) (archive.Entry, error) {
	relations := head.Relations()
	for _, forms := range []func(archive.Entry) []string{fullForms, bareForms, fullWritten, bareWritten} {
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
			return archive.Entry{}, fault.New(fault.Refused,
				fmt.Sprintf("restore: %q means several tables: %s", name, strings.Join(quotedNames(found), ", ")),
				"Give one of these names, with its quotes.", nil)
		}
	}
	return archive.Entry{}, unknownName(set, "table", name, quotedNames(relations))
}

// WrittenName is how a name of a dump is told and typed: as it is, but each byte that is no UTF-8 as `\xdf`. Only
// databases in SQL_ASCII have such names as a rule; no request and no terminal takes them otherwise.
func WrittenName(name string) string {
	if utf8.ValidString(name) {
		return name
	}
	var b strings.Builder
	for i := 0; i < len(name); {
		r, size := utf8.DecodeRuneInString(name[i:])
		if r == utf8.RuneError && size == 1 {
			fmt.Fprintf(&b, `\x%02x`, name[i])
		} else {
			b.WriteString(name[i : i+size])
		}
		i += size
	}
	return b.String()
}

func written(e archive.Entry) archive.Entry {
	e.Namespace, e.Tag = WrittenName(e.Namespace), WrittenName(e.Tag)
	return e
}

func fullWritten(e archive.Entry) []string { return fullForms(written(e)) }
func bareWritten(e archive.Entry) []string { return bareForms(written(e)) }

// TableName is how `restore --table` takes a table so that no other can be meant: plain where that is
// enough, else with SQL's quotes.
func TableName(schema, name string) string {
	if plainName.MatchString(schema) && plainName.MatchString(name) {
		return schema + "." + name
	}
	return postgres.QuoteIdent(WrittenName(schema)) + "." + postgres.QuoteIdent(WrittenName(name))
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
		names = append(names, postgres.QuoteIdent(WrittenName(e.Namespace))+"."+postgres.QuoteIdent(WrittenName(e.Tag)))
	}
	return names
}

// rawSchema is the name of the schema that somebody means by what is told of it.
func rawSchema(head *archive.Archive, name string) string {
	schemas := schemasOf(head)
	if i := slices.IndexFunc(schemas, func(s string) bool { return WrittenName(s) == name }); i >= 0 &&
		!slices.Contains(schemas, name) {
		return schemas[i]
	}
	return name
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

func unknownName(set *backup.Set, what, name string, known []string) error {
	remedy := "`pgbtui show " + set.Address().String() + " --tables` lists which there are."
	if near := nearNames(name, known); len(near) > 0 {
		remedy = "Near it: " + strings.Join(near, ", ") + ". " + remedy
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
