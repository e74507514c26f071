package archive

import (
	"bytes"
	"encoding/binary"
	"strconv"
)

// builder writes archives by hand, right ones and wrong ones.
type builder struct {
	bytes.Buffer
	minor   int
	intSize int
}

// newBuilder writes a header for n entries.
func newBuilder(minor, n int) *builder {
	return newBuilderWidths(minor, 4, 8, n)
}

func newBuilderWidths(minor, intSize, offSize, n int) *builder {
	b := &builder{minor: minor, intSize: intSize}
	b.WriteString("PGDMP")
	b.Write([]byte{1, byte(minor), 0, byte(intSize), byte(offSize), 1})
	if minor >= 15 {
		b.WriteByte(0)
	} else {
		b.int(0)
	}
	for range 7 {
		b.int(1)
	}
	b.texts("db", "17.0", "17.0")
	b.int(n)
	return b
}

func (b *builder) int(n int) {
	var word [9]byte
	if n < 0 {
		word[0], n = 1, -n
	}
	binary.LittleEndian.PutUint64(word[1:], uint64(n))
	b.Write(word[:1+b.intSize])
}

func (b *builder) texts(texts ...string) {
	for _, t := range texts {
		b.int(len(t))
		b.WriteString(t)
	}
}

func (b *builder) null() { b.int(-1) }

// entry writes one entry of the table of contents; offsets are 8 bytes.
func (b *builder) entry(e Entry, hasData bool, copyCommand string) {
	b.int(e.DumpID)
	b.int(map[bool]int{true: 1}[hasData])
	b.texts("1259", "16384", e.Tag, e.Desc)
	b.int(map[string]int{"none": 1, "pre-data": 2, "data": 3, "post-data": 4}[e.Section])
	b.texts("definition")
	b.null()
	b.texts(copyCommand, e.Namespace, e.Tablespace)
	b.null()
	if b.minor >= 16 {
		b.int('r')
	}
	b.texts(e.Owner, "false")
	for _, d := range e.Deps {
		b.texts(strconv.Itoa(d))
	}
	b.null()
	flag := byte(offsetNoData)
	if hasData {
		flag = offsetNotSet
	}
	b.Write(append([]byte{flag}, make([]byte, 8)...))
}

// table is an entry with data.
func (b *builder) table(id int, name string) {
	b.entry(Entry{DumpID: id, Section: "data", Desc: "TABLE DATA", Namespace: "s", Tag: name, Owner: "o"}, true, "COPY")
}

// block writes a data block of these chunks.
func (b *builder) block(id int, chunks ...string) {
	b.WriteByte(blockData)
	b.int(id)
	b.texts(chunks...)
	b.int(0)
}

// scan is one pass in one piece.
func scan(raw []byte) (*Archive, error) {
	s := NewScanner(Options{})
	_, _ = s.Write(raw) // never fails
	return s.Close()
}
