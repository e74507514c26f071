package archive

import "sync"

// Options bounds what an archive may make the scanner hold. The zero value is right for backups.
type Options struct {
	// MaxHeadBytes bounds header and table of contents as stored, definitions included.
	// Beyond it the scanner is off with ErrTooLarge. 0 is 1 GiB.
	MaxHeadBytes int64
	// MaxEntryBytes bounds the memory of the kept entries, about 200 bytes each. Beyond it only
	// entries with data and extensions are kept, so that row counts survive a database with
	// millions of large objects; Archive.Omitted counts the others. At four times it the
	// scanner is off with ErrTooLarge. 0 is 128 MiB.
	MaxEntryBytes int64
}

const (
	defaultMaxHeadBytes  = 1 << 30
	defaultMaxEntryBytes = 128 << 20
)

// Scanner reads one archive that is written into it, in pieces of any size. It is an io.Writer
// that never fails and never keeps what it is given. One goroutine writes; Current may be
// called from any.
type Scanner struct {
	opts Options
	arch Archive
	err  error // not nil: switched off
	pos  int64 // bytes understood so far
	all  int64 // bytes written so far

	state state
	fixed [16]byte // the value being collected
	have  int      // bytes of it that have come
	need  int      // bytes of it

	head  head
	block block

	mu      sync.Mutex
	current current
}

type current struct {
	table string
	rows  int64
}

// state is what the next byte belongs to.
type state uint8

const (
	stateField   state = iota // a field of the head, or the length of its text
	stateText                 // the text of a field of the head
	stateBlock                // type and dump id of a data block; the archive may end before it
	stateOID                  // of a large object, 0 ends the block
	stateChunk                // length of a chunk, 0 ends the data
	statePayload              // the chunk itself
)

// NewScanner returns a scanner at the start of an archive.
func NewScanner(opts Options) *Scanner {
	if opts.MaxHeadBytes <= 0 {
		opts.MaxHeadBytes = defaultMaxHeadBytes
	}
	if opts.MaxEntryBytes <= 0 {
		opts.MaxEntryBytes = defaultMaxEntryBytes
	}
	s := &Scanner{opts: opts}
	s.startHead()
	return s
}

// Write takes the next bytes of the archive. It always takes all of p and never returns an
// error: an archive that is not understood switches the scanner off, see Err.
func (s *Scanner) Write(p []byte) (int, error) {
	s.all += int64(len(p))
	for rest := p; len(rest) > 0 && s.err == nil; {
		n := s.wholeChunks(rest)
		if n == 0 {
			n = s.step(rest)
		}
		rest = rest[n:]
	}
	s.publish()
	return len(p), nil
}

// step takes what belongs to the value at hand, at least one byte of p.
func (s *Scanner) step(p []byte) int {
	switch s.state {
	case stateText:
		return s.takeText(p)
	case statePayload:
		return s.takePayload(p)
	case stateField, stateBlock, stateOID, stateChunk: // of fixed size
	}
	n := copy(s.fixed[s.have:s.need], p)
	s.have += n
	s.pos += int64(n)
	if s.have == s.need {
		s.have = 0
		s.complete(s.fixed[:s.need])
	}
	return n
}

// complete acts on a whole value of fixed size.
func (s *Scanner) complete(b []byte) {
	switch s.state {
	case stateField:
		s.gotField(b)
	case stateBlock:
		s.gotBlock(b)
	case stateOID:
		s.gotOID(b)
	case stateChunk:
		s.gotChunk(b)
	case stateText, statePayload: // not of fixed size: step takes them
	}
}

// expect makes a value of n bytes the next one.
func (s *Scanner) expect(st state, n int) {
	s.state = st
	s.need = n
	s.have = 0
}

func (s *Scanner) fail(kind error, format string, args ...any) {
	if s.err == nil {
		s.err = scanError(kind, s.pos, format, args...)
	}
}

// Err says why the scanner is off, or is nil. Truncation shows only at Close.
func (s *Scanner) Err() error { return s.err }

// Current is the table whose data is passing, as "schema.table" in the archive's own bytes,
// and its rows so far; for large objects "large objects" and their count. Between blocks, in
// the table of contents and when switched off it is "", 0. Rows are -1 when they are unknown,
// and up to 3 too many while the end of a table's data is passing.
func (s *Scanner) Current() (table string, rows int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current.table, s.current.rows
}

func (s *Scanner) publish() {
	var c current
	if s.err == nil && s.inBlock() {
		c = current{s.block.name, s.block.progress()}
	}
	s.mu.Lock()
	s.current = c
	s.mu.Unlock()
}

// Head is the archive as far as its head tells, without data, or nil while that is not complete.
func (s *Scanner) Head() *Archive {
	if s.arch.HeadBytes == 0 {
		return nil
	}
	head := s.arch
	head.Data = nil
	return &head
}

// CloseSubset ends what Subset reads: some of the data blocks may never have come, but none of
// those that came is cut. Places are those in the subset.
func (s *Scanner) CloseSubset() (*Archive, error) {
	s.head.awaited = nil
	return s.Close()
}

// Close ends the archive. It returns what was found, or why there is nothing to return:
// ErrUnsupported, ErrCorrupt, ErrTooLarge, or ErrTruncated when the stream ended too early,
// be it between two data blocks.
func (s *Scanner) Close() (*Archive, error) {
	switch {
	case s.err != nil:
	case s.state == stateField || s.state == stateText:
		s.fail(ErrTruncated, "ends in the %s, at %s", s.head.part, s.head.field().name)
	case s.state != stateBlock || s.have > 0:
		s.fail(ErrTruncated, "ends in a data block")
	case len(s.head.awaited) > 0:
		s.fail(ErrTruncated, "%d data blocks are missing", len(s.head.awaited))
	}
	if s.err != nil {
		return nil, s.err
	}
	s.arch.Bytes = s.all
	return &s.arch, nil
}
