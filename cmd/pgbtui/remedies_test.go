package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

// A remedy is a sentence that says what to do: it begins with a capital, or with a command in back quotes, and ends
// with a full stop.
func TestRemediesAreSentences(t *testing.T) {
	tried := 0
	for _, file := range sources(t) {
		positions := token.NewFileSet()
		parsed, err := parser.ParseFile(positions, file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			for _, remedy := range remediesOf(n) {
				first, last := ends(remedy)
				tried++
				if wrong := notSentence(first, last); wrong != "" {
					t.Errorf("%s: the remedy %s: %q … %q", positions.Position(remedy.Pos()), wrong, first, last)
				}
			}
			return true
		})
	}
	if tried < 300 {
		t.Errorf("only %d remedies were found: this test does not see them any more", tried)
	}
}

// sources are the files of the program: cmd/pgbtui and internal, without tests.
func sources(t *testing.T) (files []string) {
	t.Helper()
	for _, top := range []string{".", "../../internal"} {
		err := filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
			if err == nil && strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") {
				files = append(files, path)
			}
			return err
		})
		files = slices.DeleteFunc(files, func(path string) bool { return strings.HasSuffix(path, "ui/health.go") }) // hints of keys
		if err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// remediesOf are the remedies that a node has: the third argument of fault.New and of the loader's problem, what is
// given to a field, constant or variable that is called remedy, and what a function of that name returns.
func remediesOf(n ast.Node) (remedies []ast.Expr) {
	switch n := n.(type) {
	case *ast.CallExpr:
		name, ok := n.Fun.(*ast.SelectorExpr)
		if !ok || len(n.Args) < 4 {
			return nil
		}
		from, ok := name.X.(*ast.Ident)
		if ok && (from.Name == "fault" && name.Sel.Name == "New" || name.Sel.Name == "problem") {
			return []ast.Expr{n.Args[2]}
		}
	case *ast.KeyValueExpr:
		if isRemedy(n.Key) {
			return []ast.Expr{n.Value}
		}
	case *ast.ValueSpec:
		for i, value := range n.Values {
			if isRemedy(n.Names[i]) {
				remedies = append(remedies, value)
			}
		}
	case *ast.AssignStmt:
		for i, value := range n.Rhs {
			if len(n.Lhs) == len(n.Rhs) && n.Tok != token.ADD_ASSIGN && isRemedy(n.Lhs[i]) {
				remedies = append(remedies, value)
			}
		}
	case *ast.FuncDecl:
		if isRemedy(n.Name) && n.Body != nil {
			ast.Inspect(n.Body, func(inner ast.Node) bool {
				if r, ok := inner.(*ast.ReturnStmt); ok && len(r.Results) == 1 {
					remedies = append(remedies, r.Results[0])
				}
				return true
			})
		}
	}
	return remedies
}

// isRemedy reports whether a name begins or ends with the word.
func isRemedy(name ast.Expr) bool {
	id, ok := name.(*ast.Ident)
	if !ok {
		return false
	}
	word := strings.ToLower(id.Name)
	return strings.HasPrefix(word, "remedy") || strings.HasSuffix(word, "remedy")
}

// ends are the literal texts that an expression begins and ends with; "" where it is none.
func ends(e ast.Expr) (first, last string) {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, _ := strconv.Unquote(e.Value)
		return text, text
	case *ast.BinaryExpr:
		first, _ = ends(e.X)
		_, last = ends(e.Y)
	case *ast.CallExpr: // fmt.Sprintf, whose first argument is the text
		if name, ok := e.Fun.(*ast.SelectorExpr); ok && name.Sel.Name == "Sprintf" {
			return ends(e.Args[0])
		}
	}
	return first, last
}

func notSentence(first, last string) string {
	if begin := []rune(first); len(begin) > 0 && !unicode.IsUpper(begin[0]) && begin[0] != '`' {
		return "does not begin with a capital"
	}
	if last != "" && !strings.HasSuffix(last, ".") {
		return "does not end with a full stop"
	}
	return ""
}
