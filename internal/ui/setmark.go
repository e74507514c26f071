// A set's state as a mark, and the last days of a database as a row of them.

package ui

import (
	"slices"
	"strings"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
)

// lastDays is one mark per day of sets, oldest first, ending today: was there a good set, a failed proof,
// an incomplete run, or nothing.
func lastDays(sh *shared, sets []backup.Set, days int) string {
	marks := slices.Repeat([]mark{{"·", "", 0, toneFaint}}, days)
	today := midnight(sh.now.In(sh.Zone))
	for i := range sets {
		s := &sets[i]
		if sh.now.Sub(s.FinishedAt) > time.Duration(days+1)*24*time.Hour {
			continue
		}
		// Rounded, since a day may have 23 or 25 hours.
		ago := int((today.Sub(midnight(s.FinishedAt.In(sh.Zone))) + 12*time.Hour) / (24 * time.Hour))
		if ago < 0 || ago >= days {
			continue
		}
		m := &marks[days-1-ago]
		if n := setMark(s); m.glyph == "·" || n.rank < m.rank {
			*m = n
		}
	}
	var b strings.Builder
	for _, m := range marks {
		b.WriteString(sh.style(m.tone).Render(m.glyph))
	}
	return b.String()
}

func midnight(t time.Time) time.Time {
	y, m, d := t.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, t.Location())
}

// setMark is a set's state. What nobody vouches for has words of its own: it looks whole, and is
// what somebody may have planted.
func setMark(s *backup.Set) mark {
	switch {
	case s.Loss() != "":
		return mark{glyph: "✗", word: "LOST", rank: 7, tone: toneBad}
	case s.Kind == backup.KindIncomplete:
		return mark{glyph: "–", word: "PART", rank: 1, tone: toneFaint}
	case s.Signature == backup.SignatureForged:
		return mark{glyph: "✗", word: "FORGED", rank: 7, tone: toneBad}
	case s.Signature == backup.SignatureMissing && !s.Good():
		return mark{glyph: "?", word: "UNSIGNED", rank: 6, tone: toneBad}
	case !s.Good(), s.BadBytes() != nil:
		return markFail
	case s.NotWhole() != nil: // its rows are there, and parts of it can be restored
		return mark{glyph: "✗", word: "NOT WHOLE", rank: 6, tone: toneBad}
	case s.Manifest != nil && len(s.Manifest.Warnings) > 0:
		return markWarn
	case s.Kind == backup.KindLegacy:
		return mark{glyph: "?", word: "OLD", rank: 2, tone: tonePlain}
	case s.Partial() != nil:
		return mark{glyph: markOK.glyph, word: "PARTIAL", rank: 4, tone: markOK.tone}
	}
	return markOK
}

// setMarkWidth is the width of the widest mark among sets, so that a column of them need not be
// wide for words that are hardly ever there.
func setMarkWidth(sets []*backup.Set) int {
	w := 6
	for _, s := range sets {
		w = max(w, cells(setMark(s).text()))
	}
	return w
}
