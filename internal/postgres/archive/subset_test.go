package archive

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// restore pipes a subset into pg_restore.
func (l liveDatabase) restore(t *testing.T, db string, subset io.Reader, args ...string) {
	t.Helper()
	piped, err := io.ReadAll(subset)
	if err != nil {
		t.Fatal(err)
	}
	l.run(t, db, piped, "pg_restore", append([]string{"--exit-on-error", "-d", db}, args...)...)
}

// checkSubset restores each table alone, and asserts that it came and that no other did.
func checkSubset(t *testing.T, live liveDatabase, raw []byte, a *Archive) {
	db := live.server.CreateDatabase(t)
	live.restore(t, db, bytes.NewReader(live.dump(t, "--section=pre-data")))
	var done int64
	for _, table := range a.Tables() {
		subset := Subset(bytes.NewReader(raw), a, []int{table.DumpID})
		live.restore(t, db, subset, "--data-only", "-n", table.Schema, "-t", table.Name)
		if n := live.count(t, db, table); n != table.Rows {
			t.Errorf("%s.%s has %d rows after the restore, want %d", table.Schema, table.Name, n, table.Rows)
		}
		done += table.Rows
		var all int64
		for _, other := range a.Tables() {
			all += live.count(t, db, other)
		}
		if all != done {
			t.Fatalf("after %s.%s there are %d rows in all, want %d", table.Schema, table.Name, all, done)
		}
	}
}

// checkSubsetBlobs restores the large objects' data alone, chosen by a list file.
func checkSubsetBlobs(t *testing.T, live liveDatabase, raw []byte, a *Archive) {
	db := live.server.CreateDatabase(t)
	live.restore(t, db, bytes.NewReader(live.dump(t, "--section=pre-data")))
	const contents = `SELECT count(*) || ' ' || coalesce(md5(string_agg(oid || ':' || md5(lo_get(oid)), ',' ORDER BY oid)), '') FROM pg_largeobject_metadata`
	want := live.server.QueryString(t, live.name, contents)
	if got := live.server.QueryString(t, db, contents); got == want {
		t.Fatal("the large objects are there before their data is restored")
	}
	var ids []int
	var list bytes.Buffer
	for _, e := range a.Entries {
		if e.Desc == "BLOB METADATA" && e.Section == "data" { // from 17 on
			fmt.Fprintf(&list, "%d;\n", e.DumpID)
		}
	}
	for _, d := range a.Data {
		if d.Blobs {
			ids = append(ids, d.DumpID)
			fmt.Fprintf(&list, "%d;\n", d.DumpID)
		}
	}
	file := filepath.Join(t.TempDir(), "list")
	if err := os.WriteFile(file, list.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	live.restore(t, db, Subset(bytes.NewReader(raw), a, ids), "-L", file)
	if got := live.server.QueryString(t, db, contents); got != want {
		t.Errorf("large objects are %s, want %s", got, want)
	}
}

func TestSubsetIsTheHeadAndTheChosenBlocksInArchiveOrder(t *testing.T) {
	raw := stored(t)["pg18.pgc"]
	a, err := scan(raw)
	if err != nil {
		t.Fatal(err)
	}
	first, third := a.Data[0], a.Data[2]
	want := bytes.Join([][]byte{raw[:a.HeadBytes], raw[first.Offset:first.End], raw[third.Offset:third.End]}, nil)
	got, err := io.ReadAll(Subset(bytes.NewReader(raw), a, []int{third.DumpID, first.DumpID, third.DumpID}))
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes, %v; want %d", len(got), err, len(want))
	}
	got, err = io.ReadAll(Subset(bytes.NewReader(raw), a, nil))
	if err != nil || !bytes.Equal(got, raw[:a.HeadBytes]) {
		t.Errorf("of nothing: %d bytes, %v; want the head, %d", len(got), err, a.HeadBytes)
	}
}

func TestSubsetNeverEndsEarlyInSilence(t *testing.T) {
	raw := stored(t)["pg18.pgc"]
	a, err := scan(raw)
	if err != nil {
		t.Fatal(err)
	}
	last := a.Data[len(a.Data)-1]
	for _, cut := range []int64{a.HeadBytes - 1, last.Offset, last.End - 1} {
		_, err := io.ReadAll(Subset(bytes.NewReader(raw[:cut]), a, []int{last.DumpID}))
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("source cut to %d bytes: %v", cut, err)
		}
	}
	if n, err := Subset(bytes.NewReader(raw), a, []int{last.DumpID, 1 << 30}).Read(make([]byte, 10)); n != 0 || !errors.Is(err, ErrNoData) {
		t.Errorf("unknown block: %d, %v", n, err)
	}
}
