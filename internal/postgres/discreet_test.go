package postgres

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestAnErrorRepeatsNoRow(t *testing.T) {
	entry := "pg_restore: from TOC entry 3370; 0 16409 TABLE DATA account postgres"
	for name, c := range map[string]struct {
		program string
		lines   []string
		keeps   []string
	}{
		"a row that a constraint refuses": {"pg_restore", []string{
			"pg_restore: while PROCESSING TOC:", entry,
			`pg_restore: error: COPY failed for table "account": ERROR:  new row for relation "account" violates check constraint "kind_is_known"`,
			"DETAIL:  Failing row contains (1, CANARY).", `CONTEXT:  COPY account, line 1: "1	CANARY"`,
		}, []string{"TABLE DATA account", `violates check constraint "kind_is_known"`}},
		"a value that is no number": {"pg_restore", []string{
			`pg_restore: error: COPY failed for table "t": ERROR:  invalid input syntax for type integer: "CANARY"`,
		}, []string{`COPY failed for table "t"`, "invalid input syntax for type integer"}},
		"what a function says": {"pg_restore", []string{
			"pg_restore: error: could not execute query: ERROR:  customer CANARY owes money", "Command was: CREATE INDEX i ON t (f('CANARY'));",
		}, []string{"could not execute query"}},
		"a message of two lines": {"pg_restore", []string{
			`pg_restore: error: could not execute query: ERROR:  relation "known" does not exist`, "CANARY", `QUERY:  SELECT 'CANARY'`,
		}, []string{`relation "known" does not exist`}},
		"a duplicate": {"pg_restore", []string{
			`pg_restore: error: could not execute query: ERROR:  could not create unique index "users_name"`, "DETAIL:  Key (name)=(CANARY) is duplicated.",
		}, []string{`could not create unique index "users_name"`}},
		"another language": {"pg_restore", []string{`pg_restore: error: could not execute query: FEHLER:  ungültig: »CANARY«`}, []string{"could not execute query"}},
		"what pg_dump ran": {"pg_dump", []string{
			`pg_dump: error: query failed: ERROR:  permission denied for table t`, `pg_dump: detail: Query was: LOCK TABLE public.t IN ACCESS SHARE MODE`,
			`pg_dump: detail: Command was: COPY (SELECT 'CANARY')`, "CONTEXT:  CANARY",
		}, []string{"permission denied for table t"}},
		"a loader": {"pg_restore", []string{"error while loading shared libraries: libpq.so.5"}, []string{"libpq.so.5"}},
	} {
		err := (&ExitError{Program: c.program, Lines: c.lines, Err: errors.New("exit status 1")}).Error()
		if strings.Contains(err, "CANARY") {
			t.Errorf("%s: a row is repeated: %s", name, err)
		}
		for _, keep := range c.keeps {
			if !strings.Contains(err, keep) {
				t.Errorf("%s: %q is not told: %s", name, keep, err)
			}
		}
	}
}

func TestAnErrorThatAnOlderVersionWroteDownRepeatsNoRow(t *testing.T) {
	const (
		load = "drill: the dump does not restore: postgres: restore: pg_restore: exit status 1: pg_restore: error: "
		ask  = "drill: expectation 1 (SELECT f()): postgres: ask: ERROR: "
	)
	for name, c := range map[string]struct {
		text string
		want string
	}{
		"a row that a constraint refuses": {
			text: load + `COPY failed for table "t": ERROR:  new row for relation "t" violates check constraint "c"; ` +
				`DETAIL:  Failing row contains (1, CANARY).; CONTEXT:  COPY t, line 1: "1 CANARY"`,
			want: load + `COPY failed for table "t": ERROR:  new row for relation "t" violates check constraint "c"`,
		},
		"another language": {
			text: load + `could not execute query: FEHLER:  doppelt; DETAIL:  (name)=(CANARY)`,
			want: load + `could not execute query: FEHLER:  ` + withheld,
		},
		"a value that is no number": {
			text: ask + `invalid input syntax for type integer: "CANARY" (SQLSTATE 22P02)`,
			want: ask + `invalid input syntax for type integer (SQLSTATE 22P02)`,
		},
		"what a function says": {
			text: ask + "CANARY\nCANARY (SQLSTATE P0001)",
			want: ask + withheld + " (SQLSTATE P0001)",
		},
		"an error of no server at all": {
			text: "backup: dump: stored bytes differ",
			want: "backup: dump: stored bytes differ",
		},
	} {
		if got := WithoutRows(c.text); got != c.want {
			t.Errorf("%s: %s\nis told as %s", name, c.text, got)
		}
	}
}

func TestTheObjectThatCouldNotBeRestoredIsNamed(t *testing.T) {
	for line, want := range map[string]string{
		"pg_restore: from TOC entry 3370; 0 16409 TABLE DATA account postgres":        "TABLE DATA account",
		"pg_restore: from TOC entry 231; 1255 16400 FUNCTION skeys(public.hstore) me": "FUNCTION skeys(public.hstore)",
		"pg_restore: from TOC entry 2; 3079 16385 EXTENSION hstore -":                 "EXTENSION hstore",
		"pg_restore: from TOC entry 2; 3079 16385 EXTENSION hstore (no owner)":        "EXTENSION hstore",
	} {
		e := ExitError{Lines: []string{"pg_restore: while PROCESSING TOC:", line, "pg_restore: error: x"}}
		if got := e.Objects(); !slices.Equal(got, []string{want}) {
			t.Errorf("%s: %q", line, got)
		}
	}
}

func TestTheObjectIsKnownBehindALongStatement(t *testing.T) {
	entry, first := "pg_restore: from TOC entry 231; 1255 16400 VIEW v me", `pg_restore: error: could not execute query: ERROR:  relation "v" already exists`
	var kept tail
	kept.done = make(chan struct{})
	close(kept.done)
	kept.read(strings.NewReader(entry+"\n"+first+"\n"+strings.Repeat("SELECT\n", 3*keptLines)), nil)
	e := &ExitError{Program: "pg_restore", Lines: kept.wait(), Err: errors.New("x")}
	if !slices.Equal(e.Objects(), []string{"VIEW v"}) || !e.AlreadyExists() || len(e.Lines) > keptLines {
		t.Errorf("%q", e.Lines)
	}
}
