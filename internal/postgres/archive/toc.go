package archive

import (
	"bytes"
	"strconv"

	"golang.org/x/text/encoding/charmap"
)

// The table of contents. Source: ReadToc in src/bin/pg_dump/pg_backup_archiver.c. No number in
// it makes the scanner allocate: memory grows only with bytes that really came, up to Options.

// Flags of an entry's data offset, K_OFFSET_* of pg_backup_archiver.h. A streamed archive has
// no positions; one written to a file has them, and they must be where the blocks are.
const (
	offsetNotSet = 1
	offsetSet    = 2
	offsetNoData = 3
)

const (
	minEntryBytes = 60  // stored: eleven integers or null texts of five bytes, and more
	entryMemory   = 160 // of an Entry in a slice that grows, without its texts
)

// toc is what reading the table of contents needs to remember.
type toc struct {
	count   int64 // entries still to come
	total   int64
	memory  int64
	entry   Entry
	deps    []int
	data    awaited
	hasData bool
	awaited map[int]awaited // by dump id: blocks that have to come
	names   map[string]string
	letters *charmap.Charmap // of an encoding with one byte to a letter
}

// awaited is a data block that the table of contents announces.
type awaited struct {
	name   string
	copied bool  // COPY text, not INSERT commands
	offset int64 // where it has to be, 0 when not recorded
}

func (s *Scanner) setEntryCount(v value) {
	if v.n < 0 || v.n > s.opts.MaxHeadBytes/minEntryBytes {
		s.fail(ErrTooLarge, "%d entries", v.n)
		return
	}
	s.head.count, s.head.total = v.n, v.n
}

func (s *Scanner) startEntries() {
	h := &s.head
	h.awaited, h.names = map[int]awaited{}, map[string]string{}
	if h.count == 0 {
		s.startData()
		return
	}
	h.part = "table of contents"
	h.fields = entryFields(h.minor)
	h.end = (*Scanner).endEntry
	s.begin()
}

func entryFields(minor int64) []field {
	name := func(to func(*Entry) *string) func(*Scanner, value) {
		return func(s *Scanner, v value) { *to(&s.head.entry) = s.intern(v.text) }
	}
	fields := []field{
		{name: "dump id", kind: kindInt, set: (*Scanner).setDumpID},
		{name: "data flag", kind: kindInt, set: func(s *Scanner, v value) { s.head.hasData = v.n != 0 }},
		{name: "catalog oid", kind: kindText, keep: never},
		{name: "object oid", kind: kindText, keep: never},
		{name: "tag", kind: kindText, set: func(s *Scanner, v value) { s.head.entry.Tag = s.text(v.text) }},
		{name: "description", kind: kindText, set: name(func(e *Entry) *string { return &e.Desc })},
		{name: "section", kind: kindInt, set: (*Scanner).setSection},
		{name: "definition", kind: kindText, keep: readsDefinition, set: (*Scanner).setDefinition},
		{name: "drop command", kind: kindText, keep: never},
		{
			name: "copy command", kind: kindText, keep: never,
			set: func(s *Scanner, v value) { s.head.data.copied = v.size > 0 },
		},
		{name: "schema", kind: kindText, set: name(func(e *Entry) *string { return &e.Namespace })},
		{name: "tablespace", kind: kindText, set: name(func(e *Entry) *string { return &e.Tablespace })},
		{name: "access method", kind: kindText, keep: never},
	}
	if minor >= minorRelkind {
		fields = append(fields, field{name: "relkind", kind: kindInt})
	}
	return append(fields,
		field{name: "owner", kind: kindText, set: name(func(e *Entry) *string { return &e.Owner })},
		field{name: "with oids", kind: kindText, keep: never},
		field{name: "dependencies", kind: kindTexts, set: (*Scanner).addDep},
		field{name: "data offset", kind: kindOffset, set: (*Scanner).setDataOffset},
	)
}

func (s *Scanner) setDumpID(v value) {
	h := &s.head
	if v.n <= 0 || v.n > 1<<31-1 {
		s.fail(ErrCorrupt, "dump id %d", v.n)
	}
	h.entry = Entry{DumpID: int(v.n)}
	h.data = awaited{}
	h.deps = h.deps[:0]
}

// setSection names a teSection of pg_backup.h.
func (s *Scanner) setSection(v value) {
	names := []string{"none", "pre-data", "data", "post-data"}
	if v.n < 1 || v.n > int64(len(names)) {
		s.fail(ErrCorrupt, "section %d", v.n)
		return
	}
	s.head.entry.Section = names[v.n-1]
}

// readsDefinition is for the few whose text says something. A constraint's may be longer than any name.
func readsDefinition(s *Scanner) bool {
	switch s.head.entry.Desc {
	case "ENCODING", "STDSTRINGS":
		return true
	case "CONSTRAINT":
		return s.head.size <= maxText
	}
	return false
}

// setDefinition reads SET client_encoding = 'UTF8', SET standard_conforming_strings = 'off', and of a constraint
// whether it excludes; no text is kept.
func (s *Scanner) setDefinition(v value) {
	switch s.head.entry.Desc {
	case "CONSTRAINT":
		s.head.entry.Excludes = bytes.Contains(v.text, []byte(" EXCLUDE USING ")) ||
			bytes.Contains(v.text, []byte(" WITHOUT OVERLAPS"))
		return
	case "STDSTRINGS":
		s.arch.OldStrings = bytes.Contains(v.text, []byte("off"))
		return
	}
	if parts := bytes.SplitN(v.text, []byte{'\''}, 3); len(parts) == 3 {
		s.setEncoding(string(parts[1]))
	}
}

func (s *Scanner) addDep(v value) {
	if v.null {
		return
	}
	id, err := strconv.Atoi(string(v.text))
	if err != nil {
		s.fail(ErrCorrupt, "dependency %q", v.text[:min(len(v.text), 20)])
		return
	}
	s.head.deps = append(s.head.deps, id)
}

func (s *Scanner) setDataOffset(v value) {
	switch v.flag {
	case offsetSet:
		s.head.data.offset = v.n
	case offsetNotSet, offsetNoData:
	default:
		s.fail(ErrCorrupt, "data offset flag %d", v.flag)
	}
}

// endEntry keeps a whole entry and expects the next, or the data.
func (s *Scanner) endEntry() {
	h := &s.head
	e := h.entry
	if h.hasData {
		if _, twice := h.awaited[e.DumpID]; twice {
			s.fail(ErrCorrupt, "dump id %d twice", e.DumpID)
			return
		}
		h.data.name = qualified(e)
		h.awaited[e.DumpID] = h.data
	}
	if s.keepEntry(e) {
		e.Deps = append([]int(nil), h.deps...)
		e.keepRaw()
		s.arch.Entries = append(s.arch.Entries, e)
	}
	if s.err != nil {
		return
	}
	if h.count--; h.count == 0 {
		s.startData()
		return
	}
	s.begin()
}

// keepEntry accounts for an entry and decides whether it may stay in memory.
func (s *Scanner) keepEntry(e Entry) bool {
	h := &s.head
	size := int64(entryMemory + len(e.Tag) + 8*len(h.deps))
	if h.hasData {
		size += int64(len(h.data.name)) + entryMemory
	}
	switch limit := s.opts.MaxEntryBytes; {
	case h.memory+size > 4*limit:
		s.fail(ErrTooLarge, "entries need more than %d bytes of memory", 4*limit)
		return false
	case h.memory+size > limit && !h.hasData && e.Desc != "EXTENSION":
		s.arch.Omitted++
		return false
	}
	h.memory += size
	return true
}

// intern keeps one copy of what is repeated in most entries: kinds, schemas, owners.
func (s *Scanner) intern(b []byte) string {
	h := &s.head
	if h.names == nil {
		return s.text(b) // to be compared, not kept
	}
	if name, ok := h.names[string(b)]; ok {
		return name
	}
	name := s.text(b)
	h.names[string(b)] = name
	h.memory += int64(len(b) + len(name) + 64)
	return name
}

func qualified(e Entry) string {
	if e.Namespace == "" {
		return e.Tag
	}
	return e.Namespace + "." + e.Tag
}
