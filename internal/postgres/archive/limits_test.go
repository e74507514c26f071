package archive

import (
	"errors"
	"fmt"
	"runtime"
	"testing"
)

func TestNoLengthInTheArchiveDrivesMemory(t *testing.T) {
	for name, write := range map[string]func() *builder{
		"2 billion entries":   func() *builder { return newBuilder(16, 1<<31-1) },
		"1 million entries":   func() *builder { return newBuilder(16, 1<<20) },
		"definition of 2 GiB": func() *builder { b := newBuilder(16, 1); b.int(1); b.int(0); b.int(1<<31 - 1); return b },
		"name of 512 KiB that does not come": func() *builder {
			b := newBuilder(16, 1)
			b.int(1)
			b.int(0)
			b.texts("1", "2")
			b.int(1 << 19)
			return b
		},
		"chunk of 2 GiB": func() *builder {
			b := newBuilder(16, 1)
			b.table(1, "t")
			b.Write([]byte{blockData})
			b.int(1)
			b.int(1<<31 - 1)
			return b
		},
	} {
		t.Run(name, func(t *testing.T) {
			raw := write().Bytes()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := scan(raw)
			runtime.ReadMemStats(&after)
			if !errors.Is(err, ErrTruncated) && !errors.Is(err, ErrTooLarge) {
				t.Errorf("Close: %v", err)
			}
			if grown := after.TotalAlloc - before.TotalAlloc; grown > 64<<10 {
				t.Errorf("%d bytes allocated for an archive of %d", grown, len(raw))
			}
		})
	}
}

func TestHeadBeyondItsBoundSwitchesTheScannerOff(t *testing.T) {
	b := newBuilder(16, 20)
	for i := range 20 {
		b.table(i+1, "t")
	}
	s := NewScanner(Options{MaxHeadBytes: int64(b.Len()) / 2})
	_, _ = s.Write(b.Bytes())
	if !errors.Is(s.Err(), ErrTooLarge) {
		t.Fatalf("Err = %v", s.Err())
	}
}

func TestEntriesBeyondMemoryAreOmittedButRowsSurvive(t *testing.T) {
	const blobs = 2000
	b := newBuilder(16, blobs+2)
	for i := range blobs {
		b.entry(Entry{DumpID: 100 + i, Section: "pre-data", Desc: "BLOB METADATA", Tag: fmt.Sprint(i)}, false, "")
	}
	b.entry(Entry{DumpID: 1, Section: "pre-data", Desc: "EXTENSION", Tag: "hstore"}, false, "")
	b.table(2, "t")
	b.block(2, "a\n", "\\.\n\n\n")

	s := NewScanner(Options{MaxEntryBytes: 20 << 10})
	_, _ = s.Write(b.Bytes())
	a, err := s.Close()
	if err != nil {
		t.Fatal(err)
	}
	if a.Omitted == 0 || a.Omitted+len(a.Entries) != blobs+2 {
		t.Errorf("%d entries kept and %d omitted of %d", len(a.Entries), a.Omitted, blobs+2)
	}
	if ext := a.Extensions(); len(ext) != 1 {
		t.Errorf("extensions %v", ext)
	}
	if tables := a.Tables(); len(tables) != 1 || tables[0].Rows != 1 {
		t.Errorf("tables %+v", tables)
	}

	s = NewScanner(Options{MaxEntryBytes: 1 << 10})
	b = newBuilder(16, 100)
	for i := range 100 {
		b.table(i+1, "t")
	}
	if _, _ = s.Write(b.Bytes()); !errors.Is(s.Err(), ErrTooLarge) {
		t.Errorf("Err = %v, want %v", s.Err(), ErrTooLarge)
	}
}
