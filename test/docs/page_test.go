package docs

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// root is the repository, seen from this package.
const root = "../.."

// page is one Markdown file.
type page struct {
	name   string // relative to the repository
	text   string
	blocks []block
}

// block is one fenced example, with the comments that stand right before it.
type block struct {
	page     string
	line     int // of the opening fence, from 1
	language string
	text     string
	notes    map[string]string // "not run", "as", "file"
}

func (b block) at() string { return fmt.Sprintf("%s:%d", b.page, b.line) }

var (
	fence   = regexp.MustCompile("^(\\s*)```(\\w*)\\s*$")
	comment = regexp.MustCompile(`^<!-- ([a-z ]+): (.+) -->$`)
)

func parsePage(name, text string) (page, error) {
	p := page{name: name, text: text}
	notes := map[string]string{}
	var open *block
	for i, line := range strings.Split(text, "\n") {
		m := fence.FindStringSubmatch(line)
		switch {
		case m != nil && m[1] != "":
			return p, fmt.Errorf("%s:%d: an indented fence", name, i+1)
		case m != nil && open == nil:
			open = &block{page: name, line: i + 1, language: m[2], notes: notes}
			notes = map[string]string{}
		case m != nil:
			p.blocks = append(p.blocks, *open)
			open = nil
		case open != nil:
			open.text += line + "\n"
		default:
			if c := comment.FindStringSubmatch(line); c != nil {
				notes[c[1]] = c[2]
			} else {
				notes = map[string]string{} // not right before a fence
			}
		}
	}
	if open != nil {
		return p, fmt.Errorf("%s: the fence of line %d is never closed", name, open.line)
	}
	return p, nil
}

// order is in which a reader meets the pages; the others follow by name.
var order = []string{
	"README.md", "docs/units.md", "docs/configuration.md", "docs/alerts.md", "docs/troubleshooting.md",
	"docs/verification.md", "docs/restore.md", "docs/replace.md", "docs/retention.md", "docs/bucket.md", "docs/encryption.md", "docs/iam.md",
}

// pages are all of them, in reading order.
func pages(t testing.TB) []page {
	t.Helper()
	names := slices.Clone(order)
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/decisions/*.md"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range found {
			if name, _ := filepath.Rel(root, file); !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	var all []page
	for _, name := range names {
		p, err := parsePage(name, read(t, name))
		if err != nil {
			t.Error(err)
		}
		all = append(all, p)
	}
	return all
}

func read(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func blocks(t testing.TB, languages ...string) []block {
	t.Helper()
	var found []block
	for _, p := range pages(t) {
		for _, b := range p.blocks {
			if slices.Contains(languages, b.language) {
				found = append(found, b)
			}
		}
	}
	return found
}

func TestAPageIsTakenApartIntoItsExamples(t *testing.T) {
	p, err := parsePage("x.md", "a\n<!-- as: anna -->\n```sh\nls\nls -l\n```\n<!-- as: bert -->\n\n```yaml\na: 1\n```\n")
	if err != nil || len(p.blocks) != 2 {
		t.Fatalf("%+v, %v", p, err)
	}
	if b := p.blocks[0]; b.at() != "x.md:3" || b.language != "sh" || b.text != "ls\nls -l\n" || b.notes["as"] != "anna" {
		t.Errorf("%+v", b)
	}
	if b := p.blocks[1]; b.language != "yaml" || len(b.notes) != 0 {
		t.Errorf("a comment counts only right before its fence: %+v", b)
	}
	for _, bad := range []string{"```sh\nls\n", "- x\n  ```sh\n  ls\n  ```\n"} {
		if _, err := parsePage("x.md", bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}
