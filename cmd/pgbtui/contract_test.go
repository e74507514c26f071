package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"regexp"
	"strings"
	"time"
)

// docs/json.md is read as a schema: each `### name` below is a document or a part of one, with a
// table of its fields. A document's example is the ```json block behind its table.

const contractFile = "../../docs/json.md"

var update = flag.Bool("update", false, "rewrite the examples of docs/json.md from what the program prints")

// docField is one row of a table.
type docField struct {
	name, kind string // kind: string, time, integer, number, boolean, a part's name, or "list of" one of these
	absent     bool   // left out when there is nothing to say
	null       bool   // null when not known
}

type docPart struct {
	fields  []docField
	example string
}

type contract map[string]*docPart

var (
	heading = regexp.MustCompile("^### `?([a-zA-Z -]+)`?$")
	row     = regexp.MustCompile("^\\| `([a-zA-Z0-9]+)` \\| ([^|]+) \\| ([^|]*) \\| ([^|]*) \\| (.+) \\|$")
	link    = regexp.MustCompile(`\[([^\]]+)\]\(#([^)]+)\)`)
)

func readContract() (contract, error) {
	raw, err := os.ReadFile(contractFile)
	if err != nil {
		return nil, err
	}
	return parseContract(string(raw))
}

func parseContract(text string) (contract, error) {
	c := contract{}
	var part *docPart
	example := false
	for _, line := range strings.Split(text, "\n") {
		switch {
		case line == "```json":
			if part == nil || part.example != "" {
				return nil, fmt.Errorf("an example without a part, or a second one")
			}
			example = true
		case line == "```":
			example = false
		case example:
			part.example += line + "\n"
		case strings.HasPrefix(line, "## "):
			part = nil
		case heading.MatchString(line):
			part = &docPart{}
			c[heading.FindStringSubmatch(line)[1]] = part
		case part != nil && strings.HasPrefix(line, "| `"):
			f, err := parseRow(line)
			if err != nil {
				return nil, err
			}
			part.fields = append(part.fields, f)
		}
	}
	return c, nil
}

func parseRow(line string) (docField, error) {
	m := row.FindStringSubmatch(line)
	if m == nil {
		return docField{}, fmt.Errorf("row is not `field`, type, unit, missing, meaning: %s", line)
	}
	f := docField{name: m[1], kind: link.ReplaceAllString(strings.TrimSpace(m[2]), "$2")}
	switch missing := strings.TrimSpace(m[4]); {
	case missing == "":
	case strings.HasPrefix(missing, "absent: "):
		f.absent = true
	case strings.HasPrefix(missing, "null: "):
		f.null = true
	default:
		return f, fmt.Errorf("%s: missing is empty, `absent: why` or `null: why`, not %q", f.name, missing)
	}
	return f, nil
}

// decodeOne decodes exactly one JSON value, without duplicate keys being looked for.
func decodeOne(raw []byte) (v any, err error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	if err := d.Decode(&v); err != nil {
		return nil, fmt.Errorf("not JSON: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("more than one document")
	}
	return v, nil
}

// check holds a printed document against its table.
func (c contract) check(name string, raw []byte) error {
	v, err := decodeOne(raw)
	if err != nil {
		return err
	}
	return c.fits(name, name, v)
}

func (c contract) fits(at, kind string, v any) error {
	if inner, ok := strings.CutPrefix(kind, "list of "); ok {
		list, ok := v.([]any)
		if !ok {
			return fmt.Errorf("%s is %T, not a list", at, v)
		}
		for i, e := range list {
			if err := c.fits(fmt.Sprintf("%s[%d]", at, i), inner, e); err != nil {
				return err
			}
		}
		return nil
	}
	if fits, known := scalar(kind, v); known {
		if !fits {
			return fmt.Errorf("%s is %v (%T), not %s", at, v, v, kind)
		}
		return nil
	}
	part, ok := c[kind]
	if !ok {
		return fmt.Errorf("%s: %q is neither a type nor a part of the document", at, kind)
	}
	object, ok := v.(map[string]any)
	if !ok {
		return fmt.Errorf("%s is %T, not an object", at, v)
	}
	return c.fitsObject(at, part, object)
}

func (c contract) fitsObject(at string, part *docPart, object map[string]any) error {
	documented := map[string]bool{}
	for _, f := range part.fields {
		documented[f.name] = true
		v, there := object[f.name]
		switch {
		case !there && f.absent:
		case !there:
			return fmt.Errorf("%s.%s is missing", at, f.name)
		case v == nil && f.null:
		case v == nil:
			return fmt.Errorf("%s.%s is null", at, f.name)
		default:
			if err := c.fits(at+"."+f.name, f.kind, v); err != nil {
				return err
			}
		}
	}
	for name := range object {
		if !documented[name] {
			return fmt.Errorf("%s.%s is not documented", at, name)
		}
	}
	return nil
}

func scalar(kind string, v any) (fits, known bool) {
	switch kind {
	case "string":
		_, fits = v.(string)
	case "boolean":
		_, fits = v.(bool)
	case "number":
		_, fits = v.(float64)
	case "integer":
		n, ok := v.(float64)
		fits = ok && n == math.Trunc(n)
	case "time":
		text, _ := v.(string)
		at, err := time.Parse(time.RFC3339Nano, text)
		fits = err == nil && at.Location() == time.UTC
	default:
		return false, false
	}
	return fits, true
}

// rewriteExample puts what was printed into the document.
func rewriteExample(name, example string) error {
	raw, err := os.ReadFile(contractFile)
	if err != nil {
		return err
	}
	section := regexp.MustCompile("(?s)(\n### `?" + regexp.QuoteMeta(name) + "`?\n.*?\n```json\n).*?(```\n)")
	found := false
	text := section.ReplaceAllStringFunc(string(raw), func(s string) string {
		found = true
		m := section.FindStringSubmatch(s)
		return m[1] + example + m[2]
	})
	if !found {
		return fmt.Errorf("docs/json.md has no example for %s", name)
	}
	return os.WriteFile(contractFile, []byte(text), 0o644)
}

// anonymous replaces what is of the machine that made an example.
func (w *world) anonymous(example string) string {
	host, _, _ := strings.Cut(hostname(), ".")
	example = regexp.MustCompile(`\b`+regexp.QuoteMeta(host)+`\b`).ReplaceAllString(example, "db1")
	return strings.NewReplacer(w.db, "shop", w.s3.Endpoint, "https://s3.example.com").Replace(example)
}
