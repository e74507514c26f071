package archive

import "fmt"

// The head of an archive: a preamble that gives the widths, the header, and the table of
// contents (toc.go). Source: ReadHead in src/bin/pg_dump/pg_backup_archiver.c.

const (
	magic        = "PGDMP"
	customFormat = 1 // archCustom of pg_backup.h
	minMinor     = 14
	maxMinor     = 16
	minorAlgo    = 15 // compression algorithm in the header
	minorRelkind = 16 // relkind in the entries
)

// head is what reading the head needs to remember.
type head struct {
	part   string // for messages: "header", "table of contents"
	fields []field
	at     int            // index into fields
	end    func(*Scanner) // after the last field

	keep       bool // the text at hand
	text       []byte
	size, left int64

	base     int64 // where what is read began
	repeated bool  // it is the second table of contents, or that was read

	major, minor, rev int64
	intSize, offSize  int
	compressed        bool

	toc
}

func (h *head) field() field { return h.fields[h.at] }

// startHead expects the preamble.
func (s *Scanner) startHead() {
	s.head = head{part: "header", fields: preamble(), end: (*Scanner).startHeader}
	s.begin()
}

func preamble() []field {
	return []field{
		{name: "magic", kind: kindMagic, set: (*Scanner).setMagic},
		{name: "major version", kind: kindByte, set: func(s *Scanner, v value) { s.head.major = v.n }},
		{name: "minor version", kind: kindByte, set: func(s *Scanner, v value) { s.head.minor = v.n }},
		{name: "revision", kind: kindByte, set: (*Scanner).setRevision},
		{name: "size of integers", kind: kindByte, set: func(s *Scanner, v value) { s.setWidth(&s.head.intSize, v) }},
		{name: "size of offsets", kind: kindByte, set: func(s *Scanner, v value) { s.setWidth(&s.head.offSize, v) }},
		{name: "format", kind: kindByte, set: (*Scanner).setFormat},
	}
}

func (s *Scanner) setMagic(v value) {
	if string(v.text) != magic {
		s.fail(ErrUnsupported, "not made by pg_dump -Fc")
	}
}

func (s *Scanner) setRevision(v value) {
	h := &s.head
	h.rev = v.n
	s.arch.Format = fmt.Sprintf("%d.%d.%d", h.major, h.minor, h.rev)
	if h.major != 1 || h.minor < minMinor || h.minor > maxMinor {
		s.fail(ErrUnsupported, "version %s, known are 1.%d to 1.%d", s.arch.Format, minMinor, maxMinor)
	}
}

// setWidth takes what every platform of PostgreSQL has had: 4-byte ints, 4- or 8-byte offsets.
func (s *Scanner) setWidth(to *int, v value) {
	if v.n != 4 && v.n != 8 {
		s.fail(ErrUnsupported, "%s is %d bytes", s.head.field().name, v.n)
	}
	*to = int(v.n)
}

func (s *Scanner) setFormat(v value) {
	if v.n != customFormat {
		s.fail(ErrUnsupported, "archive kind %d is not the custom format", v.n)
	}
}

// startHeader expects what follows the preamble, now that version and widths are known.
func (s *Scanner) startHeader() {
	s.head.fields, s.head.end = headerFields(s.head.minor), (*Scanner).startEntries
	s.begin()
}

func headerFields(minor int64) []field {
	compression := field{name: "compression level", kind: kindInt, set: (*Scanner).setLevel}
	if minor >= minorAlgo {
		compression = field{name: "compression algorithm", kind: kindByte, set: (*Scanner).setAlgorithm}
	}
	fields := []field{compression}
	for _, part := range []string{"seconds", "minutes", "hours", "day", "month", "year", "summer time"} {
		fields = append(fields, field{name: part, kind: kindInt})
	}
	return append(fields,
		field{name: "database name", kind: kindText, set: func(s *Scanner, v value) { s.arch.Database = string(v.text) }},
		field{
			name: "server version", kind: kindText, set: func(s *Scanner, v value) { s.arch.ServerVersion = string(v.text) },
		},
		field{
			name: "pg_dump version", kind: kindText, set: func(s *Scanner, v value) { s.arch.DumpVersion = string(v.text) },
		},
		field{name: "number of entries", kind: kindInt, set: (*Scanner).setEntryCount},
	)
}

// setLevel is 1.14's: any level but 0 is zlib, -1 its default.
func (s *Scanner) setLevel(v value) {
	s.arch.Compression = "none"
	if v.n != 0 {
		s.arch.Compression, s.head.compressed = "gzip", true
	}
}

// setAlgorithm is 1.15's pg_compress_algorithm, of src/include/common/compression.h.
func (s *Scanner) setAlgorithm(v value) {
	names := []string{"none", "gzip", "lz4", "zstd"}
	if v.n >= int64(len(names)) {
		s.fail(ErrUnsupported, "compression algorithm %d", v.n)
		return
	}
	s.arch.Compression = names[v.n]
	s.head.compressed = v.n != 0
}
