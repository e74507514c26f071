package main

import (
	"context"
	"slices"

	"codeberg.org/pgbtui/pgbtui/internal/journal"
	"codeberg.org/pgbtui/pgbtui/internal/watch"
)

// unitSkipped is systemd's kind of entry about a unit that a condition kept from starting
// (SD_MESSAGE_UNIT_SKIPPED).
const unitSkipped = "0e4284a0caca4bfc81c0bb6786972673"

// endsBack is how many pages of a unit's entries are looked through, 200 each: more than its last few
// runs have.
const endsBack = 5

// lastEnds is how a unit last ended well, and was last skipped, as far as the journal says. Only the
// unit's own record counts, and of systemd only process 1.
func lastEnds(ctx context.Context, unit string) (ends watch.Ends) {
	reader, err := journal.Open(ctx, journal.Options{})
	if err != nil {
		return ends
	}
	defer func() { _ = reader.Close() }()
	at := journal.Position{Direction: journal.Older, Limit: 200}
	for range endsBack {
		page, err := reader.Page(ctx, journal.Query{Units: []string{unit}}, at)
		if err != nil {
			return ends
		}
		for _, e := range slices.Backward(page.Entries) {
			switch {
			case e.PID == 1 && e.MessageID == unitSkipped && ends.Skipped.IsZero():
				ends.Skipped = e.Time
			case e.PID != 1 && e.Event == journal.EventRunEnded && e.Fields["PGBTUI_RESULT"] == "success":
				ends.Good = e.Time
				return ends
			}
		}
		if !page.More {
			return ends
		}
		at.Cursor = page.Next
	}
	return ends
}
