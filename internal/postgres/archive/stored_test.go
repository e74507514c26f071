package archive

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// The archives in testdata, see its README. Their rows are those of testdata/schema.sql.

func storedRows() map[string]int64 {
	return map[string]int64{
		`odd "schema/数据 table`: 5, "public/customers": 40, "public/empty_table": 0,
		"public/measures_2025": 12, "public/measures_2026": 18, "public/new\nline": 2, "public/no_columns": 2,
	}
}

func stored(t testing.TB) map[string][]byte {
	t.Helper()
	names, err := filepath.Glob("testdata/*.pgc")
	if err != nil || len(names) == 0 {
		t.Fatalf("no archives in testdata: %v", err)
	}
	raw := map[string][]byte{}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		raw[filepath.Base(name)] = b
	}
	return raw
}

func tableRows(a *Archive) map[string]int64 {
	rows := map[string]int64{}
	for _, table := range a.Tables() {
		rows[table.Schema+"/"+table.Name] = table.Rows
	}
	return rows
}

// checkPlaces asserts that head and data blocks cover the archive without a gap.
func checkPlaces(t *testing.T, a *Archive, size int) {
	t.Helper()
	at := a.HeadBytes
	for _, d := range a.Data {
		if d.Offset != at {
			t.Errorf("block %d starts at %d, the one before ends at %d", d.DumpID, d.Offset, at)
		}
		at = d.End
	}
	if at != int64(size) || a.Bytes != int64(size) {
		t.Errorf("blocks end at %d and Bytes is %d, of %d", at, a.Bytes, size)
	}
}

func TestArchivesOfOtherVersionsAreRead(t *testing.T) {
	type facts struct{ Format, Dump, Compression string }
	want := map[string]facts{
		"pg16.pgc":      {"1.15.0", "16.4", "none"},
		"pg17.pgc":      {"1.16.0", "17.5", "none"},
		"pg18.pgc":      {"1.16.0", "18.3", "none"},
		"pg19.pgc":      {"1.16.0", "19rc1 (Debian 19~rc1-1)", "none"},
		"pg18-gzip.pgc": {"1.16.0", "18.3", "gzip"},
	}
	for name, raw := range stored(t) {
		t.Run(name, func(t *testing.T) {
			a, err := scan(raw)
			if err != nil {
				t.Fatal(err)
			}
			if got := (facts{a.Format, a.DumpVersion, a.Compression}); got != want[name] {
				t.Errorf("got %+v, want %+v", got, want[name])
			}
			rows, total, exact := storedRows(), int64(79), true
			if a.Compression != "none" {
				for k := range rows {
					rows[k] = -1
				}
				total, exact = 0, false
			}
			if diff := cmp.Diff(rows, tableRows(a)); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
			if n, ok := a.Rows(); n != total || ok != exact {
				t.Errorf("Rows = %d, %v", n, ok)
			}
			if n := a.LargeObjects(); n != 3 {
				t.Errorf("%d large objects", n)
			}
			if diff := cmp.Diff([]string{"hstore"}, a.Extensions()); diff != "" {
				t.Errorf("extensions %s", diff)
			}
			checkPlaces(t, a, len(raw))
		})
	}
}

func TestPiecesOfAnySizeGiveTheSameResult(t *testing.T) {
	for name, raw := range stored(t) {
		want, err := scan(raw)
		if err != nil {
			t.Fatal(err)
		}
		check := func(t interface{ Fatalf(string, ...any) }, size func() int) {
			s := NewScanner(Options{})
			for rest := raw; len(rest) > 0; {
				n := min(size(), len(rest))
				if got, err := s.Write(rest[:n]); got != n || err != nil {
					t.Fatalf("Write = %d, %v", got, err)
				}
				rest = rest[n:]
			}
			got, err := s.Close()
			if err != nil {
				t.Fatalf("%v", err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("(-whole +pieces):\n%s", diff)
			}
		}
		t.Run(name+" byte by byte", func(t *testing.T) { check(t, func() int { return 1 }) })
		t.Run(name+" at random", rapid.MakeCheck(func(rt *rapid.T) {
			seed := rapid.Uint64().Draw(rt, "seed")
			largest := rapid.SampledFrom([]int{3, 10, 100, 5000}).Draw(rt, "largest")
			r := rand.New(rand.NewPCG(seed, 0))
			check(rt, func() int { return r.IntN(largest + 1) })
		}))
	}
}

func TestEveryTruncationIsFound(t *testing.T) {
	archives := stored(t)
	for _, name := range []string{"pg16.pgc", "pg18-gzip.pgc"} {
		raw := archives[name]
		t.Run(name, func(t *testing.T) {
			for n := range len(raw) {
				if a, err := scan(raw[:n]); a != nil || !errors.Is(err, ErrTruncated) {
					t.Fatalf("cut to %d bytes: %v, %v", n, a != nil, err)
				}
			}
		})
	}
}

func TestNoFlippedByteMakesTheScannerPanic(t *testing.T) {
	archives := stored(t)
	for name, masks := range map[string][]byte{"pg16.pgc": {0xff}, "pg18-gzip.pgc": {1, 0x80, 0xff}} {
		raw := archives[name]
		for i := range raw {
			for _, mask := range masks {
				raw[i] ^= mask
				checkAnyInput(t, raw, len(raw))
				raw[i] ^= mask
			}
		}
	}
}

// checkAnyInput asserts what holds for every input: no panic, no write error, a result or a
// reason, and places inside the archive.
func checkAnyInput(t *testing.T, raw []byte, split int) {
	t.Helper()
	s := NewScanner(Options{})
	for _, p := range [][]byte{raw[:split], raw[split:]} {
		if n, err := s.Write(p); n != len(p) || err != nil {
			t.Fatalf("Write = %d, %v", n, err)
		}
		s.Current()
	}
	a, err := s.Close()
	if (a == nil) == (err == nil) {
		t.Fatalf("Close = %v, %v", a, err)
	}
	if a == nil {
		return
	}
	checkPlaces(t, a, len(raw))
	for _, d := range a.Data {
		if d.Rows < -1 || d.Rows > d.End-d.Offset || (d.Rows == -1) != (d.RowsUnknown != "") {
			t.Fatalf("block %+v", d)
		}
	}
	a.Tables()
	a.Rows()
	a.Extensions()
}

func FuzzScanner(f *testing.F) {
	for _, raw := range stored(f) {
		f.Add(raw, uint16(len(raw)/2))
	}
	for minor := 14; minor <= 16; minor++ {
		b := newBuilder(minor, 2)
		b.entry(Entry{DumpID: 1, Section: "none", Desc: "ACL", Tag: "t", Deps: []int{2}}, false, "")
		b.table(2, "t")
		b.block(2, "a\n", "\\.\n\n\n")
		f.Add(b.Bytes(), uint16(40))
	}
	f.Fuzz(func(t *testing.T, raw []byte, split uint16) {
		checkAnyInput(t, raw, min(int(split), len(raw)))
		whole, err := scan(raw)
		s := NewScanner(Options{})
		for i := range raw {
			_, _ = s.Write(raw[i : i+1])
		}
		single, err1 := s.Close()
		if !reflect.DeepEqual(whole, single) || fmt.Sprint(err) != fmt.Sprint(err1) {
			t.Fatalf("one piece: %v, single bytes: %v\n%s", err, err1, cmp.Diff(whole, single))
		}
	})
}

func TestCurrentNamesTheTableAndItsRowsSoFar(t *testing.T) {
	b := newBuilder(16, 2)
	b.table(1, "t")
	b.entry(Entry{DumpID: 2, Section: "data", Desc: "BLOBS", Tag: "BLOBS"}, true, "")
	s := NewScanner(Options{})
	expect := func(table string, rows int64) {
		t.Helper()
		_, _ = s.Write(b.Bytes())
		b.Reset()
		if gotTable, gotRows := s.Current(); gotTable != table || gotRows != rows {
			t.Errorf("Current = %q, %d; want %q, %d", gotTable, gotRows, table, rows)
		}
	}
	expect("", 0)
	b.WriteByte(blockData)
	b.int(1)
	expect("s.t", 0)
	b.texts("a\n", "b\n")
	expect("s.t", 2)
	b.texts("\\.\n\n\n")
	b.int(0)
	expect("", 0)
	b.WriteByte(blockBlobs)
	b.int(2)
	b.int(50001)
	b.texts("\n\n\n")
	expect("large objects", 1)
	b.int(0)
	b.int(0)
	expect("", 0)
	if _, err := s.Close(); err != nil {
		t.Error(err)
	}
}

func TestCurrentMayBeAskedWhileTheArchivePasses(t *testing.T) {
	raw := stored(t)["pg17.pgc"]
	s := NewScanner(Options{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range raw {
			_, _ = s.Write(raw[i : i+1])
		}
	}()
	for passing := true; passing; {
		select {
		case <-done:
			passing = false
		default:
			if table, rows := s.Current(); table == "" && rows != 0 {
				t.Fatalf("%d rows of no table", rows)
			}
		}
	}
	if _, err := s.Close(); err != nil {
		t.Error(err)
	}
}

func BenchmarkScan(b *testing.B) {
	for _, width := range []int{20, 100, 1000, 16000} {
		b.Run(fmt.Sprintf("rows of %d bytes", width), func(b *testing.B) {
			build := newBuilder(16, 1)
			build.table(1, "t")
			build.WriteByte(blockData)
			build.int(1)
			head := bytes.Clone(build.Bytes())
			build.Reset()
			row := string(bytes.Repeat([]byte{'x'}, width-1)) + "\n"
			for build.Len() < 16<<20 {
				build.texts(row)
			}
			raw := build.Bytes()
			b.SetBytes(int64(len(raw)))
			b.ResetTimer()
			s := NewScanner(Options{})
			_, _ = s.Write(head)
			for range b.N {
				for rest := raw; len(rest) > 0; {
					n := min(64<<10, len(rest))
					_, _ = s.Write(rest[:n])
					rest = rest[n:]
				}
			}
			if s.Err() != nil {
				b.Fatal(s.Err())
			}
		})
	}
}
