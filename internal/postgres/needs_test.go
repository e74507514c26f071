package postgres

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"codeberg.org/pgbtui/pgbtui/test/pgtest"
)

func TestMissingNamesOnlyWhatTheServerLacks(t *testing.T) {
	c := connect(t, target(pgtest.Shared(t), "postgres"))
	got, err := c.Missing(t.Context(), Needs{
		Roles:       []string{"postgres", `no "body`},
		Tablespaces: []string{"pg_default", "far"},
		Extensions:  []string{"plpgsql", "no_such_extension"},
	})
	want := Needs{Roles: []string{`no "body`}, Tablespaces: []string{"far"}, Extensions: []string{"no_such_extension"}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
}

func TestDatabasesAreThoseThatTakeConnections(t *testing.T) {
	s := pgtest.Shared(t)
	db := s.CreateDatabase(t)
	names, err := connect(t, target(s, db)).Databases(t.Context())
	if err != nil || !slices.Contains(names, db) || slices.Contains(names, "template0") || !slices.IsSorted(names) {
		t.Errorf("%q, %v", names, err)
	}
	tables, err := connect(t, target(s, db)).ExtensionTables(t.Context())
	if err != nil || len(tables) != 0 {
		t.Errorf("%v, %v", tables, err)
	}
}
