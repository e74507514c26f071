package console

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/journal"
)

// Package backup knows no journal and package journal knows no backup: their two lists of event
// names meet here.
func TestEveryEventOfARunHasAMessageID(t *testing.T) {
	files, err := parser.ParseDir(token.NewFileSet(), "../backup", nil, 0) //nolint:staticcheck // constants only: no build tags matter
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	ast.Inspect(files["backup"], func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || !strings.HasPrefix(spec.Names[0].Name, "Event") || len(spec.Values) != 1 {
			return true
		}
		if literal, ok := spec.Values[0].(*ast.BasicLit); ok {
			name, _ := strconv.Unquote(literal.Value)
			found++
			if journal.MessageID(name) == "" {
				t.Errorf("%s = %q has no MESSAGE_ID in package journal", spec.Names[0].Name, name)
			}
		}
		return true
	})
	if found < 10 {
		t.Fatalf("only %d event constants were found", found)
	}
}
