package docs

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.+)$`)
)

// anchors are what GitHub and Codeberg make of a page's headings.
func anchors(text string) map[string]bool {
	found := map[string]bool{}
	for _, m := range heading.FindAllStringSubmatch(text, -1) {
		slug := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-' || r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z':
				return r
			}
			return -1
		}, strings.ToLower(m[1]))
		found[slug] = true
	}
	return found
}

func TestEveryLinkBetweenPagesLeadsSomewhere(t *testing.T) {
	for _, p := range pages(t) {
		for _, m := range link.FindAllStringSubmatch(p.text, -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			name, anchor, _ := strings.Cut(m[1], "#")
			target := p.name
			if name != "" {
				target = path.Join(path.Dir(p.name), name)
			}
			if _, err := os.Stat(filepath.Join(root, target)); err != nil {
				t.Errorf("%s links to %s, which does not exist", p.name, target)
				continue
			}
			if anchor != "" && !anchors(read(t, target))[anchor] {
				t.Errorf("%s links to %s#%s: there is no such heading", p.name, target, anchor)
			}
		}
	}
}

// named is a page, with or without a heading, in the text of a program: an error, a unit, a comment.
var named = regexp.MustCompile(`\b(docs/[A-Za-z/_-]+\.md)(?:#([a-z0-9_-]+))?`)

func TestEveryPageThatTheProgramNamesExists(t *testing.T) {
	pages := 0
	for _, folder := range []string{"cmd", "internal", "packaging", "scripts", "test"} {
		err := filepath.WalkDir(filepath.Join(root, folder), func(file string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			text, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			for _, m := range named.FindAllStringSubmatch(string(text), -1) {
				pages++
				page, err := os.ReadFile(filepath.Join(root, m[1]))
				if err != nil {
					t.Errorf("%s names %s, which does not exist", file, m[1])
				} else if m[2] != "" && !anchors(string(page))[m[2]] {
					t.Errorf("%s names %s: there is no such heading", file, m[0])
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if pages == 0 {
		t.Error("no file names a page: the test looks in the wrong place")
	}
}

func TestTheIndexLinksEveryPage(t *testing.T) {
	index := read(t, "docs/README.md")
	for _, p := range pages(t) {
		name, below := strings.CutPrefix(p.name, "docs/")
		if below && name != "README.md" && !strings.Contains(name, "/") && !strings.Contains(index, "]("+name+")") {
			t.Errorf("docs/README.md does not link %s", p.name)
		}
	}
}
