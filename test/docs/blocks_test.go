package docs

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/price"
	"codeberg.org/pgbtui/pgbtui/test/pgtest"
)

// notRunAllowed is how many sh blocks may be left out, in all pages together.
const notRunAllowed = 4

// commandLine starts a line that a reader would type: such lines belong into sh blocks, where they are run.
var commandLine = regexp.MustCompile(`(?m)^\$? ?(sudo|pgbtui|systemctl|journalctl|aws|psql|pg_restore|make|go) `)

func TestEveryExampleIsOfAKindThatIsTested(t *testing.T) {
	kinds := []string{"sh", "yaml", "json", "sql", "ini", "text"}
	known := map[string][]string{"not run": {"sh"}, "script": {"sh"}, "as": {"sh"}, "exits": {"sh"}, "file": {"yaml", "ini"}, "policy": {"json"}, "profile": {"yaml"}}
	for _, p := range pages(t) {
		for _, b := range p.blocks {
			if !slices.Contains(kinds, b.language) {
				t.Errorf("%s: a block of kind %q is not tested: use one of %q", b.at(), b.language, kinds)
			}
			for note := range b.notes {
				if !slices.Contains(known[note], b.language) {
					t.Errorf("%s: the comment %q means nothing before a %s block", b.at(), note, b.language)
				}
			}
			if b.language == "ini" && b.notes["file"] == "" {
				t.Errorf("%s: say where this file goes: <!-- file: PATH OWNER:GROUP MODE -->", b.at())
			}
			if b.language == "text" && commandLine.MatchString(b.text) {
				t.Errorf("%s: commands in a text block are not run: make it sh", b.at())
			}
		}
	}
}

// Where a host of its own would be needed, a script of the command line's tests runs the same verb with the same flags.
func TestExamplesThatAScriptRunsAreInIt(t *testing.T) {
	for _, b := range blocks(t, "sh") {
		name := b.notes["script"]
		if name == "" {
			continue
		}
		text, err := os.ReadFile(filepath.Join(root, "cmd/pgbtui/testdata/script", name))
		if err != nil {
			t.Errorf("%s: %v", b.at(), err)
			continue
		}
		script := strings.Split(string(text), "\n")
		for line := range strings.Lines(b.text) {
			_, typed, _ := strings.Cut(" "+line, " pgbtui ")
			words := slices.DeleteFunc(strings.Fields(typed), func(w string) bool { return strings.Contains(w, "_") || w == "other-region" })
			if !slices.ContainsFunc(script, func(run string) bool { return runs(run, words) }) {
				t.Errorf("%s: %s runs nothing with %q", b.at(), name, words)
			}
		}
	}
}

// runs is whether a line of a script expects success of a call with these words.
func runs(line string, words []string) bool {
	called := strings.Fields(line)
	if len(called) < 3 || called[0] != "exits" || called[1] != "0" || called[2] != "pgbtui" {
		return false
	}
	return !slices.ContainsFunc(words, func(w string) bool { return !slices.Contains(called, w) })
}

func TestFewExamplesAreNotRunAndEachSaysWhy(t *testing.T) {
	left := 0
	for _, b := range blocks(t, "sh") {
		if why := b.notes["not run"]; why != "" {
			left++
			t.Logf("%s is not run: %s", b.at(), why)
		}
	}
	if left > notRunAllowed {
		t.Errorf("%d blocks are not run, %d at most", left, notRunAllowed)
	}
}

func TestEveryConfigurationLoads(t *testing.T) {
	for _, b := range blocks(t, "yaml") {
		text := b.text
		if !regexp.MustCompile(`\bbucket:`).MatchString(text) {
			text += "s3: {bucket: company-backups}\n" // a part of a file, shown alone
		}
		file := filepath.Join(t.TempDir(), "config.yaml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := config.Load(config.Source{File: file, Explicit: true, Getenv: func(string) string { return "" }, Hostname: "db1"})
		if err != nil {
			t.Errorf("%s: %v", b.at(), err)
			continue
		}
		for _, job := range c.Jobs {
			if _, err := c.Job(job.Name); err != nil {
				t.Errorf("%s: %v", b.at(), err)
			}
		}
	}
}

func TestEveryJSONExampleIsJSON(t *testing.T) {
	for _, b := range blocks(t, "json") {
		// The examples there are shortened, and held against the program by a test of its own.
		if b.page != "docs/json.md" && !json.Valid([]byte(b.text)) {
			t.Errorf("%s: not JSON", b.at())
		}
	}
}

// TestEverySQLExampleRuns on a server that has what a reader's has.
func TestEverySQLExampleRuns(t *testing.T) {
	server := pgtest.Start(t)
	server.Exec(t, "postgres", "CREATE DATABASE production")
	server.Exec(t, "postgres", "CREATE ROLE pgbtui LOGIN")
	for _, b := range blocks(t, "sql") {
		// One statement after the other, as psql sends them: some refuse to share a transaction.
		for statement := range strings.SplitSeq(b.text, ";\n") {
			if strings.TrimSpace(statement) == "" {
				continue
			}
			if err := server.TryExec("postgres", statement); err != nil {
				t.Errorf("%s: %v\nin: %s", b.at(), err, statement)
			}
		}
	}
}

func TestTheExampleOfAPriceListIsRead(t *testing.T) {
	for _, b := range blocks(t, "sh") {
		_, after, found := strings.Cut(b.text, "prices.yaml <<'END'\n")
		if !found {
			continue
		}
		list, _, _ := strings.Cut(after, "END\n")
		table, err := price.Read("prices.yaml", []byte(list))
		if err != nil {
			t.Fatal(err)
		}
		if p, known := table.Of("eu-central-1", "STANDARD_IA"); !known || p.MinimumDays != 30 || p.Put1000 == nil {
			t.Errorf("%+v, %v", p, known)
		}
		return
	}
	t.Error("docs/cost.md has no example")
}
