// One entry read from the journal.
//
// Rules: values are raw, as somebody wrote them (escapes, newlines, forged PGBTUI_ fields):
// whoever shows one passes it through printable. Sizes are bounded here, whatever was written.

package journal

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"codeberg.org/pgbtui/pgbtui/internal/event"
)

// The most that is kept of an entry, in bytes.
const (
	maxMessage = 64 << 10
	maxValue   = 4 << 10  // of one field
	maxFields  = 64 << 10 // of all fields, names included
)

// Entry is one journal entry. Fields that begin with an underscore, and Unit, InvocationID,
// PID and Time, are journald's or systemd's own word; the rest is what the writer claims.
type Entry struct {
	Cursor       string
	Time         time.Time // when journald took it
	Priority     int       // 0 emergency .. 7 debug; 6 when the entry has none
	Unit         string    // that wrote it, or that systemd wrote about
	Message      string    // at most 64 KiB
	MessageID    string
	Event        string // of the catalogue by MessageID, else PGBTUI_EVENT, else ""
	RunID        string
	InvocationID string
	PID          int               // 0 when unknown
	Fields       map[string]string // all but MESSAGE, each at most 4 KiB, 64 KiB together
	Truncated    bool              // something was too large, and was cut or left out
}

func (e *Entry) sizeBytes() int {
	n := len(e.Message)
	for k, v := range e.Fields {
		n += len(k) + len(v)
	}
	return n
}

// newEntry takes over fields, which holds MESSAGE too.
func newEntry(cursor string, realtimeUsec uint64, fields map[string]string) Entry {
	e := Entry{
		Cursor:    cursor,
		Time:      time.UnixMicro(int64(min(realtimeUsec, 1<<62))),
		Priority:  6,
		Message:   fields["MESSAGE"],
		MessageID: fields["MESSAGE_ID"],
		RunID:     fields["PGBTUI_RUN_ID"],
	}
	if p := fields["PRIORITY"]; len(p) == 1 && p[0] >= '0' && p[0] <= '7' {
		e.Priority = int(p[0] - '0')
	}
	if pid, err := strconv.Atoi(fields["_PID"]); err == nil {
		e.PID = pid
	}
	e.Unit, e.InvocationID = fields["_SYSTEMD_UNIT"], fields["_SYSTEMD_INVOCATION_ID"]
	// systemd itself writes about a unit; from anybody else UNIT= is only a claim.
	if about := fields["UNIT"]; about != "" && fields["_PID"] == "1" {
		e.Unit, e.InvocationID = about, fields["INVOCATION_ID"]
	}
	if e.Event = event.Name(e.MessageID); e.Event == "" {
		e.Event = fields["PGBTUI_EVENT"]
	}
	delete(fields, "MESSAGE")
	e.bound(fields)
	return e
}

// bound cuts what is too large. journald's own fields come first, so that nobody can push
// them out with many fields of his own.
func (e *Entry) bound(fields map[string]string) {
	for _, s := range []*string{&e.Unit, &e.MessageID, &e.Event, &e.RunID, &e.InvocationID} {
		*s = e.cut(*s, maxValue)
	}
	e.Message = e.cut(e.Message, maxMessage)
	names := slices.SortedFunc(maps.Keys(fields), func(a, b string) int {
		if own := trusted(b) - trusted(a); own != 0 {
			return own
		}
		return strings.Compare(a, b)
	})
	e.Fields = make(map[string]string, len(names))
	left := maxFields
	for _, name := range names {
		value := e.cut(fields[name], maxValue)
		if left -= len(name) + len(value); left < 0 {
			e.Truncated = true
			return
		}
		e.Fields[name] = value
	}
}

func trusted(name string) int {
	if strings.HasPrefix(name, "_") {
		return 1
	}
	return 0
}

// cut shortens s to at most size bytes, not inside a rune. What it returns does not keep a
// longer s in memory.
func (e *Entry) cut(s string, size int) string {
	if len(s) <= size {
		return s
	}
	e.Truncated = true
	for back := 0; back < utf8.UTFMax-1 && size > 0 && !utf8.RuneStart(s[size]); back++ {
		size--
	}
	return strings.Clone(s[:size])
}
