package archive

import "slices"

// From 17 on, pg_dump whose standard output is a file (`pg_dump -Fc db >file`) writes its table of contents once
// more behind the data, where it means to write it over the first with the places of the data filled in.
// pg_restore reads the first alone. The second must say the same, and nothing may follow it.

// startRepeat begins the second table of contents. Its number of entries was read as a block: the sign in the place
// of the type, and the first byte of the first entry with it.
func (s *Scanner) startRepeat(b []byte) {
	h := &s.head
	last := len(b) - 1
	if n := littleEndian(b[1:last]); n != uint64(h.total) {
		s.fail(ErrCorrupt, "%d entries in the second table of contents, %d in the first", n, h.total)
		return
	}
	h.base, h.repeated = s.pos-int64(len(b)), true
	h.count = h.total
	h.part = "second table of contents"
	h.fields, h.end = entryFields(h.minor), (*Scanner).endRepeated
	s.begin()
	s.fixed[0], s.have = b[last], 1
}

// endRepeated compares an entry with the one in its place in the first table, as far as that was kept.
func (s *Scanner) endRepeated() {
	h := &s.head
	if i := int(h.total - h.count); s.arch.Omitted == 0 {
		first, again := s.arch.Entries[i], h.entry
		same := first.DumpID == again.DumpID && first.Section == again.Section && first.Desc == again.Desc &&
			first.Namespace == again.Namespace && first.Tag == again.Tag && first.Owner == again.Owner &&
			first.Tablespace == again.Tablespace && slices.Equal(first.Deps, h.deps)
		if !same {
			s.fail(ErrCorrupt, "entry %d of the second table of contents is another than in the first", again.DumpID)
			return
		}
	}
	if h.count--; h.count == 0 {
		h.fields, h.text = nil, nil
		h.deps = nil
		s.expectBlock() // and none comes
		return
	}
	s.begin()
}
