package archive

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"codeberg.org/pgbtui/pgbtui/test/pgtest"
)

// repeated is an archive of two tables with its table of contents behind the data once more, as edit leaves it.
func repeated(edit func(*builder)) []byte {
	const tables = 2
	head := newBuilder(16, tables)
	size := head.Len()
	toc := func(b *builder) {
		b.table(1, "a")
		b.table(2, "b")
	}
	toc(head)
	head.block(1, "1\n", "\\.\n", "\n", "\n")
	head.block(2, "2\n", "\\.\n", "\n", "\n")
	again := newBuilder(16, tables)
	toc(again)
	again.Next(size - 1 - again.intSize) // the header, but for the number of entries
	if edit != nil {
		edit(again)
	}
	return append(head.Bytes(), again.Bytes()...)
}

func TestATableOfContentsThatComesTwiceIsReadOnce(t *testing.T) {
	raw := repeated(nil)
	for _, step := range []int{1, 7, len(raw)} {
		s := NewScanner(Options{})
		for part := range slices.Chunk(raw, step) {
			_, _ = s.Write(part)
		}
		a, err := s.Close()
		if err != nil || len(a.Entries) != 2 || len(a.Data) != 2 || a.Bytes != int64(len(raw)) {
			t.Errorf("by %d bytes: %+v, %v", step, a, err)
		}
	}
}

func TestNothingElseMayFollowTheData(t *testing.T) {
	for name, c := range map[string]struct {
		edit func(*builder)
		want error
	}{
		"a byte more":           {func(b *builder) { b.WriteByte(0) }, ErrTruncated},
		"a third table":         {func(b *builder) { b.Write(b.Bytes()) }, ErrCorrupt},
		"cut":                   {func(b *builder) { b.Truncate(b.Len() - 1) }, ErrTruncated},
		"another name":          {func(b *builder) { b.Bytes()[bytes.LastIndexByte(b.Bytes(), 'b')] = 'c' }, ErrCorrupt},
		"another number":        {func(b *builder) { b.Bytes()[1]++ }, ErrCorrupt},
		"a block after it":      {func(b *builder) { b.block(1, "1\n") }, ErrCorrupt},
		"another id of a table": {func(b *builder) { b.Bytes()[1+b.intSize+1]++ }, ErrCorrupt},
	} {
		if _, err := scan(repeated(c.edit)); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestADumpThatAShellWroteIntoAFileIsRead(t *testing.T) {
	pg := pgtest.Shared(t)
	db := pg.CreateDatabase(t)
	pg.Exec(t, db, "CREATE TABLE t AS SELECT i FROM generate_series(1, 1000) AS i; CREATE INDEX ON t (i)")
	file := filepath.Join(t.TempDir(), "dump")
	cmd := exec.CommandContext(t.Context(), "sh", "-c", strconv.Quote(filepath.Join(pg.BinDir, "pg_dump"))+" -Fc -Z0 >"+strconv.Quote(file))
	cmd.Env = append(os.Environ(), pg.Env(db)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if a, err := scan(raw); err != nil || a.Tables()[0].Rows != 1000 {
		t.Errorf("%d bytes: %v", len(raw), err)
	}
}
