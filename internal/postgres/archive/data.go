package archive

import (
	"bytes"
	"encoding/binary"
)

// Data blocks: a type byte and a dump id, then chunks (a length and so many bytes, 0 ends), for
// large objects one run of chunks per oid (0 ends). Source: src/bin/pg_dump/pg_backup_custom.c.
//
// pg_dump writes each COPY line as a chunk of its own, so wholeChunks is where the time goes;
// the rest of the file deals with what is split between two writes.

const (
	blockData  = 1 // BLK_DATA
	blockBlobs = 3 // BLK_BLOBS

	maxChunk = 1<<31 - 1 // INT_MAX, what pg_restore can read

	// noteworthyRow is the size from which a row is recorded: smaller ones need no memory to speak of.
	noteworthyRow = 1 << 20
)

// The end of COPY text as pg_dump writes it: backslash, dot, and three newlines, which follow
// the newline of the last row. No row can look like it, since COPY doubles a backslash.
const (
	copyEnd      = 0x5c2e0a0a0a   // \.⏎⏎⏎
	copyEndRows  = 0x0a5c2e0a0a0a // after a row
	copyEndBytes = 5
	copyEndLines = 3
)

// block is the data block at hand.
type block struct {
	data  Data
	name  string
	lines int64  // newlines so far
	tail  uint64 // the last eight bytes of the payload, the newest lowest
	count bool   // lines are rows
	left  int64  // of the chunk
	chunk int64  // the largest so far
}

// startData ends the head.
func (s *Scanner) startData() {
	h := &s.head
	s.arch.HeadBytes = s.pos
	h.fields = nil
	h.names = nil
	h.text = nil
	h.deps = nil
	s.expectBlock()
}

func (s *Scanner) expectBlock() { s.expect(stateBlock, 2+s.head.intSize) }
func (s *Scanner) expectOID()   { s.expect(stateOID, 1+s.head.intSize) }
func (s *Scanner) expectChunk() { s.expect(stateChunk, 1+s.head.intSize) }

func (s *Scanner) inBlock() bool {
	return s.state == stateOID || s.state == stateChunk || s.state == statePayload
}

// gotBlock starts a block, which must be one that the table of contents announced.
func (s *Scanner) gotBlock(b []byte) {
	typ := b[0]
	if typ == 0 && len(s.head.awaited) == 0 && !s.head.repeated && s.head.total > 0 {
		s.startRepeat(b)
		return
	}
	if typ != blockData && typ != blockBlobs {
		s.fail(ErrCorrupt, "data block of type %d", typ)
		return
	}
	id, ok := s.integer(b[1:])
	if !ok {
		return
	}
	want, ok := s.head.awaited[int(id)]
	if !ok {
		s.fail(ErrCorrupt, "data block %d is not in the table of contents, or comes twice", id)
		return
	}
	delete(s.head.awaited, int(id))
	offset := s.pos - int64(len(b))
	if want.offset != 0 && want.offset != offset {
		s.fail(ErrCorrupt, "data block %d should be at byte %d", id, want.offset)
		return
	}
	s.block = block{data: Data{DumpID: int(id), Offset: offset}, name: want.name}
	if typ == blockBlobs {
		s.block.name, s.block.data.Blobs = "large objects", true
		s.expectOID()
		return
	}
	s.block.data.RowsUnknown = s.uncountable(want)
	s.block.count = s.block.data.RowsUnknown == ""
	s.expectChunk()
}

// uncountable says why newlines are not rows, or "".
func (s *Scanner) uncountable(want awaited) string {
	switch {
	case s.head.compressed:
		return "data is compressed with " + s.arch.Compression
	case !want.copied:
		return "data is not COPY text"
	}
	return ""
}

func (s *Scanner) gotOID(b []byte) {
	oid, ok := s.integer(b)
	switch {
	case !ok:
	case oid == 0:
		s.endBlock()
	default:
		s.block.data.Rows++
		s.expectChunk()
	}
}

// gotChunk acts on a chunk's length.
func (s *Scanner) gotChunk(b []byte) {
	n, ok := s.integer(b)
	switch {
	case !ok:
	case n < 0 || n > maxChunk:
		s.fail(ErrCorrupt, "chunk of %d bytes", n)
	case n > 0:
		s.block.chunk = max(s.block.chunk, n)
		s.block.left, s.state = n, statePayload
	case s.block.data.Blobs:
		s.expectOID()
	default:
		s.block.finish()
		s.endBlock()
	}
}

func (s *Scanner) takePayload(p []byte) int {
	n := int(min(s.block.left, int64(len(p))))
	s.block.add(p[:n])
	s.block.left -= int64(n)
	s.pos += int64(n)
	if s.block.left == 0 {
		s.expectChunk()
	}
	return n
}

// wholeChunks takes the chunks that p holds whole, and leaves the rest to step.
func (s *Scanner) wholeChunks(p []byte) (taken int) {
	const header = 5
	if s.state != stateChunk || s.have > 0 || s.head.intSize != header-1 {
		return 0
	}
	for rest := p; len(rest) > header && rest[0] == 0; rest = p[taken:] {
		n := int64(binary.LittleEndian.Uint32(rest[1:header]))
		if n == 0 || n > int64(len(rest)-header) {
			break
		}
		s.block.chunk = max(s.block.chunk, n)
		s.block.add(rest[header : header+n])
		taken += header + int(n)
	}
	s.pos += int64(taken)
	return taken
}

func (s *Scanner) endBlock() {
	s.block.data.End = s.pos
	if s.block.count && s.block.chunk >= noteworthyRow {
		s.block.data.LargestRow = s.block.chunk
	}
	s.arch.Data = append(s.arch.Data, s.block.data)
	s.expectBlock()
}

// add takes some payload.
func (b *block) add(p []byte) {
	b.data.RawBytes += int64(len(p))
	if !b.count {
		return
	}
	b.lines += int64(bytes.Count(p, []byte{'\n'}))
	if n := len(p); n >= 8 {
		b.tail = binary.BigEndian.Uint64(p[n-8:])
		return
	}
	for _, c := range p {
		b.tail = b.tail<<8 | uint64(c)
	}
}

// finish turns lines into rows, if the block ends as COPY text must.
func (b *block) finish() {
	switch {
	case !b.count:
		b.data.Rows = -1
	case b.tail&(1<<48-1) == copyEndRows,
		b.data.RawBytes == copyEndBytes && b.tail&(1<<40-1) == copyEnd:
		b.data.Rows = b.lines - copyEndLines
	default:
		b.data.Rows, b.data.RowsUnknown = -1, "data does not end as COPY text does"
	}
}

// progress is the rows or large objects so far.
func (b *block) progress() int64 {
	switch {
	case b.data.Blobs:
		return b.data.Rows
	case !b.count:
		return -1
	}
	return b.lines
}
