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

// Nobody is told of a database postgres that every server has; one that somebody uses has to be backed up.
func TestADatabaseIsEmptyUntilSomebodyKeepsSomethingThere(t *testing.T) {
	pg := pgtest.Start(t)
	s := connect(t, target(pg, "postgres"))
	for _, c := range []struct {
		sql   string
		empty bool
	}{
		{sql: "SELECT 1", empty: true},
		{sql: "CREATE EXTENSION pgcrypto", empty: true},
		{sql: "CREATE EXTENSION pg_stat_statements", empty: true},
		{sql: "CREATE TABLE notes (a text)"},
		{sql: "DROP TABLE notes", empty: true},
		{sql: "CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1'"},
		{sql: "DROP FUNCTION one()", empty: true},
		{sql: "CREATE VIEW seen AS SELECT 1"},
		{sql: "DROP VIEW seen", empty: true},
		{sql: "UPDATE pg_extension SET extconfig = '{1}' WHERE extname = 'pgcrypto'"}, // as one with tables of its own
	} {
		pg.Exec(t, "postgres", c.sql)
		if empty, err := s.Empty(t.Context()); err != nil || empty != c.empty {
			t.Errorf("after %s: empty %t, %v", c.sql, empty, err)
		}
	}
	if id, err := s.SystemIdentifier(t.Context()); err != nil || len(id) < 10 {
		t.Errorf("%q, %v", id, err)
	}
}
