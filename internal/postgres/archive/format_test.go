package archive

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"github.com/google/go-cmp/cmp"
)

func TestEveryFormatVersionAndWidthIsRead(t *testing.T) {
	for minor := 14; minor <= 16; minor++ {
		for _, intSize := range []int{4, 8} {
			t.Run(fmt.Sprintf("1.%d with %d-byte integers", minor, intSize), func(t *testing.T) {
				b := newBuilderWidths(minor, intSize, 8, 2)
				e := Entry{
					DumpID: 7, Section: "pre-data", Desc: "TABLE", Namespace: "s", Tag: "t",
					Owner: "o", Tablespace: "fast", Deps: []int{3, 2147483647},
				}
				b.entry(e, false, "")
				b.table(8, "t")
				head := int64(b.Len())
				b.block(8, "1\n2\n", "3", "\n", "\\.\n\n\n")

				a, err := scan(b.Bytes())
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(e, a.Entries[0]); diff != "" {
					t.Errorf("entry (-want +got):\n%s", diff)
				}
				want := []Data{{DumpID: 8, Offset: head, End: int64(b.Len()), RawBytes: 11, Rows: 3}}
				if diff := cmp.Diff(want, a.Data); diff != "" {
					t.Errorf("data (-want +got):\n%s", diff)
				}
				if a.HeadBytes != head || a.Bytes != int64(b.Len()) || a.Database != "db" || a.Compression != "none" {
					t.Errorf("archive is %+v", a)
				}
			})
		}
	}
}

func TestRowsAreUnknownUnlessTheDataEndsAsCopyDoes(t *testing.T) {
	for _, c := range []struct {
		name   string
		chunks []string
		rows   int64
	}{
		{"empty table", []string{"\\.\n\n\n"}, 0},
		{"one empty row", []string{"\n", "\\.\n\n\n"}, 1},
		{"a row that looks like the end", []string{"\\\\.\n", "\\.\n\n\n"}, 1},
		{"end in pieces", []string{"a\n", "\\", ".", "\n", "\n", "\n"}, 1},
		{"end in the row's chunk", []string{"aaaaaaaaa\n\\.\n\n\n"}, 1},
		{"no data", nil, -1},
		{"no end", []string{"a\nb\n"}, -1},
		{"one newline short", []string{"a\n", "\\.\n\n"}, -1},
		{"last row without a newline", []string{"a", "\\.\n\n\n"}, -1},
		{"something after the end", []string{"a\n", "\\.\n\n\n", "b"}, -1},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBuilder(14, 1)
			b.table(1, "t")
			b.block(1, c.chunks...)
			a, err := scan(b.Bytes())
			if err != nil {
				t.Fatal(err)
			}
			d := a.Data[0]
			if d.Rows != c.rows || (d.RowsUnknown == "") != (c.rows >= 0) {
				t.Errorf("rows = %d (%q), want %d", d.Rows, d.RowsUnknown, c.rows)
			}
		})
	}
}

func TestWhatIsNotUnderstoodSwitchesTheScannerOff(t *testing.T) {
	raw := func(edit func([]byte)) []byte {
		b := newBuilder(16, 1)
		b.table(1, "t")
		b.block(1, "\\.\n\n\n")
		edit(b.Bytes())
		return b.Bytes()
	}
	after := func(more func(*builder)) []byte {
		b := newBuilder(16, 1)
		b.table(1, "t")
		b.block(1, "\\.\n\n\n")
		more(b)
		return b.Bytes()
	}
	for _, c := range []struct {
		name string
		raw  []byte
		want error
	}{
		{"plain SQL", []byte("--\n-- PostgreSQL database dump\n--\n"), ErrUnsupported},
		{"a newer minor version", raw(func(b []byte) { b[6] = 17 }), ErrUnsupported},
		{"an older minor version", raw(func(b []byte) { b[6] = 13 }), ErrUnsupported},
		{"another major version", raw(func(b []byte) { b[5] = 2 }), ErrUnsupported},
		{"odd integers", raw(func(b []byte) { b[8] = 32 }), ErrUnsupported},
		{"odd offsets", raw(func(b []byte) { b[9] = 1 }), ErrUnsupported},
		{"tar format", raw(func(b []byte) { b[10] = 3 }), ErrUnsupported},
		{"unknown compression", raw(func(b []byte) { b[11] = 9 }), ErrUnsupported},
		{"a sign that is none", raw(func(b []byte) { b[12] = 2 }), ErrCorrupt},
		{"unknown block type", after(func(b *builder) { b.Write([]byte{9, 0, 1, 0, 0, 0}) }), ErrCorrupt},
		{"block twice", after(func(b *builder) { b.block(1, "\\.\n\n\n") }), ErrCorrupt},
		{"block of nothing", after(func(b *builder) { b.block(77) }), ErrCorrupt},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := NewScanner(Options{})
			if n, err := s.Write(c.raw); n != len(c.raw) || err != nil {
				t.Errorf("Write = %d, %v", n, err)
			}
			if !errors.Is(s.Err(), c.want) {
				t.Errorf("Err = %v, want %v", s.Err(), c.want)
			}
			if n, err := s.Write(c.raw); n != len(c.raw) || err != nil {
				t.Errorf("Write when off = %d, %v", n, err)
			}
			a, err := s.Close()
			if a != nil || !errors.Is(err, c.want) {
				t.Errorf("Close = %v, %v", a, err)
			}
			if damaged := fault.CodeOf(err) == fault.Integrity; damaged != errors.Is(err, ErrCorrupt) {
				t.Errorf("exit code %d for %v", fault.CodeOf(err), err)
			}
			if table, _ := s.Current(); table != "" {
				t.Errorf("Current = %q when off", table)
			}
		})
	}
}

func TestEntriesThatContradictTheFormatAreCorrupt(t *testing.T) {
	good := Entry{DumpID: 1, Section: "data", Desc: "TABLE DATA", Tag: "t"}
	for name, write := range map[string]func(*builder){
		"dump id 0":          func(b *builder) { e := good; e.DumpID = 0; b.entry(e, true, "COPY") },
		"negative dump id":   func(b *builder) { e := good; e.DumpID = -5; b.entry(e, true, "COPY") },
		"unknown section":    func(b *builder) { e := good; e.Section = "?"; b.entry(e, true, "COPY") },
		"dump id twice":      func(b *builder) { b.entry(good, true, "COPY"); b.entry(good, true, "COPY") },
		"length below null":  func(b *builder) { b.int(1); b.int(0); b.int(-2) },
		"name of a megabyte": func(b *builder) { e := good; e.Tag = strings.Repeat("x", maxText+1); b.entry(e, true, "COPY") },
		"dependency is text": func(b *builder) {
			b.entry(good, false, "")
			raw := b.Bytes()
			b.Truncate(len(raw) - 9 - 5)
			b.texts("12x")
		},
		"offset flag": func(b *builder) { b.entry(good, false, ""); b.Bytes()[b.Len()-9] = 7 },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBuilder(16, 3)
			write(b)
			s := NewScanner(Options{})
			_, _ = s.Write(b.Bytes())
			if !errors.Is(s.Err(), ErrCorrupt) {
				t.Errorf("Err = %v", s.Err())
			}
		})
	}
}

func TestBlockAwayFromItsRecordedPlaceIsCorrupt(t *testing.T) {
	b := newBuilder(16, 1)
	b.table(1, "t")
	head := b.Len()
	b.block(1, "\\.\n\n\n")
	place := b.Bytes()[head-9:]
	place[0], place[1], place[2] = offsetSet, byte(head), byte(head>>8)
	if _, err := scan(b.Bytes()); err != nil {
		t.Fatalf("the right place: %v", err)
	}
	place[1]++
	if _, err := scan(b.Bytes()); !errors.Is(err, ErrCorrupt) {
		t.Fatalf("another place: %v", err)
	}
}
