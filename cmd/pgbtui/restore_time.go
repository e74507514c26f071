package main

import (
	"fmt"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
	"codeberg.org/pgbtui/pgbtui/internal/readable"
)

// jsonEstimate is how long a restore will take, and how that is known.
type jsonEstimate struct {
	Seconds    int64     `json:"seconds"`
	Kind       string    `json:"kind"`       // of the proof that was timed: "drill" or "restore"
	MeasuredAt time.Time `json:"measuredAt"` // when it ended
	Host       string    `json:"host"`       // where it was
	Scaled     bool      `json:"scaled"`     // another set was timed: scaled by size
}

// estimateJSON is nil, null in JSON, when no set of the database was ever restored.
func estimateJSON(sets []backup.Set, set *backup.Set) *jsonEstimate {
	e, ok := backup.RestoreTime(sets, set)
	if !ok {
		return nil
	}
	return &jsonEstimate{
		Seconds: int64(e.Duration.Round(time.Second).Seconds()), Kind: e.From.Kind,
		MeasuredAt: e.From.FinishedAt.UTC(), Host: e.From.Host, Scaled: e.Scaled,
	}
}

// text says it in one line, also that nobody knows.
func (e *jsonEstimate) text(now time.Time) string {
	if e == nil {
		return "restore time unknown: no drill or restore has succeeded yet"
	}
	how := "restored"
	if e.Kind == "drill" {
		how = "drilled"
	}
	where := "this host"
	if e.Host != hostname() {
		where = "host " + printable.Text(e.Host)
	}
	scaled := ""
	if e.Scaled {
		scaled = ", scaled by size"
	}
	takes := about(time.Duration(e.Seconds) * time.Second)
	ago := readable.Age(now.Sub(e.MeasuredAt))
	return fmt.Sprintf("restore takes about %s (%s %s ago on %s%s)", takes, how, ago, where, scaled)
}

// about is a duration as rough as it is known: "40 s", "12 min", "3 h 20 min".
func about(d time.Duration) string {
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", int(d.Round(time.Minute).Minutes()))
	}
	d = d.Round(10 * time.Minute)
	return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
}
