package backup

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/readable"
)

// Progress is one look at a run that is going on. Unknown totals are 0.
type Progress struct {
	Action   string        // "backup", "verify", "restore", "drill"
	Database string        // of the source
	Stage    Stage         // now
	Bytes    int64         // raw bytes so far in this stage
	Total    int64         // raw bytes expected; an estimate
	Rate     float64       // raw bytes per second, over the last seconds
	Limit    string        // what may be sent at most, such as "30 MB/s", "" without a limit
	Table    string        // what is being copied, "" when unknown
	Idle     time.Duration // since the last byte moved
	Quiet    time.Duration // since the last sign of life: a byte, or the server at work
	Doing    string        // what the server does meanwhile, "" when unknown
}

// Percent is 0..99 while going on, or -1 when the total is unknown.
func (p Progress) Percent() int {
	if p.Total <= 0 {
		return -1
	}
	return int(min(99, p.Bytes*100/p.Total))
}

// longestLeft is the most that is foretold.
const longestLeft = 30 * 24 * time.Hour

// Left is the expected time to the end of the stage, or 0 when unknown.
func (p Progress) Left() time.Duration {
	if p.Rate <= 0 || p.Total <= p.Bytes {
		return 0
	}
	seconds := float64(p.Total-p.Bytes) / p.Rate
	if seconds > longestLeft.Seconds() { // hardly anything moves
		return 0
	}
	return time.Duration(seconds * float64(time.Second)).Round(time.Second)
}

// Status is the one line that a unit's STATUS= carries. ParseStatus reads it back, so that
// the console can draw a bar from what systemd hands out over D-Bus.
//
//	backup: dump 42%, 1.2 GiB of 2.9 GiB, 85 MiB/s, 20s left
func (p Progress) Status() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", p.Action, p.Stage)
	if pc := p.Percent(); pc >= 0 {
		fmt.Fprintf(&b, " %d%%, %s of %s", pc, readable.Size(p.Bytes), readable.Size(p.Total))
	} else if p.Bytes > 0 {
		fmt.Fprintf(&b, " %s", readable.Size(p.Bytes))
	}
	if p.Rate > 0 {
		fmt.Fprintf(&b, ", %s/s", readable.Size(int64(p.Rate)))
	}
	if l := p.Left(); l > 0 {
		fmt.Fprintf(&b, ", %s left", l)
	}
	if p.Limit != "" {
		fmt.Fprintf(&b, ", sending at most %s", p.Limit)
	}
	if p.Idle >= 5*time.Second {
		fmt.Fprintf(&b, ", no byte for %s", p.Idle.Round(time.Second))
		if p.Doing != "" {
			b.WriteString(": " + p.Doing)
		}
	}
	return b.String()
}

var statusLine = regexp.MustCompile(`^([a-z]+): ([a-z]+)(?: (\d{1,2})%)?`)

// ParseStatus reads the action, stage and percentage (-1: unknown) of a line made by Status.
// ok is false for other text.
func ParseStatus(line string) (action string, stage Stage, percent int, ok bool) {
	m := statusLine.FindStringSubmatch(line)
	if m == nil {
		return "", "", -1, false
	}
	percent = -1
	if m[3] != "" {
		percent, _ = strconv.Atoi(m[3])
	}
	return m[1], Stage(m[2]), percent, true
}
