package archive

// How a field of the head is read: a list of fields says what comes, one function collects each
// value, and hands it to the field's set. A text's bytes are held only when the field keeps them.

// kind is how a field is stored.
type kind uint8

const (
	kindMagic  kind = iota // five bytes
	kindByte               // one byte
	kindInt                // sign byte, then little-endian bytes
	kindText               // an int, then so many bytes; -1 is null
	kindTexts              // texts, ended by a null
	kindOffset             // flag byte, then little-endian bytes
)

const magicLen = 5

// maxText bounds a text that is kept: a name, or a function's name with its argument types.
const maxText = 1 << 20

// value is one field's. text is valid only while set runs.
type value struct {
	n    int64
	flag byte
	text []byte
	null bool
	size int64 // of the text, kept or not
}

// field is one step through the head.
type field struct {
	name string
	kind kind
	keep func(*Scanner) bool // texts: whether to hold the bytes; nil: always
	set  func(*Scanner, value)
}

// never is the keep of texts that only have to be passed.
func never(*Scanner) bool { return false }

// begin makes the field at hand the next value.
func (s *Scanner) begin() {
	switch s.head.field().kind {
	case kindMagic:
		s.expect(stateField, magicLen)
	case kindByte:
		s.expect(stateField, 1)
	case kindOffset:
		s.expect(stateField, 1+s.head.offSize)
	default:
		s.expect(stateField, 1+s.head.intSize)
	}
}

// gotField acts on a field's fixed bytes.
func (s *Scanner) gotField(b []byte) {
	f := s.head.field()
	switch f.kind {
	case kindMagic:
		s.set(value{text: b})
	case kindByte:
		s.set(value{n: int64(b[0])})
	case kindOffset:
		s.set(value{flag: b[0], n: int64(littleEndian(b[1:]))})
	case kindInt:
		if n, ok := s.integer(b); ok {
			s.set(value{n: n})
		}
	case kindText, kindTexts:
		if n, ok := s.integer(b); ok {
			s.startText(n)
		}
	}
}

// startText acts on a text's length, which is not to be trusted.
func (s *Scanner) startText(n int64) {
	h := &s.head
	f := h.field()
	h.text = h.text[:0]
	h.size = n
	h.left = n
	h.keep = f.keep == nil || f.keep(s)
	switch {
	case n == -1 || n == 0:
		s.set(value{null: n < 0})
	case n < 0:
		s.fail(ErrCorrupt, "length %d of %s", n, f.name)
	case h.keep && n > maxText:
		s.fail(ErrCorrupt, "%s of %d bytes", f.name, n)
	case n > s.opts.MaxHeadBytes-(s.pos-h.base):
		s.fail(ErrTooLarge, "%s of %d bytes", f.name, n)
	default:
		s.state = stateText
	}
}

func (s *Scanner) takeText(p []byte) int {
	h := &s.head
	n := int(min(h.left, int64(len(p))))
	if h.keep {
		h.text = append(h.text, p[:n]...)
	}
	h.left -= int64(n)
	s.pos += int64(n)
	if h.left == 0 {
		s.set(value{text: h.text, size: h.size})
	}
	return n
}

// set hands a value to its field and goes on to the next; a list goes on at its null.
func (s *Scanner) set(v value) {
	f := s.head.field()
	if f.set != nil {
		f.set(s, v)
	}
	if s.err != nil {
		return
	}
	if s.pos-s.head.base > s.opts.MaxHeadBytes {
		s.fail(ErrTooLarge, "more than %d bytes", s.opts.MaxHeadBytes)
		return
	}
	if f.kind != kindTexts || v.null {
		s.head.at++
	}
	if s.head.at == len(s.head.fields) {
		s.head.at = 0
		s.head.end(s)
		return
	}
	s.begin()
}

// integer decodes a sign byte and an absolute value.
func (s *Scanner) integer(b []byte) (int64, bool) {
	u := littleEndian(b[1:])
	if b[0] > 1 || u > 1<<62 {
		s.fail(ErrCorrupt, "no integer")
		return 0, false
	}
	if b[0] == 1 {
		return -int64(u), true
	}
	return int64(u), true
}

func littleEndian(b []byte) (u uint64) {
	for i := len(b) - 1; i >= 0; i-- {
		u = u<<8 | uint64(b[i])
	}
	return u
}
