package event

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"
)

func TestEveryEventHasAnIDOfItsOwn(t *testing.T) {
	ids := map[string]bool{}
	names := map[string]bool{}
	for _, e := range All() {
		if len(e.ID) != 32 || strings.Trim(e.ID, "0123456789abcdef") != "" {
			t.Errorf("%s: id %q is not 32 hex digits", e.Name, e.ID)
		}
		if ids[e.ID] || names[e.Name] || e.Meaning == "" {
			t.Errorf("%s: id or name twice, or no meaning", e.Name)
		}
		ids[e.ID] = true
		names[e.Name] = true
		if MessageID(e.Name) != e.ID || Name(e.ID) != e.Name {
			t.Errorf("%s does not lead to its id and back", e.Name)
		}
	}
	if MessageID("") != "" || Name("") != "" {
		t.Error("nothing has an event")
	}
}

func TestEveryNameIsInTheCatalogue(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "event.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 {
			return true
		}
		if literal, ok := spec.Values[0].(*ast.BasicLit); ok {
			name, _ := strconv.Unquote(literal.Value)
			found++
			if MessageID(name) == "" {
				t.Errorf("%s = %q is not in the catalogue", spec.Names[0].Name, name)
			}
		}
		return true
	})
	if found != len(All()) {
		t.Errorf("%d names, and %d events in the catalogue", found, len(All()))
	}
}
