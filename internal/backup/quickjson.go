package backup

import (
	"encoding"
	"encoding/json"
	"math"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A listing of very many sets decodes very many documents, and most of them were written by this program: indented by
// two spaces, members in the order of the struct's fields, plain text. For those encoding/json's generality is most
// of the time. They are read here in a fraction of it. Rules:
//
//   - only what is certain is taken: names that a field has exactly, printable ASCII without escapes, whole numbers of
//     up to 18 digits, no null, no member of a list or of an optional part twice. At anything else the whole document
//     is left to encoding/json
//   - what is taken is what encoding/json would have read: a test fuzzes one against the other
//   - strings are copied, so that no document is kept in memory by one of its words; those that documents have in
//     common (hosts, versions, stages) once for many

// unmarshal is json.Unmarshal into a document that is empty.
func unmarshal[T any](raw []byte, into *T) error {
	words := commonWords.Get().(*words)
	defer commonWords.Put(words)
	in := quickReader{rest: raw, words: words}
	in.value(reflect.ValueOf(into).Elem())
	in.space()
	if !in.odd && len(in.rest) == 0 {
		return nil
	}
	var zero T
	*into = zero
	return json.Unmarshal(raw, into)
}

// quickReader walks through a document. Once something is odd, nothing that it gave counts.
type quickReader struct {
	rest  []byte
	odd   bool
	words *words
}

// words are strings that were read lately, each in the place that its bytes lead to.
type words [256]string

// longestWord is the length up to which strings are looked for: no digest is.
const longestWord = 40

var commonWords = sync.Pool{New: func() any { return &words{} }}

// of is the text as a string.
func (w *words) of(text []byte) string {
	if len(text) > longestWord {
		return string(text)
	}
	hash := uint32(2166136261) // FNV-1a
	for _, c := range text {
		hash = (hash ^ uint32(c)) * 16777619
	}
	at := &w[(hash^hash>>16)%uint32(len(w))]
	if *at != string(text) {
		*at = string(text)
	}
	return *at
}

// members are a struct's fields by the names that they have in JSON.
type members struct {
	names []string
	field []int
	known bool // all of it is understood
}

// membersOf are found out once for each type.
var membersOf sync.Map // reflect.Type to members

func membersIn(t reflect.Type) members {
	if m, ok := membersOf.Load(t); ok {
		return m.(members)
	}
	m := members{known: true}
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "-" {
			continue
		}
		m.known = m.known && name != "" && f.IsExported() && !f.Anonymous && (options == "" || options == "omitempty") &&
			readsPlainly(f.Type)
		m.names, m.field = append(m.names, name), append(m.field, i)
	}
	membersOf.Store(t, m)
	return m
}

var (
	readsJSON = reflect.TypeFor[json.Unmarshaler]()
	readsText = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// readsPlainly is false for types that read themselves, but for times.
func readsPlainly(t reflect.Type) bool {
	if t == timeType {
		return true
	}
	if at := reflect.PointerTo(t); at.Implements(readsJSON) || at.Implements(readsText) {
		return false
	}
	switch t.Kind() {
	case reflect.String, reflect.Bool, reflect.Int, reflect.Int64, reflect.Float64:
		return true
	case reflect.Pointer, reflect.Slice:
		return readsPlainly(t.Elem())
	case reflect.Struct:
		return membersIn(t).known
	}
	return false
}

func (q *quickReader) value(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(q.words.of(q.text()))
	case reflect.Bool:
		v.SetBool(q.truth())
	case reflect.Int, reflect.Int64:
		v.SetInt(q.whole())
	case reflect.Float64:
		v.SetFloat(q.number())
	case reflect.Pointer:
		q.odd = q.odd || !v.IsNil()
		if !q.odd {
			v.Set(reflect.New(v.Type().Elem()))
			q.value(v.Elem())
		}
	case reflect.Slice:
		q.list(v)
	case reflect.Struct:
		if v.Type() == timeType {
			q.time(v.Addr().Interface().(*time.Time))
		} else {
			q.object(v)
		}
	default:
		q.odd = true
	}
}

func (q *quickReader) object(v reflect.Value) {
	m := membersIn(v.Type())
	q.odd = q.odd || !m.known
	if !q.take('{') {
		return
	}
	if q.peek() == '}' {
		q.take('}')
		return
	}
	next := 0 // the member that is likely
	for !q.odd {
		name := q.text()
		i := next
		for i < len(m.names) && m.names[i] != string(name) {
			i++
		}
		if i == len(m.names) { // they need not come in order
			for i = 0; i < next && m.names[i] != string(name); i++ {
			}
			if i == next {
				q.odd = true
				return
			}
		}
		next = i + 1
		q.take(':')
		q.value(v.Field(m.field[i]))
		if q.peek() == '}' {
			q.take('}')
			return
		}
		q.take(',')
	}
}

func (q *quickReader) list(v reflect.Value) {
	q.odd = q.odd || !v.IsNil()
	if !q.take('[') {
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), 0, 0))
	if q.peek() == ']' {
		q.take(']')
		return
	}
	for !q.odd {
		if v.Len() == v.Cap() {
			v.Grow(max(1, min(v.Len(), 1024)))
		}
		v.SetLen(v.Len() + 1)
		v.Index(v.Len() - 1).SetZero()
		q.value(v.Index(v.Len() - 1))
		if q.peek() == ']' {
			q.take(']')
			return
		}
		q.take(',')
	}
}

func (q *quickReader) space() {
	i := 0
	for i < len(q.rest) && (q.rest[i] == ' ' || q.rest[i] == '\n' || q.rest[i] == '\r' || q.rest[i] == '\t') {
		i++
	}
	q.rest = q.rest[i:]
}

// peek is the next character, 0 at the end.
func (q *quickReader) peek() byte {
	q.space()
	if len(q.rest) == 0 {
		return 0
	}
	return q.rest[0]
}

func (q *quickReader) take(c byte) bool {
	if q.odd = q.odd || q.peek() != c; q.odd {
		return false
	}
	q.rest = q.rest[1:]
	return true
}

// text is what stands between two quotes.
func (q *quickReader) text() []byte {
	if !q.take('"') {
		return nil
	}
	for i, c := range q.rest {
		switch {
		case c == '"':
			text := q.rest[:i]
			q.rest = q.rest[i+1:]
			return text
		case c < ' ' || c > '~' || c == '\\':
			q.odd = true
			return nil
		}
	}
	q.odd = true
	return nil
}

func (q *quickReader) time(at *time.Time) {
	q.space()
	before := q.rest
	if q.text(); q.odd {
		return
	}
	quoted := before[:len(before)-len(q.rest)]
	q.odd = at.UnmarshalJSON(quoted) != nil
}

func (q *quickReader) truth() bool {
	q.space()
	for _, word := range []struct {
		text string
		is   bool
	}{{"true", true}, {"false", false}} {
		if len(q.rest) >= len(word.text) && string(q.rest[:len(word.text)]) == word.text {
			q.rest = q.rest[len(word.text):]
			return word.is
		}
	}
	q.odd = true
	return false
}

// digits is a run of them that JSON allows: none begins with a zero but zero itself.
func (q *quickReader) digits() []byte {
	i := 0
	for i < len(q.rest) && q.rest[i] >= '0' && q.rest[i] <= '9' {
		i++
	}
	run := q.rest[:i]
	q.odd = q.odd || i == 0 || i > 18 || i > 1 && run[0] == '0'
	q.rest = q.rest[i:]
	return run
}

// whole is a number without a sign or fraction.
func (q *quickReader) whole() (n int64) {
	q.space()
	for _, c := range q.digits() {
		n = 10*n + int64(c-'0')
	}
	if len(q.rest) > 0 && strings.IndexByte(".eE", q.rest[0]) >= 0 {
		q.odd = true
	}
	return n
}

// number is one without a sign or exponent.
func (q *quickReader) number() float64 {
	q.space()
	before := q.rest
	q.digits()
	if !q.odd && len(q.rest) > 0 && q.rest[0] == '.' {
		q.rest = q.rest[1:]
		i := 0
		for i < len(q.rest) && q.rest[i] >= '0' && q.rest[i] <= '9' {
			i++
		}
		q.odd = i == 0 || i > 30
		q.rest = q.rest[i:]
	}
	if q.odd || len(q.rest) > 0 && (q.rest[0] == 'e' || q.rest[0] == 'E') {
		q.odd = true
		return 0
	}
	f, err := strconv.ParseFloat(string(before[:len(before)-len(q.rest)]), 64)
	q.odd = err != nil || math.IsInf(f, 0)
	return f
}
