package archive

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// Changing owners and definitions in an archive that streams past, because pg_restore can't.
//
// Rules: only texts change, never the order or kind of entries, and their number only by Last and Insert; every other
// byte passes as it is, the data without being looked at. An entry is in memory, not the table of contents. Where
// blocks lie moves with the head's length: places that an archive written to a file records are taken out, and
// pg_restore then looks for the blocks as in a streamed one.

// Edit changes the table of contents.
type Edit struct {
	Owner      func(desc, owner string) string                            // of every entry that has one
	Definition func(dumpID int, desc, sql string) (new string, err error) // of every entry that has one

	// Insert are entries that come before those of the post-data section.
	Insert Inserted

	// Last is SQL that pg_restore runs behind everything else, in the same transaction where it has one; "": none.
	Last string
}

// EditHead returns the archive of src with its head edited. An archive that is not understood
// fails the first Read, with ErrUnsupported or ErrCorrupt.
func EditHead(src io.Reader, edit Edit) io.Reader {
	return &editor{
		src: bufio.NewReaderSize(src, 64<<10), edit: edit, left: -1, inserted: edit.Insert.Count == 0,
	}
}

type editor struct {
	src  *bufio.Reader
	edit Edit
	out  bytes.Buffer // edited, to be read
	left int64        // entries to come; -1: the header comes first
	err  error

	intSize, offSize int
	fields           []field // of an entry
	highest          int64   // of the dump IDs
	inserted         bool    // or there is nothing to insert
	section          int64   // of the entry at hand
	deps             int     // where its dependencies begin in out
}

func (e *editor) Read(p []byte) (int, error) {
	for e.out.Len() == 0 && e.err == nil && e.left != 0 {
		e.out.Reset()
		if e.left < 0 {
			e.err = e.header()
		} else {
			e.err = e.entry()
			e.left--
			e.insert()
			if e.left == 0 && e.err == nil && e.edit.Last != "" {
				e.addLast()
			}
		}
	}
	switch {
	case e.out.Len() > 0:
		return e.out.Read(p)
	case e.err != nil:
		return 0, e.err
	}
	return e.src.Read(p)
}

// header passes what comes before the entries.
func (e *editor) header() error {
	e.intSize, e.offSize = 1, 1
	var minor int64
	for _, f := range preamble() {
		v, err := e.pass(f)
		if err != nil {
			return err
		}
		switch f.name {
		case "magic":
			if string(v.text) != magic {
				return e.failed(ErrUnsupported, "not made by pg_dump -Fc")
			}
		case "minor version":
			if minor = v.n; minor < minMinor || minor > maxMinor {
				return e.failed(ErrUnsupported, fmt.Sprintf("version 1.%d", minor))
			}
		case "size of integers":
			e.intSize = int(v.n)
		case "size of offsets":
			e.offSize = int(v.n)
		}
	}
	if (e.intSize != 4 && e.intSize != 8) || (e.offSize != 4 && e.offSize != 8) {
		return e.failed(ErrUnsupported, "odd sizes of integers")
	}
	var last value
	before := 0
	for _, f := range headerFields(minor) {
		var err error
		before = e.out.Len()
		if last, err = e.pass(f); err != nil {
			return err
		}
	}
	if more := e.more(); more > 0 && last.n > 0 { // an empty archive has nothing that it could be behind
		e.out.Truncate(before)
		e.putInt(last.n + more)
	}
	if e.left = last.n; e.left < 0 {
		return e.failed(ErrCorrupt, "a negative number of entries")
	}
	e.fields = entryFields(minor)
	return nil
}

// more is how many entries are added.
func (e *editor) more() int64 {
	if e.edit.Last != "" {
		return int64(e.edit.Insert.Count) + 1
	}
	return int64(e.edit.Insert.Count)
}

// insert puts what is inserted before the entry at hand, if that is the first of the post-data section, or behind the
// last one.
func (e *editor) insert() {
	if e.inserted || e.err != nil || e.section != sectionPostData && e.left > 0 {
		return
	}
	e.inserted = true
	if e.section != sectionPostData {
		e.out.Write(e.edit.Insert.Entries)
		return
	}
	entry := bytes.Clone(e.out.Bytes())
	e.out.Reset()
	e.out.Write(e.edit.Insert.Entries)
	e.out.Write(entry)
}

// entry passes one entry, with its texts changed.
func (e *editor) entry() error {
	var id int
	var desc string
	for _, f := range e.fields {
		before := e.out.Len()
		v, err := e.pass(f)
		if err != nil {
			return err
		}
		text := string(v.text)
		switch f.name {
		case "dump id":
			id = int(v.n)
			e.highest = max(e.highest, v.n)
		case "section":
			e.section = v.n
		case "dependencies":
			e.deps = before
		case "description":
			desc = text
		case "data offset":
			if place := e.out.Bytes()[before:]; place[0] == offsetSet {
				clear(place)
				place[0] = offsetNotSet
			}
		case "owner":
			if e.edit.Owner != nil {
				e.replace(before, v, e.edit.Owner(desc, text))
			}
		case "definition":
			if e.edit.Definition != nil && !v.null {
				if text, err = e.edit.Definition(id, desc, text); err != nil {
					return err
				}
				e.replace(before, v, text)
			}
		}
	}
	return nil
}

// addLast writes an entry of ours. pg_restore makes event triggers behind rows, indexes and grants, whatever their SQL.
func (e *editor) addLast() {
	texts := map[string]string{
		"catalog oid": "0", "object oid": "0", "tag": "pgbtui", "description": "EVENT TRIGGER", "definition": e.edit.Last,
		"owner": "", "with oids": "false",
	}
	for _, f := range e.fields {
		switch f.kind {
		case kindInt:
			numbers := map[string]int64{"dump id": e.highest + int64(e.edit.Insert.Count) + 1, "section": sectionPostData}
			e.putInt(numbers[f.name])
		case kindText:
			if text, there := texts[f.name]; there {
				e.putText(text)
			} else {
				e.putInt(-1)
			}
		case kindTexts:
			e.putInt(-1) // no dependencies
		case kindOffset:
			e.out.WriteByte(offsetNoData)
			e.out.Write(make([]byte, e.offSize))
		case kindMagic, kindByte:
		}
	}
}

// sectionPostData is SECTION_POST_DATA of pg_backup.h.
const sectionPostData = 4

func (e *editor) putText(text string) {
	e.putInt(int64(len(text)))
	e.out.WriteString(text)
}

func (e *editor) putInt(n int64) {
	sign := byte(0)
	if n < 0 {
		sign = 1
		n = -n
	}
	e.out.WriteByte(sign)
	for range e.intSize {
		e.out.WriteByte(byte(n))
		n >>= 8
	}
}

// pass copies a field to the output and says what it is.
func (e *editor) pass(f field) (value, error) {
	switch f.kind {
	case kindMagic:
		b, err := e.take(magicLen)
		return value{text: b}, err
	case kindByte:
		b, err := e.take(1)
		if err != nil {
			return value{}, err
		}
		return value{n: int64(b[0])}, nil
	case kindInt:
		n, err := e.integer()
		return value{n: n}, err
	case kindText:
		return e.text()
	case kindOffset:
		_, err := e.take(1 + int64(e.offSize))
		return value{}, err
	case kindTexts:
	}
	for {
		if v, err := e.text(); err != nil || v.null {
			return v, err
		}
	}
}

func (e *editor) integer() (int64, error) {
	b, err := e.take(1 + int64(e.intSize))
	if err != nil {
		return 0, err
	}
	n := int64(littleEndian(b[1:]))
	if b[0] > 1 || n < 0 {
		return 0, e.failed(ErrCorrupt, "no integer")
	}
	if b[0] == 1 {
		n = -n
	}
	return n, nil
}

func (e *editor) text() (value, error) {
	n, err := e.integer()
	if err != nil || n < 0 {
		return value{null: true}, err
	}
	if n > defaultMaxHeadBytes {
		return value{}, e.failed(ErrTooLarge, fmt.Sprintf("a text of %d bytes", n))
	}
	b, err := e.take(n)
	return value{text: b}, err
}

// take copies n bytes to the output. What it returns is valid until the next take.
func (e *editor) take(n int64) ([]byte, error) {
	at := e.out.Len()
	if _, err := io.CopyN(&e.out, e.src, n); err != nil {
		if errors.Is(err, io.EOF) {
			err = e.failed(ErrTruncated, "ends in its head")
		}
		return nil, err
	}
	return e.out.Bytes()[at:], nil
}

// replace puts another text in the place of the last one, which began at byte at.
func (e *editor) replace(at int, old value, text string) {
	if old.null || text == string(old.text) {
		return
	}
	e.out.Truncate(at)
	e.out.WriteByte(0)
	length := uint64(len(text))
	for range e.intSize {
		e.out.WriteByte(byte(length))
		length >>= 8
	}
	e.out.WriteString(text)
}

func (e *editor) failed(kind error, why string) error {
	code, remedy := fault.Integrity, remedyDamaged
	if errors.Is(kind, ErrUnsupported) || errors.Is(kind, ErrTooLarge) {
		code, remedy = fault.Refused, remedyUnsupported
	}
	return fault.New(code, "archive: edit", remedy, fmt.Errorf("%w: %s", kind, why))
}
