package postgres

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/test/pgtest"
)

const content = `CREATE TABLE items (id int PRIMARY KEY, note text);
	INSERT INTO items SELECT i, 'note ' || i FROM generate_series(1, 1000) AS i;
	CREATE INDEX ON items (note);
	CREATE TABLE parts (id int, day date) PARTITION BY RANGE (day);
	CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
	INSERT INTO parts SELECT i, '2026-01-05' FROM generate_series(1, 7) AS i;
	CREATE TABLE base (i int); CREATE TABLE derived () INHERITS (base);
	INSERT INTO base VALUES (1); INSERT INTO derived VALUES (2), (3);
	CREATE SCHEMA "odd ""schema"; CREATE TABLE "odd ""schema"."t.1" AS SELECT 1 AS i;
	SELECT lo_from_bytea(0, 'large')`

// wanted are content's rows, table by table.
var wanted = map[Table]int64{
	{"public", "items"}: 1000, {"public", "parts"}: 0, {"public", "parts_1"}: 7,
	{"public", "base"}: 1, {"public", "derived"}: 2, {`odd "schema`, "t.1"}: 1,
}

func wantContent(t *testing.T, s *pgtest.Server, db string) {
	t.Helper()
	var tables []Table
	for table := range wanted {
		tables = append(tables, table)
	}
	counts, err := connect(t, target(s, db)).RowCounts(t.Context(), tables)
	if err != nil {
		t.Fatal(err)
	}
	for table, n := range wanted {
		if counts[table] != n {
			t.Errorf("%v has %d rows, want %d", table, counts[table], n)
		}
	}
	if s.QueryInt(t, db, "SELECT count(*) FROM pg_largeobject_metadata") != 1 {
		t.Error("the large object is missing")
	}
}

func TestHostileNamesAreConnectedToDumpedAndRestoredLiterally(t *testing.T) {
	s := pgtest.Shared(t)
	tools := tools(t, s)
	before := s.QueryInt(t, "template1", "SELECT count(*) FROM pg_class")
	for _, name := range s.Names(t, hostileNames) {
		t.Run(name, func(t *testing.T) {
			s.CreateDatabaseNamed(t, name)
			if f, err := connect(t, target(s, name)).Facts(t.Context()); err != nil || f.Database != name {
				t.Errorf("connected to %q: %v", f.Database, err)
			}
			s.Exec(t, name, content)
			archive := dump(t, s, name)
			file := filepath.Join(t.TempDir(), "-f archive")
			if err := os.WriteFile(file, archive, 0o600); err != nil {
				t.Fatal(err)
			}
			for _, o := range []RestoreOptions{{}, {Jobs: 2, File: file}} {
				s.DropDatabase(t, name)
				if err := connect(t, target(s, "postgres")).CreateDatabase(t.Context(), name, Settings{}); err != nil {
					t.Fatal(err)
				}
				if err := tools.Restore(t.Context(), target(s, name), o, bytes.NewReader(archive)); err != nil {
					t.Fatalf("jobs %d: %v", o.Jobs, err)
				}
				wantContent(t, s, name)
			}
		})
	}
	if after := s.QueryInt(t, "template1", "SELECT count(*) FROM pg_class"); after != before {
		t.Errorf("something was restored into template1: %d relations, were %d", after, before)
	}
}

func TestRestoreReportsTheInputsOwnError(t *testing.T) {
	s := pgtest.Shared(t)
	source, copied := s.CreateDatabase(t), s.CreateDatabase(t)
	bulky(t, s, source)
	archive := dump(t, s, source)
	leaks := goleak.IgnoreCurrent()
	broken := fault.New(fault.Unavailable, "s3: connection reset", "", nil)
	err := tools(t, s).Restore(t.Context(), target(s, copied), RestoreOptions{},
		io.MultiReader(bytes.NewReader(archive[:len(archive)/2]), failing{broken}))
	if !errors.Is(err, broken) {
		t.Errorf("err = %v", err)
	}
	err = tools(t, s).Decode(t.Context(), io.MultiReader(bytes.NewReader(archive), failing{broken}))
	if !errors.Is(err, broken) {
		t.Errorf("an error after the archive's end was not noticed: %v", err)
	}
	goleak.VerifyNone(t, leaks)
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestRestoreReadsItsInputToTheEnd(t *testing.T) {
	s := pgtest.Shared(t)
	source, copied := s.CreateDatabase(t), s.CreateDatabase(t)
	s.Exec(t, source, content)
	in := io.MultiReader(bytes.NewReader(dump(t, s, source)), strings.NewReader(strings.Repeat("x", 1<<20)))
	if err := tools(t, s).Restore(t.Context(), target(s, copied), RestoreOptions{}, in); err != nil {
		t.Fatal(err)
	}
	if n, err := in.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("a checking reader would not have seen the end: %d, %v", n, err)
	}
}

func TestDamagedArchivesAreIntegrityErrors(t *testing.T) {
	s := pgtest.Shared(t)
	source, copied := s.CreateDatabase(t), s.CreateDatabase(t)
	s.Exec(t, source, content)
	archive := dump(t, s, source)
	tools := tools(t, s)
	if err := tools.Decode(t.Context(), bytes.NewReader(archive)); err != nil {
		t.Fatal(err)
	}
	for _, length := range []int{0, 3, 100, len(archive) / 3, len(archive) / 2, len(archive) - 1} {
		wantCode(t, tools.Decode(t.Context(), bytes.NewReader(archive[:length])), fault.Integrity)
	}
	wantCode(t, tools.Decode(t.Context(), strings.NewReader("not an archive at all")), fault.Integrity)
	wantCode(t, tools.Restore(t.Context(), target(s, copied), RestoreOptions{}, bytes.NewReader(archive[:len(archive)/2])), fault.Integrity)
}

func TestListReadsOnlyTheHead(t *testing.T) {
	s := pgtest.Shared(t)
	db := s.CreateDatabase(t)
	s.Exec(t, db, content)
	lines, err := tools(t, s).List(t.Context(), bytes.NewReader(dump(t, s, db)))
	if err != nil || !strings.Contains(strings.Join(lines, "\n"), "TABLE DATA public items") {
		t.Errorf("%q, %v", lines, err)
	}
	_, err = tools(t, s).List(t.Context(), strings.NewReader("x"))
	wantCode(t, err, fault.Integrity)
}

func TestRestoreStopsAtTheFirstErrorAndSaysWhatIsMissing(t *testing.T) {
	s := pgtest.Shared(t)
	source, tools := s.CreateDatabase(t), tools(t, s)
	s.Exec(t, "postgres", "CREATE ROLE lost_owner")
	s.Exec(t, source, "CREATE TABLE a (i int); ALTER TABLE a OWNER TO lost_owner")
	archive := dump(t, s, source)
	s.DropDatabase(t, source)
	s.Exec(t, "postgres", "DROP ROLE lost_owner")

	restore := func(o RestoreOptions) error {
		db := s.CreateDatabase(t)
		s.Exec(t, db, "CREATE TABLE other (i int)")
		return tools.Restore(t.Context(), target(s, db), o, bytes.NewReader(archive))
	}
	wantCode(t, restore(RestoreOptions{}), fault.Refused)
	if err := restore(RestoreOptions{NoOwner: true, NoACL: true, NoTablespaces: true}); err != nil {
		t.Error(err)
	}
	full := s.CreateDatabase(t)
	s.Exec(t, full, "CREATE TABLE a (i int)")
	wantCode(t, tools.Restore(t.Context(), target(s, full), RestoreOptions{NoOwner: true}, bytes.NewReader(archive)), fault.Refused)
	wantCode(t, tools.Restore(t.Context(), target(s, "missing"), RestoreOptions{}, bytes.NewReader(archive)), fault.NotFound)
	wantCode(t, tools.Restore(t.Context(), target(s, ""), RestoreOptions{}, nil), fault.Usage)
	wantCode(t, tools.Restore(t.Context(), target(s, full), RestoreOptions{Jobs: 2}, bytes.NewReader(archive)), fault.Usage)
}

func TestRestoreOfPartsOnly(t *testing.T) {
	s := pgtest.Shared(t)
	source, copied, tools := s.CreateDatabase(t), s.CreateDatabase(t), tools(t, s)
	s.Exec(t, source, "CREATE TABLE a AS SELECT 1 AS i; CREATE TABLE b AS SELECT 1 AS i")
	archive := dump(t, s, source)
	if err := tools.Restore(t.Context(), target(s, copied), RestoreOptions{SchemaOnly: true}, bytes.NewReader(archive)); err != nil {
		t.Fatal(err)
	}
	lines, err := tools.List(t.Context(), bytes.NewReader(archive))
	if err != nil {
		t.Fatal(err)
	}
	o := RestoreOptions{DataOnly: true, Entries: []int{}}
	for _, line := range lines {
		if id, entry, ok := listedEntry(line); ok && strings.HasPrefix(entry, "TABLE DATA public b ") {
			o.Entries = append(o.Entries, id)
		}
	}
	if err := tools.Restore(t.Context(), target(s, copied), o, bytes.NewReader(archive)); err != nil {
		t.Fatal(err)
	}
	a, b := s.QueryInt(t, copied, "SELECT count(*) FROM a"), s.QueryInt(t, copied, "SELECT count(*) FROM b")
	if a != 0 || b != 1 {
		t.Errorf("rows of a and b: %d, %d", a, b)
	}
}

func TestRowCountsFailRatherThanCountHalf(t *testing.T) {
	s := pgtest.Shared(t)
	db, reader := s.CreateDatabase(t), role(t, s, "IN ROLE pg_read_all_data")
	s.Exec(t, db, "CREATE TABLE a (i int); ALTER TABLE a ENABLE ROW LEVEL SECURITY")
	to := target(s, db)
	to.User = reader
	c := connect(t, to)
	if counts, err := c.RowCounts(t.Context(), []Table{{"public", "a"}}); err == nil {
		t.Errorf("rows behind row security were counted: %v", counts)
	}
	if _, err := c.RowCounts(t.Context(), []Table{{"public", "missing"}}); err == nil {
		t.Error("a missing table was counted")
	}
	if _, err := c.RowCounts(t.Context(), nil); err != nil {
		t.Errorf("the session is stuck in a failed transaction: %v", err)
	}
	if err := c.Analyze(t.Context()); err != nil {
		t.Error(err)
	}
}

// stalled gives the beginning of an archive, runs then, and gives nothing more until the context ends.
type stalled struct {
	ctx  context.Context
	head io.Reader
	then func()
}

func (s *stalled) Read(b []byte) (int, error) {
	if n, err := s.head.Read(b); err == nil {
		return n, nil
	}
	s.then()
	<-s.ctx.Done()
	return 0, context.Cause(s.ctx)
}

func TestACancelledRestoreLeavesNoProcessAndNoBackend(t *testing.T) {
	s := pgtest.Shared(t)
	source, copied := s.CreateDatabase(t), s.CreateDatabase(t)
	bulky(t, s, source)
	archive := dump(t, s, source)
	leaks := goleak.IgnoreCurrent()
	why := fault.New(fault.Terminated, "told to stop", "", nil)
	ctx, cancel := context.WithCancelCause(t.Context())
	in := &stalled{ctx: ctx, head: bytes.NewReader(archive[:len(archive)/2]), then: func() { cancel(why) }}
	err := tools(t, s).Restore(ctx, target(s, copied), RestoreOptions{}, in)
	if !errors.Is(err, why) {
		t.Errorf("err = %v", err)
	}
	goleak.VerifyNone(t, leaks)
	gone(t, s, copied)
}

func TestARestoreWhoseBackendDiesIsUnavailable(t *testing.T) {
	s := pgtest.Shared(t)
	source, copied := s.CreateDatabase(t), s.CreateDatabase(t)
	bulky(t, s, source)
	archive := dump(t, s, source)
	half := len(archive) / 2
	in := io.MultiReader(bytes.NewReader(archive[:half]), &once{do: func() {
		s.QueryInt(t, "postgres", "SELECT count(pg_terminate_backend(pid, 0)) FROM pg_stat_activity WHERE datname = $1", copied)
	}}, bytes.NewReader(archive[half:]))
	wantCode(t, tools(t, s).Restore(t.Context(), target(s, copied), RestoreOptions{}, in), fault.Unavailable)
}

// once is an empty reader that does something when it is asked.
type once struct{ do func() }

func (o *once) Read([]byte) (int, error) {
	o.do()
	return 0, io.EOF
}
