package archive

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// Names stand in an archive in its encoding, that of the database as a rule. Here they are text: whoever asks a server
// for them, types or reads them, does so in UTF-8. Of encodings with one byte to a letter that is certain. Names of
// others, and of SQL_ASCII, where bytes mean what each client made of them, stay the bytes that they are.

// charmaps are PostgreSQL's encodings of one byte, as src/backend/utils/mb/Unicode has them.
var charmaps = map[string]*charmap.Charmap{
	"LATIN1": charmap.ISO8859_1, "LATIN2": charmap.ISO8859_2, "LATIN3": charmap.ISO8859_3, "LATIN4": charmap.ISO8859_4,
	"LATIN5": charmap.ISO8859_9, "LATIN6": charmap.ISO8859_10, "LATIN7": charmap.ISO8859_13, "LATIN8": charmap.ISO8859_14,
	"LATIN9": charmap.ISO8859_15, "LATIN10": charmap.ISO8859_16,
	"ISO_8859_5": charmap.ISO8859_5, "ISO_8859_6": charmap.ISO8859_6, "ISO_8859_7": charmap.ISO8859_7,
	"ISO_8859_8": charmap.ISO8859_8,
	"WIN866":     charmap.CodePage866, "WIN874": charmap.Windows874, "WIN1250": charmap.Windows1250,
	"WIN1251": charmap.Windows1251,
	"WIN1252": charmap.Windows1252, "WIN1253": charmap.Windows1253, "WIN1254": charmap.Windows1254,
	"WIN1255": charmap.Windows1255,
	"WIN1256": charmap.Windows1256, "WIN1257": charmap.Windows1257, "WIN1258": charmap.Windows1258,
	"KOI8R": charmap.KOI8R, "KOI8U": charmap.KOI8U,
}

// setEncoding is told before the first name: pg_dump writes the entry first, and pg_restore relies on it.
func (s *Scanner) setEncoding(name string) {
	s.arch.Encoding = name
	s.head.letters = charmaps[strings.ToUpper(name)]
	s.arch.Decoded = s.head.letters != nil
}

// text is a name of the archive.
func (s *Scanner) text(b []byte) string {
	if s.head.letters == nil {
		return string(b)
	}
	var text strings.Builder
	for _, c := range b {
		text.WriteRune(s.head.letters.DecodeByte(c))
	}
	return text.String()
}

// RawNames are names that are no UTF-8, which JSON cannot hold.
type RawNames struct {
	Namespace []byte `json:"namespace,omitempty"`
	Tag       []byte `json:"tag,omitempty"`
	Owner     []byte `json:"owner,omitempty"`
}

// keepRaw notes the bytes of names that JSON would lose.
func (e *Entry) keepRaw() {
	var raw RawNames
	for _, of := range e.rawNames(&raw) {
		if !utf8.ValidString(*of.name) {
			*of.bytes = []byte(*of.name)
			e.Raw = &raw
		}
	}
}

// RestoreRaw puts the bytes of names back that JSON lost, and reports how many there were.
func (e *Entry) RestoreRaw() (n int) {
	if e.Raw == nil {
		return 0
	}
	for _, of := range e.rawNames(e.Raw) {
		if len(*of.bytes) > 0 {
			*of.name = string(*of.bytes)
			n += len(*of.bytes)
		}
	}
	e.Raw = nil
	return n
}

type rawName struct {
	name  *string
	bytes *[]byte
}

func (e *Entry) rawNames(raw *RawNames) []rawName {
	return []rawName{{&e.Namespace, &raw.Namespace}, {&e.Tag, &raw.Tag}, {&e.Owner, &raw.Owner}}
}
