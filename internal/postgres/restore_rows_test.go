package postgres

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres/archive"
	"codeberg.org/pgbtui/pgbtui/test/pgtest"
)

// restoreWay restores a whole archive with four sessions.
type restoreWay func(t *testing.T, s *pgtest.Server, dumped []byte, to string)

// wayOf is each of the two ways in turn.
func wayOf(i int) restoreWay {
	if i%2 == 0 {
		return fromFile
	}
	return fromHead
}

func fromFile(t *testing.T, s *pgtest.Server, dumped []byte, to string) {
	t.Helper()
	o := RestoreOptions{Jobs: 4, File: archiveFile(t, dumped)}
	if err := tools(t, s).Restore(t.Context(), target(s, to), o, nil); err != nil {
		t.Fatal("from a file:", err)
	}
}

func fromHead(t *testing.T, s *pgtest.Server, dumped []byte, to string) {
	t.Helper()
	o := headOf(t, dumped, func(_ context.Context, stream io.Reader) io.Reader { return stream })
	if err := tools(t, s).Restore(t.Context(), target(s, to), o, nil); err != nil {
		t.Fatal("from the head and pipes:", err)
	}
}

func archiveFile(t *testing.T, dumped []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "dump.pgc")
	if err := os.WriteFile(file, dumped, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// headOf has the head in a file, and each block of rows as a batch of its own, the last block first.
func headOf(t *testing.T, dumped []byte, through func(context.Context, io.Reader) io.Reader) RestoreOptions {
	t.Helper()
	scanner := archive.NewScanner(archive.Options{})
	if _, err := scanner.Write(dumped); err != nil {
		t.Fatal(err)
	}
	whole, err := scanner.Close()
	if err != nil {
		t.Fatal(err)
	}
	has := map[int]bool{}
	for _, id := range whole.RowEntries() {
		has[id] = true
	}
	batch := func(ids []int) Batch {
		return Batch{Entries: ids, Open: func(ctx context.Context) (io.ReadCloser, error) {
			return io.NopCloser(through(ctx, archive.Subset(bytes.NewReader(dumped), whole, ids))), nil
		}}
	}
	return RestoreOptions{Jobs: 4, File: archiveFile(t, dumped[:whole.HeadBytes]), Rows: &Rows{
		Has:      func(id int) bool { return has[id] },
		Together: batch,
		Shared: func(ids []int) func() (Batch, bool) {
			var one sync.Mutex
			return func() (Batch, bool) {
				one.Lock()
				defer one.Unlock()
				if len(ids) == 0 {
					return Batch{}, false
				}
				last := ids[len(ids)-1]
				ids = ids[:len(ids)-1]
				return batch([]int{last}), true
			}
		},
		Alive: func() func() { return func() {} },
	}}
}

const unlike = `
	CREATE TABLE a AS SELECT generate_series(1, 2000) AS i; CREATE TABLE b AS TABLE a; CREATE TABLE c AS TABLE a; CREATE TABLE empty (i int);
	ALTER TABLE a ADD PRIMARY KEY (i); ALTER TABLE b ADD FOREIGN KEY (i) REFERENCES a;
	CREATE SEQUENCE numbers; SELECT setval('numbers', 77);
	CREATE MATERIALIZED VIEW stored AS SELECT count(*) FROM a;
	SELECT lo_from_bytea(0, 'large'), lo_from_bytea(0, 'object')`

func TestRowsThroughPipesMakeTheSameDatabaseAsAFile(t *testing.T) {
	s := pgtest.Shared(t)
	source, copied := s.CreateDatabase(t), s.CreateDatabase(t)
	s.Exec(t, source, unlike)
	fromHead(t, s, dump(t, s, source), copied)
	for _, query := range []string{
		"SELECT count(*) FROM a", "SELECT count(*) FROM b", "SELECT count(*) FROM c", "SELECT count(*) FROM empty",
		"SELECT last_value FROM numbers", "SELECT count FROM stored", "SELECT count(*) FROM pg_constraint WHERE conrelid > 16383",
		"SELECT sum(length(lo_get(oid))) FROM pg_largeobject_metadata",
	} {
		if was, is := s.QueryInt(t, source, query), s.QueryInt(t, copied, query); was != is {
			t.Errorf("%s: %d, in the source %d", query, is, was)
		}
	}
}

// One session's source breaks while the others wait for bytes that never come: they must not be waited for.
func TestASessionThatFailsEndsTheOthers(t *testing.T) {
	s := pgtest.Shared(t)
	source, copied := s.CreateDatabase(t), s.CreateDatabase(t)
	s.Exec(t, source, unlike)
	gone := fault.New(fault.Unavailable, "the store is gone", "", nil)
	var opened sync.Once
	broken := errors.New("nobody broke")
	o := headOf(t, dump(t, s, source), func(ctx context.Context, _ io.Reader) io.Reader {
		first := false
		opened.Do(func() { first = true })
		return readFunc(func([]byte) (int, error) {
			if first {
				time.Sleep(200 * time.Millisecond) // the others wait by then
				broken = gone
				return 0, gone
			}
			<-ctx.Done()
			return 0, context.Cause(ctx)
		})
	})
	err := tools(t, s).Restore(t.Context(), target(s, copied), o, nil)
	if !errors.Is(err, broken) || fault.CodeOf(err) != fault.Unavailable {
		t.Errorf("%v", err)
	}
	if n := s.QueryInt(t, copied, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"); n != 0 {
		t.Errorf("%d sessions are left", n)
	}
}

type readFunc func([]byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }
