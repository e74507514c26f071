// What to read: a query, and the journal matches it becomes.
//
// The trust rule lives here and nowhere else: an entry belongs to unit U when journald saw it
// come from U (_SYSTEMD_UNIT=U), or when process 1 wrote about U (UNIT=U and _PID=1). Everything
// else in a query only narrows that. Fields without the leading underscore can be forged.

package journal

import (
	"errors"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ErrNoSubject is a query with neither units nor an invocation.
var ErrNoSubject = errors.New("journal: a query needs a unit or an invocation id")

// Query selects entries. Units or InvocationID is required; everything set must hold.
type Query struct {
	Units        []string // unit names; *, ? and [...] match as in systemctl
	InvocationID string   // of one start of a unit, as systemd gives it: 32 hex digits
	RunID        string   // as the writer claims; entries of systemd itself have none
	MessageIDs   []string // of these kinds only, as journald's catalogue and this package's give them; none: all
	MaxPriority  int      // 1..7: this syslog priority and more urgent ones; 0: all
	Since, Until time.Time
	Search       string // in the message, upper and lower case alike
}

func (q Query) check() error {
	if len(q.Units) == 0 && q.InvocationID == "" {
		return ErrNoSubject
	}
	return nil
}

// matches are the query as alternatives of FIELD=value. Within one alternative, values of one
// field are joined by "or" and fields by "and": the meaning of sd_journal_add_match(3) and of
// journalctl's arguments with "+". None means that nothing can match.
func (q Query) matches(units []string) [][]string {
	if len(units) == 0 && len(q.Units) > 0 {
		return nil
	}
	var from, about []string
	for _, u := range units {
		from = append(from, "_SYSTEMD_UNIT="+u)
		about = append(about, "UNIT="+u)
	}
	about = append(about, "_PID=1")
	if q.InvocationID != "" {
		from = append(from, "_SYSTEMD_INVOCATION_ID="+q.InvocationID)
		about = append(about, "INVOCATION_ID="+q.InvocationID)
	}
	if q.RunID != "" {
		return [][]string{append(append(from, "PGBTUI_RUN_ID="+q.RunID), q.narrower()...)}
	}
	return [][]string{append(from, q.narrower()...), append(about, q.narrower()...)}
}

// narrower is what holds of every alternative.
func (q Query) narrower() []string {
	out := q.priorities()
	for _, id := range q.MessageIDs {
		out = append(out, "MESSAGE_ID="+id)
	}
	return out
}

func (q Query) priorities() []string {
	if q.MaxPriority <= 0 || q.MaxPriority >= 7 {
		return nil
	}
	var out []string
	for p := range q.MaxPriority + 1 {
		out = append(out, "PRIORITY="+strconv.Itoa(p))
	}
	return out
}

// hasGlobs reports whether the units depend on what the journal holds.
func (q Query) hasGlobs() bool { return slices.ContainsFunc(q.Units, isGlob) }

func isGlob(unit string) bool { return strings.ContainsAny(unit, "*?[") }

// maxUnits bounds what globs may grow to: anybody can write any number of UNIT= values.
const maxUnits = 1024

// resolve replaces globs by the names that match. Of the known names, those that journald
// recorded itself must come first.
func (q Query) resolve(known []string) []string {
	var units []string
	for _, pattern := range q.Units {
		if !isGlob(pattern) {
			units = append(units, pattern)
			continue
		}
		for _, name := range known {
			if len(units) < maxUnits && globMatch(pattern, name) {
				units = append(units, name)
			}
		}
	}
	slices.Sort(units)
	return slices.Compact(units)
}

// globMatch takes a backslash as itself, as systemd does: escaped unit names are full of them.
func globMatch(pattern, name string) bool {
	ok, err := path.Match(strings.ReplaceAll(pattern, `\`, `\\`), name)
	return ok && err == nil
}

// found reports whether message contains the searched text.
func (q Query) found(message string) bool {
	return q.Search == "" || strings.Contains(strings.ToLower(message), strings.ToLower(q.Search))
}
