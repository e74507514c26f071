// What the copies have, on the bucket screen: counted from the sets, which say how they stand at each copy.

package ui

import (
	"slices"
	"strings"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
)

// copyCount is one copy.
type copyCount struct {
	name    string
	good    int
	missing int
	damaged int
	unknown string // why it could not be read; "" when it could
	proven  time.Time
}

func (s *bucketScreen) copyCounts() (all []copyCount) {
	for i := range s.sets.value {
		for _, c := range s.sets.value[i].Copies {
			k := slices.IndexFunc(all, func(one copyCount) bool { return one.name == c.Copy })
			if k < 0 {
				all = append(all, copyCount{name: c.Copy})
				k = len(all) - 1
			}
			all[k].count(c)
		}
	}
	return all
}

func (c *copyCount) count(of backup.SetCopy) {
	switch of.State {
	case backup.CopyGood:
		c.good++
		if of.Level >= backup.LevelReadable && of.ProvenAt.After(c.proven) {
			c.proven = of.ProvenAt
		}
	case backup.CopyMissing:
		c.missing++
	case backup.CopyDamaged:
		c.damaged++
	case backup.CopyUnknown:
		c.unknown = of.Problem
	}
}

// copies is nothing where no copies are configured.
func (s *bucketScreen) copies(w int) (lines []string) {
	for _, c := range s.copyCounts() {
		if len(lines) == 0 {
			lines = append(lines, "", s.section("COPIES", s.sets.note(s.shared, "list"), w))
		}
		if c.unknown != "" {
			lines = append(lines, s.marked(markUnknown, c.name+": not known: "+c.unknown, w)...)
			continue
		}
		words := []string{plural(c.good, "good backup")}
		m := markOK
		if c.missing > 0 {
			words = append(words, plural(c.missing, "backup")+" not there")
			m = markOff
		}
		if c.damaged > 0 {
			words = append(words, plural(c.damaged, "backup")+" DAMAGED")
			m = markFail
		}
		if c.proven.IsZero() {
			words = append(words, "none proven there")
		} else {
			words = append(words, "last proven "+ago(s.now, c.proven))
		}
		lines = append(lines, s.marked(m, c.name+": "+strings.Join(words, ", "), w)...)
	}
	return lines
}
