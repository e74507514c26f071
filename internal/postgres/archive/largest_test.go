package archive

import (
	"strings"
	"testing"
)

// As pg_dump writes it: a chunk for each row.
func TestTheLargestRowIsKnown(t *testing.T) {
	b := newBuilder(14, 2)
	b.entry(Entry{DumpID: 1, Section: "data", Desc: "TABLE DATA", Namespace: "public", Tag: "big", Owner: "o"}, true, "COPY public.big (a) FROM stdin;\n")
	b.entry(Entry{DumpID: 2, Section: "data", Desc: "TABLE DATA", Namespace: "public", Tag: "small", Owner: "o"}, true, "COPY public.small (a) FROM stdin;\n")
	for id, rows := range map[int][]int{1: {10, 3 << 20, 2 << 20}, 2: {10, 1<<20 - 2}} {
		b.WriteByte(blockData)
		b.int(id)
		for _, n := range rows {
			b.texts(strings.Repeat("x", n) + "\n")
		}
		b.texts("\\.\n\n\n")
		b.int(0)
	}
	for _, piece := range []int{b.Len(), 4096} { // whole chunks, and chunks in pieces
		s := NewScanner(Options{})
		for rest := b.Bytes(); len(rest) > 0; rest = rest[min(piece, len(rest)):] {
			_, _ = s.Write(rest[:min(piece, len(rest))])
		}
		a, err := s.Close()
		if err != nil {
			t.Fatal(err)
		}
		for _, table := range a.Tables() {
			if want := map[string]int64{"big": 3<<20 + 1, "small": 0}[table.Name]; table.LargestRow != want {
				t.Errorf("%s in pieces of %d: %d bytes, want %d", table.Name, piece, table.LargestRow, want)
			}
		}
	}
}
