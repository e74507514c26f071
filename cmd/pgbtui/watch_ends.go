package main

import (
	"context"
	"slices"

	"codeberg.org/pgbtui/pgbtui/internal/event"
	"codeberg.org/pgbtui/pgbtui/internal/journal"
	"codeberg.org/pgbtui/pgbtui/internal/watch"
)

// unitSkipped is systemd's kind of entry about a unit that a condition kept from starting
// (SD_MESSAGE_UNIT_SKIPPED).
const unitSkipped = "0e4284a0caca4bfc81c0bb6786972673"

// historyPages is how many pages of a unit's entries are searched, 200 each: more than its last few runs have.
const historyPages = 5

// runHistory is when a unit last succeeded, and was last skipped, by the journal. Only the unit's own entries count,
// and of systemd only those of process 1.
func runHistory(ctx context.Context, unit string) (history watch.RunHistory) {
	reader, err := journal.Open(ctx, journal.Options{})
	if err != nil {
		return history
	}
	defer func() { _ = reader.Close() }()
	at := journal.Position{Direction: journal.Older, Limit: 200}
	for range historyPages {
		page, err := reader.Page(ctx, journal.Query{Units: []string{unit}}, at)
		if err != nil {
			return history
		}
		for _, e := range slices.Backward(page.Entries) {
			switch {
			case e.PID == 1 && e.MessageID == unitSkipped && history.LastSkipped.IsZero():
				history.LastSkipped = e.Time
			case e.PID != 1 && e.Event == event.RunEnded && e.Fields["PGBTUI_RESULT"] == "success":
				history.LastGood = e.Time
				return history
			}
		}
		if !page.More {
			return history
		}
		at.Cursor = page.Next
	}
	return history
}
