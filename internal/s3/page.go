package s3

import (
	"strconv"
	"strings"
	"time"
)

// A page of a listing has up to a thousand entries, and a bucket of many sets has hundreds of pages. The SDK's
// decoder takes 13 µs for an entry, most of it for encoding/xml's generality; a page as S3 and its like write it is
// read here in a tenth of that. Rules:
//
//   - only what is certain is taken: elements that are known, without attributes, of printable ASCII (keys are asked
//     for in URL encoding). At anything else the whole page is left to the SDK, see listPage
//   - what is taken is what the SDK would have read: a test fuzzes one against the other

// pageText is a page that was read: its entries as they are written, keys still encoded.
type pageText struct {
	entries   []Listed
	encoding  string
	truncated bool
	next      string // continuation token
}

// readPage is false for a page that is left to the SDK.
func readPage(document string) (pageText, bool) {
	in := pageScanner{rest: document}
	page := pageText{entries: make([]Listed, 0, min(strings.Count(document, "<Contents>"), 1000))}
	if !in.root("ListBucketResult") {
		return page, false
	}
	for {
		name, end := in.element("ListBucketResult")
		switch {
		case in.odd:
			return page, false
		case end:
			return page, strings.Trim(in.rest, xmlSpace) == ""
		}
		page.take(&in, name)
	}
}

func (p *pageText) take(in *pageScanner, name string) {
	switch name {
	case "Contents":
		p.entries = append(p.entries, in.entry())
	case "IsTruncated":
		p.truncated = in.truth()
	case "NextContinuationToken":
		p.next = in.text(name)
	case "EncodingType":
		p.encoding = in.text(name)
	case "Name", "Prefix", "StartAfter", "ContinuationToken", "Delimiter":
		in.text(name)
	case "MaxKeys", "KeyCount":
		in.count(name)
	default:
		in.odd = true
	}
}

// pageScanner walks through a page. Once something is odd, nothing that it gives counts.
type pageScanner struct {
	rest  string
	empty bool // the element that was stepped into is one like <Prefix/>
	odd   bool
}

const xmlSpace = " \t\r\n"

func (s *pageScanner) space() { s.rest = strings.TrimLeft(s.rest, xmlSpace) }

// root steps into the root element, which may name its namespace.
func (s *pageScanner) root(name string) bool {
	s.space()
	if declaration, rest, ok := strings.Cut(s.rest, "?>"); ok && strings.HasPrefix(s.rest, "<?xml ") {
		switch strings.ReplaceAll(declaration, "'", `"`) {
		case `<?xml version="1.0" encoding="UTF-8"`, `<?xml version="1.0"`:
		default:
			return false
		}
		s.rest = rest
		s.space()
	}
	rest, ok := strings.CutPrefix(s.rest, "<"+name)
	rest = strings.TrimPrefix(rest, ` xmlns="http://s3.amazonaws.com/doc/2006-03-01/"`)
	s.rest, ok = cutIf(rest, ">", ok)
	return ok
}

func cutIf(text, prefix string, ok bool) (string, bool) {
	rest, found := strings.CutPrefix(text, prefix)
	return rest, ok && found
}

// element is the name of the next element, or the end of the one it is in.
func (s *pageScanner) element(within string) (name string, end bool) {
	s.space()
	close := strings.IndexByte(s.rest, '>')
	if close < 2 || s.rest[0] != '<' {
		s.odd = true
		return "", false
	}
	name, s.empty = strings.CutSuffix(s.rest[1:close], "/")
	s.rest = s.rest[close+1:]
	if name == "" {
		s.odd = true
		return "", false
	}
	if name[0] == '/' {
		s.odd = s.odd || s.empty || name[1:] != within
		return "", true
	}
	return name, false
}

// text is the content of an element, and steps out of it.
func (s *pageScanner) text(name string) string {
	if s.empty {
		return ""
	}
	open := strings.IndexByte(s.rest, '<')
	if open < 0 {
		s.odd = true
		return ""
	}
	value := s.rest[:open]
	rest, ok := strings.CutPrefix(s.rest[open:], "</")
	rest, ok = cutIf(rest, name, ok)
	s.rest, ok = cutIf(rest, ">", ok)
	if !ok {
		s.odd = true
		return ""
	}
	plain := true
	for i := range len(value) {
		if c := value[i]; c < ' ' || c > '~' || c == '>' {
			s.odd = true
		} else if c == '&' {
			plain = false
		}
	}
	if plain {
		return value
	}
	return s.unescaped(value)
}

// unescaped knows the entities that stand in ETags and encoded keys.
func (s *pageScanner) unescaped(value string) string {
	var b strings.Builder
	for {
		before, after, more := strings.Cut(value, "&")
		b.WriteString(before)
		if !more {
			return b.String()
		}
		name, rest, closed := strings.Cut(after, ";")
		var char byte
		switch name {
		case "quot", "#34", "#x22":
			char = '"'
		case "amp", "#38":
			char = '&'
		case "apos", "#39":
			char = '\''
		case "lt":
			char = '<'
		case "gt":
			char = '>'
		}
		if !closed || char == 0 {
			s.odd = true
			return ""
		}
		b.WriteByte(char)
		value = rest
	}
}

func (s *pageScanner) truth() bool {
	switch s.text("IsTruncated") {
	case "true":
		return true
	case "false":
		return false
	}
	s.odd = true
	return false
}

// count is a number of at most 18 digits.
func (s *pageScanner) count(name string) int64 {
	digits := s.text(name)
	if len(digits) > 18 || strings.Trim(digits, "0123456789") != "" {
		s.odd = true
		return 0
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	s.odd = s.odd || err != nil
	return n
}

// entry is one object.
func (s *pageScanner) entry() (o Listed) {
	s.odd = s.odd || s.empty
	for !s.odd {
		name, end := s.element("Contents")
		if end {
			return o
		}
		switch name {
		case "Key":
			o.Key = s.text(name)
		case "LastModified":
			o.LastModified = s.time(name)
		case "ETag":
			o.ETag = s.text(name)
		case "Size":
			o.Size = s.count(name)
		case "StorageClass":
			o.StorageClass = s.text(name)
		case "ChecksumAlgorithm", "ChecksumType", "Type":
			s.text(name)
		case "Owner":
			s.owner()
		default:
			s.odd = true
		}
	}
	return Listed{}
}

// owner is stepped over: some stores tell it without being asked.
func (s *pageScanner) owner() {
	for !s.odd && !s.empty {
		name, end := s.element("Owner")
		switch {
		case end:
			return
		case name == "ID", name == "DisplayName":
			s.text(name)
			s.empty = false
		default:
			s.odd = true
		}
	}
}

// time is in UTC to the second or millisecond, as in "2006-01-02T15:04:05.000Z".
func (s *pageScanner) time(name string) time.Time {
	text := s.text(name)
	if len(text) != len("2006-01-02T15:04:05Z") && len(text) != len("2006-01-02T15:04:05.000Z") {
		s.odd = true
		return time.Time{}
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil || text[len(text)-1] != 'Z' {
		s.odd = true
	}
	return at
}
