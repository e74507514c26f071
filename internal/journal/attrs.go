// Attributes of a slog record as flat pairs of key and text: what both handlers write.
//
// Rules: a group's name goes before its members' keys, a later pair with the same key replaces
// an earlier one, values become text in one way for journal and terminal.

package journal

import (
	"fmt"
	"log/slog"
	"math"
	"slices"
	"strconv"
	"time"
)

// pair is one attribute: key "set" or, inside a group, "target.host".
type pair struct{ key, value string }

// scope is what WithAttrs and WithGroup have collected for a handler.
type scope struct {
	pairs  []pair
	prefix string // "target." inside group target
}

func (s scope) withAttrs(attrs []slog.Attr) scope {
	s.pairs = slices.Clip(s.pairs)
	for _, a := range attrs {
		s.pairs = appendAttr(s.pairs, s.prefix, a)
	}
	return s
}

func (s scope) withGroup(name string) scope {
	if name != "" {
		s.prefix += name + "."
	}
	return s
}

// record is the scope's pairs and then the record's own, each key once, at its first place.
func (s scope) record(r slog.Record) []pair {
	all := slices.Clip(s.pairs)
	r.Attrs(func(a slog.Attr) bool {
		all = appendAttr(all, s.prefix, a)
		return true
	})
	once := make([]pair, 0, len(all))
	for _, p := range all {
		if i := slices.IndexFunc(once, func(o pair) bool { return o.key == p.key }); i >= 0 {
			once[i] = p
		} else {
			once = append(once, p)
		}
	}
	return once
}

func appendAttr(pairs []pair, prefix string, a slog.Attr) []pair {
	value := a.Value.Resolve()
	if value.Kind() != slog.KindGroup {
		if a.Key == "" {
			return pairs
		}
		return append(pairs, pair{prefix + a.Key, text(value)})
	}
	if a.Key != "" {
		prefix += a.Key + "."
	}
	for _, member := range value.Group() {
		pairs = appendAttr(pairs, prefix, member)
	}
	return pairs
}

func text(v slog.Value) string {
	switch v.Kind() {
	case slog.KindTime:
		return v.Time().UTC().Format(time.RFC3339Nano)
	case slog.KindFloat64:
		return strconv.FormatFloat(math.Round(v.Float64()*1000)/1000, 'f', -1, 64) // thousandths say enough of anything here
	case slog.KindAny:
		return fmt.Sprint(v.Any())
	}
	return v.String()
}

func lookup(pairs []pair, key string) string {
	for _, p := range pairs {
		if p.key == key {
			return p.value
		}
	}
	return ""
}
