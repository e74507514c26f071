package docs

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/event"
	"codeberg.org/pgbtui/pgbtui/internal/metrics"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
)

// Tables that repeat what the code says.

func TestTheTableOfEventsIsTheCatalogue(t *testing.T) {
	var want strings.Builder
	want.WriteString("| event | MESSAGE_ID | meaning |\n| --- | --- | --- |\n")
	for _, e := range event.All() {
		fmt.Fprintf(&want, "| `%s` | `%s` | %s |\n", e.Name, e.ID, e.Meaning)
	}
	_, rest, _ := strings.Cut(read(t, "docs/alerts.md"), "<!-- begin events -->\n")
	got, _, _ := strings.Cut(rest, "<!-- end events -->")
	if strings.TrimSpace(got) != strings.TrimSpace(want.String()) {
		t.Errorf("docs/alerts.md must have, between its markers:\n%s", want.String())
	}
}

func TestTheTableOfMetricsIsTheCatalogue(t *testing.T) {
	var want strings.Builder
	want.WriteString("| metric | meaning |\n| --- | --- |\n")
	for _, m := range metrics.Catalogue() {
		fmt.Fprintf(&want, "| `%s` | %s |\n", m.Name, m.Help)
	}
	_, rest, _ := strings.Cut(read(t, "docs/monitoring.md"), "<!-- begin metrics -->\n")
	got, _, _ := strings.Cut(rest, "<!-- end metrics -->")
	if strings.TrimSpace(got) != strings.TrimSpace(want.String()) {
		t.Errorf("docs/monitoring.md must have, between its markers:\n%s", want.String())
	}
}

// rows are the cells of a page's table rows whose first cell matches.
func rows(t testing.TB, page, first string) [][]string {
	t.Helper()
	var found [][]string
	start := regexp.MustCompile("^" + first + "$")
	for line := range strings.Lines(read(t, page)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		if len(cells) > 1 && start.MatchString(cells[0]) {
			found = append(found, cells)
		}
	}
	return found
}

func TestTheTableOfExitCodesHasEveryCode(t *testing.T) {
	var want, got []string
	tree, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, "internal/fault/fault.go"), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(tree, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok {
			if kind, ok := v.Type.(*ast.Ident); ok && kind.Name == "Code" {
				want = append(want, v.Values[0].(*ast.BasicLit).Value)
			}
		}
		return true
	})
	for _, row := range rows(t, "README.md", `\d+`) {
		got = append(got, row[0])
	}
	if !slices.Equal(got, want) {
		t.Errorf("README.md has %q, internal/fault %q", got, want)
	}
}

// structs are the struct types of a folder's files, by name.
func structs(t testing.TB, folder string) map[string]*ast.StructType {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, folder, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]*ast.StructType{}
	for _, file := range files {
		tree, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			if spec, ok := n.(*ast.TypeSpec); ok {
				if s, ok := spec.Type.(*ast.StructType); ok {
					found[spec.Name.Name] = s
				}
			}
			return true
		})
	}
	return found
}

// configurationKeys are the dotted keys of the file's types in internal/config, from their tags.
// A section may be a type of its own, in a file of its own.
func configurationKeys(t testing.TB) []string {
	t.Helper()
	types := structs(t, "internal/config")
	var keys []string
	var walk func(prefix string, s *ast.StructType)
	walk = func(prefix string, s *ast.StructType) {
		for _, f := range s.Fields.List {
			raw, _ := strconv.Unquote(f.Tag.Value)
			key, option, _ := strings.Cut(reflect.StructTag(raw).Get("yaml"), ",")
			inner, isStruct := f.Type.(*ast.StructType)
			if named, ok := f.Type.(*ast.Ident); ok && types[named.Name] != nil && types[named.Name].Fields.List[0].Tag != nil {
				inner, isStruct = types[named.Name], true
			}
			switch {
			case option == "inline" && prefix == "": // fileSettings in fileRoot: walked on its own
			case option == "inline":
				walk(prefix, inner)
			case isStruct:
				walk(prefix+key+".", inner)
			default:
				keys = append(keys, prefix+key)
			}
		}
	}
	walk("", types["fileRoot"])
	walk("", types["fileSettings"])
	slices.Sort(keys)
	return keys
}

func TestTheReferenceHasEveryKeyOfTheConfiguration(t *testing.T) {
	_, section, _ := strings.Cut(read(t, "docs/configuration.md"), "| key | default | meaning |")
	section, _, _ = strings.Cut(section, "\n\n")
	var got []string
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z0-9_.]+)` \\|").FindAllStringSubmatch(section, -1) {
		got = append(got, m[1])
	}
	slices.Sort(got)
	if want := configurationKeys(t); !slices.Equal(got, want) {
		t.Errorf("docs/configuration.md has\n%q\ninternal/config\n%q", got, want)
	}
}

func TestEveryFileAndDirectiveOfTheUnitsIsExplained(t *testing.T) {
	files, err := systemd.Files(systemd.DefaultBinary)
	if err != nil {
		t.Fatal(err)
	}
	text := read(t, "docs/units.md")
	for _, f := range files {
		if len(rows(t, "docs/units.md", regexp.QuoteMeta("`"+f.Path+"`"))) != 1 {
			t.Errorf("%s is not in the table of files", f.Path)
		}
		for _, m := range regexp.MustCompile(`(?m)^([A-Z][A-Za-z]+)=`).FindAllStringSubmatch(f.Text, -1) {
			if !regexp.MustCompile(`\b` + m[1] + `=`).MatchString(text) {
				t.Errorf("%s of %s is not explained", m[1], f.Path)
			}
		}
	}
}

// requirement is one line of go.mod.
var requirement = regexp.MustCompile(`(?m)^(?:require )?\t?(\S+\.\S+/?\S*) v\S+( // indirect)?$`)

// eachImport calls see with every import below a folder of the repository: the importing folder and
// the path. Other modules inside the repository are left out.
func eachImport(t testing.TB, below string, see func(file, path string)) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(root, below), func(file string, d fs.DirEntry, err error) error {
		name := d.Name()
		if err != nil || d.IsDir() {
			if strings.HasPrefix(name, ".") && name != ".." || name == "versitygw" || name == "minio" || name == "tools" {
				return filepath.SkipDir
			}
			return err
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		tree, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		short, _ := filepath.Rel(root, file)
		for _, spec := range tree.Imports {
			path, _ := strconv.Unquote(spec.Path.Value)
			see(short, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// moduleOf is the module that a package belongs to: the longest whose path it begins with, or "".
func moduleOf(path string, modules []string) (best string) {
	for _, m := range modules {
		if (path == m || strings.HasPrefix(path, m+"/")) && len(m) > len(best) {
			best = m
		}
	}
	return best
}

func TestEveryDependencyHasItsReason(t *testing.T) {
	var modules, direct []string
	for _, m := range requirement.FindAllStringSubmatch(read(t, "go.mod"), -1) {
		modules = append(modules, m[1])
		if m[2] == "" {
			direct = append(direct, m[1])
		}
	}
	var documented []string
	for _, row := range rows(t, "docs/dependencies.md", "`.+`") {
		documented = append(documented, strings.Trim(row[0], "`"))
		if len(row) != 2 || len(row[1]) < 10 {
			t.Errorf("%s has no reason", row[0])
		}
	}
	imported := map[string]bool{}
	eachImport(t, ".", func(_, path string) { imported[moduleOf(path, modules)] = true })
	delete(imported, "")
	if want := slices.Sorted(maps.Keys(imported)); !slices.Equal(documented, want) {
		t.Errorf("docs/dependencies.md has\n%q\nthe source imports\n%q", documented, want)
	}
	for _, m := range direct {
		if !slices.Contains(documented, m) {
			t.Errorf("go.mod requires %s directly, and nothing imports it", m)
		}
	}
}

// importsOfPackages are, by folder, the packages of this module that each one's own source imports.
func importsOfPackages(t testing.TB) map[string]map[string]bool {
	t.Helper()
	const module = "codeberg.org/pgbtui/pgbtui/"
	found := map[string]map[string]bool{}
	for _, top := range []string{"cmd", "internal"} {
		eachImport(t, top, func(file, path string) {
			dir := filepath.Dir(file)
			if strings.HasSuffix(file, "_test.go") || strings.Contains(dir, "uitest") { // worlds for tests
				return
			}
			if found[dir] == nil {
				found[dir] = map[string]bool{}
			}
			if strings.HasPrefix(path, module) {
				found[dir][strings.TrimPrefix(path, module+"internal/")] = true
			}
		})
	}
	return found
}

func TestTheTableOfPackagesIsWhatTheyImport(t *testing.T) {
	want := importsOfPackages(t)
	got := map[string][]string{}
	for _, row := range rows(t, "docs/architecture.md", "`(cmd|internal)/.+`") {
		got[strings.Trim(row[0], "`")] = regexp.MustCompile("[a-z0-9/]+").FindAllString(strings.ReplaceAll(row[len(row)-1], "none", ""), -1)
	}
	for dir, imports := range want {
		list := slices.Sorted(maps.Keys(imports))
		if !slices.Equal(got[dir], list) {
			t.Errorf("docs/architecture.md: %s imports %s, not %s", dir, strings.Join(list, ", "), strings.Join(got[dir], ", "))
		}
		delete(got, dir)
	}
	for dir := range got {
		t.Errorf("docs/architecture.md: there is no package %s", dir)
	}
}
