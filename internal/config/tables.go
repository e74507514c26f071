package config

import (
	"fmt"
	"slices"
	"strings"
)

// Tables that a job leaves out of its sets: `exclude_tables`, or without their rows alone: `exclude_table_data`. Rules:
//
//   - a pattern is `table`, which is looked for in every schema, or `schema.table`
//   - a star stands for any text, and nothing else is special; no case is folded
//   - what stands in double quotes is taken literally, stars and dots too; "" in it is a double quote, as in SQL

// TablePattern says which tables are meant.
type TablePattern struct {
	text          string
	schema, table namePattern // no schema: every one
}

// namePattern are the texts between the stars: one is the whole name.
type namePattern []string

// String is the pattern as it was written.
func (p TablePattern) String() string { return p.text }

// Matches reports whether a table is meant.
func (p TablePattern) Matches(schema, table string) bool {
	return (p.schema == nil || p.schema.matches(schema)) && p.table.matches(table)
}

// Program is the pattern in pg_dump's language, which is psql's: quoted, so that only the stars are special.
func (p TablePattern) Program() string {
	schema := "*"
	if p.schema != nil {
		schema = p.schema.program()
	}
	return schema + "." + p.table.program()
}

func (n namePattern) program() string {
	quoted := make([]string, len(n))
	for i, text := range n {
		if text != "" {
			quoted[i] = `"` + strings.ReplaceAll(text, `"`, `""`) + `"`
		}
	}
	return strings.Join(quoted, "*")
}

func (n namePattern) matches(name string) bool {
	if len(n) == 1 {
		return n[0] == name
	}
	return between(n, name)
}

// ParseTablePattern reads what somebody wrote.
func ParseTablePattern(text string) (TablePattern, error) {
	names, err := splitPattern(text)
	if err != nil {
		return TablePattern{}, err
	}
	p := TablePattern{text: text, table: names[len(names)-1]}
	switch len(names) {
	case 1:
		return p, nil
	case 2:
		p.schema = names[0]
		return p, nil
	}
	return TablePattern{}, fmt.Errorf(
		"%q has %d names, where schema and table are two; put a name with a dot into double quotes",
		text, len(names))
}

// splitPattern cuts at the dots that are not quoted, and each name at its stars.
func splitPattern(text string) (names []namePattern, err error) {
	var name namePattern
	var piece string
	quoted := false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"' && quoted && i+1 < len(text) && text[i+1] == '"':
			piece += `"`
			i++
		case c == '"':
			quoted = !quoted
		case quoted || c != '*' && c != '.':
			piece += text[i : i+1]
		case c == '*':
			name, piece = append(name, piece), ""
		default:
			names = append(names, append(name, piece))
			name = namePattern{}
			piece = ""
		}
	}
	if quoted {
		return nil, fmt.Errorf("%q has a double quote that is not closed", text)
	}
	names = append(names, append(name, piece))
	for _, n := range names {
		if len(n) == 1 && n[0] == "" {
			return nil, fmt.Errorf("%q has an empty name", text)
		}
	}
	return names, nil
}

func parseTablePatterns(texts []string) (patterns []TablePattern, err error) {
	for _, text := range texts {
		p, err := ParseTablePattern(text)
		if err != nil {
			return nil, err
		}
		patterns = append(patterns, p)
	}
	return patterns, nil
}

func patternTexts(patterns []TablePattern) (texts []string) {
	for _, p := range patterns {
		texts = append(texts, p.text)
	}
	return texts
}

// Partial reports whether the job's sets do not hold all of their database.
func (j Job) Partial() bool { return len(j.ExcludeTables)+len(j.ExcludeTableData) > 0 }

// WithoutTable reports whether a job leaves a table out as a whole, WithoutRows whether it leaves its rows out alone.
func (j Job) WithoutTable(schema, table string) bool {
	return anyMatches(j.ExcludeTables, schema, table)
}

// WithoutRows is for a table that is not left out as a whole.
func (j Job) WithoutRows(schema, table string) bool {
	return anyMatches(j.ExcludeTableData, schema, table)
}

func anyMatches(patterns []TablePattern, schema, table string) bool {
	return slices.ContainsFunc(patterns, func(p TablePattern) bool { return p.Matches(schema, table) })
}

// tables reads both lists of one job.
func (l loader) tables(name string, j *Job, f fileSettings) (err error) {
	if j.ExcludeTables, err = parseTablePatterns(f.ExcludeTables); err != nil {
		return l.problem(name, err.Error(), tablePatternRemedy, "exclude_tables")
	}
	if j.ExcludeTableData, err = parseTablePatterns(f.ExcludeTableData); err != nil {
		return l.problem(name, err.Error(), tablePatternRemedy, "exclude_table_data")
	}
	return nil
}

const tablePatternRemedy = `Write a table as "orders", "sales.orders" or "sales.log_*", ` +
	`and a strange name in double quotes: '"Sales"."a.b"'.`
