package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

// A remedy is a sentence that says what to do: it begins with a capital, or with a command in back quotes, and ends
// with a full stop.
func TestRemediesAreSentences(t *testing.T) {
	tried := 0
	for _, folder := range []string{".", "../../internal/console", "../../internal/config", "../../internal/request"} {
		files, err := filepath.Glob(filepath.Join(folder, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatal(folder, err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			positions := token.NewFileSet()
			parsed, err := parser.ParseFile(positions, file, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(parsed, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok || !takesRemedy(call) {
					return true
				}
				first, last := ends(call.Args[2])
				tried++
				if wrong := notSentence(first, last); wrong != "" {
					t.Errorf("%s: the remedy %s: %q … %q", positions.Position(call.Pos()), wrong, first, last)
				}
				return true
			})
		}
	}
	if tried < 50 {
		t.Errorf("only %d remedies were found: this test does not see them any more", tried)
	}
}

// takesRemedy reports whether the third argument of a call is a remedy: fault.New and the loader's problem.
func takesRemedy(call *ast.CallExpr) bool {
	name, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || len(call.Args) < 4 {
		return false
	}
	from, ok := name.X.(*ast.Ident)
	return ok && (from.Name == "fault" && name.Sel.Name == "New" || name.Sel.Name == "problem")
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
