package beside

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/pitr/wal"
)

// Target is where a recovery stops: exactly one of these, or the end of what is archived.
type Target struct {
	Time time.Time `json:"time,omitzero"` // the last moment whose commits are there
	LSN  wal.LSN   `json:"lsn,omitzero"`
	Name string    `json:"name,omitempty"`      // of a restore point
	XID  uint32    `json:"beforeXid,omitempty"` // the last moment before this transaction ended
	End  bool      `json:"end,omitempty"`
}

// timeForms are those that are taken for a target. Each has a zone: a time without one would be another on a host
// that stands elsewhere.
var timeForms = []string{
	time.RFC3339Nano, "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999Z07",
	"2006-01-02 15:04:05.999999999 Z07:00", "2006-01-02 15:04:05.999999999 -0700", "2006-01-02 15:04:05.999999999 UTC",
	"2006-01-02 15:04Z07:00", "2006-01-02T15:04Z07:00", "2006-01-02 15:04 UTC",
}

// ParseTime reads the time of a target. PostgreSQL knows microseconds and no smaller part.
func ParseTime(text string) (time.Time, error) {
	for _, form := range timeForms {
		if at, err := time.Parse(form, strings.TrimSpace(text)); err == nil {
			return at.UTC().Truncate(time.Microsecond), nil
		}
	}
	for _, form := range []string{"2006-01-02 15:04:05.999999999", "2006-01-02T15:04:05.999999999", "2006-01-02 15:04"} {
		if at, err := time.Parse(form, strings.TrimSpace(text)); err == nil {
			return time.Time{}, fault.New(fault.Usage, fmt.Sprintf("%q has no time zone", text),
				fmt.Sprintf("Write it with one, such as %q, or in UTC as %q.", at.Format("2006-01-02 15:04:05")+"+01:00",
					at.Format("2006-01-02 15:04:05")+" UTC"), nil)
		}
	}
	return time.Time{}, fault.New(fault.Usage, fmt.Sprintf("%.60q is not a time", text),
		`Write it as "2026-11-28 14:31:59+01:00" or as "2026-11-28 13:31:59 UTC".`, nil)
}

// longestName of a restore point, in bytes (MAXFNAMELEN).
const longestName = 63

// wrong is what is contradictory or missing, or "".
func (t Target) wrong() string {
	given := 0
	for _, set := range []bool{!t.Time.IsZero(), t.LSN != 0, t.Name != "", t.XID != 0, t.End} {
		if set {
			given++
		}
	}
	switch {
	case given != 1:
		return "not exactly one of a time, a position, a restore point, a transaction and the end"
	case len(t.Name) > longestName, strings.ContainsAny(t.Name, "\x00\n\r"):
		return "the name of the restore point is longer than PostgreSQL takes, or has a line break"
	case !t.Time.IsZero() && (t.Time.Year() < 2000 || t.Time.Year() > 9999):
		return "the time is not between the years 2000 and 9999"
	case t.XID != 0 && t.XID < 3:
		return "transactions have numbers from 3 on"
	}
	return ""
}

// Check refuses a target that says nothing or too much.
func (t Target) Check() error {
	if wrong := t.wrong(); wrong != "" {
		return fault.New(fault.Usage, "pitr: the target: "+wrong,
			"Give one of --to TIME, --to-lsn, --to-name, --before-xid and --to-end.", nil)
	}
	return nil
}

// String is the target in words.
func (t Target) String() string {
	switch {
	case !t.Time.IsZero():
		return serverTime(t.Time)
	case t.LSN != 0:
		return "position " + t.LSN.String()
	case t.Name != "":
		return fmt.Sprintf("restore point %q", t.Name)
	case t.XID != 0:
		return "before transaction " + strconv.FormatUint(uint64(t.XID), 10)
	case t.End:
		return "the end of the archive"
	}
	return "nothing"
}

// serverTime is a time as PostgreSQL reads and writes it.
func serverTime(at time.Time) string { return at.UTC().Format("2006-01-02 15:04:05.999999") + "+00" }

// settings are the server's parameters for it. A target at the end is the position of the last record that is wanted:
// without a target the server would not pause, but become a new primary at once.
func (t Target) settings() []parameter {
	switch {
	case !t.Time.IsZero():
		return []parameter{{"recovery_target_time", serverTime(t.Time)}}
	case t.LSN != 0:
		return []parameter{{"recovery_target_lsn", t.LSN.String()}}
	case t.Name != "":
		return []parameter{{"recovery_target_name", t.Name}}
	case t.XID != 0:
		return []parameter{
			{"recovery_target_xid", strconv.FormatUint(uint64(t.XID), 10)}, {"recovery_target_inclusive", "off"},
		}
	}
	return nil
}
