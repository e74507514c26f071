package docs

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var testFunction = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)[A-Z]\w*)\(`)

// testFunctions are the tests and fuzzers of this repository, as `folder.TestName`.
func testFunctions(t testing.TB) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() && strings.HasPrefix(d.Name(), ".") && path != root {
			return orSkip(err)
		}
		if !strings.HasSuffix(path, "_test.go") {
			return nil
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		folder, err := filepath.Rel(root, filepath.Dir(path))
		for _, m := range testFunction.FindAllStringSubmatch(string(raw), -1) {
			found[filepath.ToSlash(folder)+"."+m[1]] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func orSkip(err error) error {
	if err == nil {
		return fs.SkipDir
	}
	return err
}

// What a fuzzer finds is kept where `go test` runs it again, so each has a corpus there.
func TestEveryFuzzerHasACorpusInTheRepository(t *testing.T) {
	seen := 0
	for name := range testFunctions(t) {
		folder, fuzzer, _ := strings.Cut(name, ".Fuzz")
		if fuzzer == "" {
			continue
		}
		seen++
		corpus := filepath.Join(folder, "testdata", "fuzz", "Fuzz"+fuzzer)
		if files, _ := os.ReadDir(filepath.Join(root, corpus)); len(files) == 0 {
			t.Errorf("nothing in %s", corpus)
		}
	}
	if seen < 20 {
		t.Errorf("only %d fuzzers were found", seen)
	}
}
