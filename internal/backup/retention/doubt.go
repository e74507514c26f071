package retention

import (
	"fmt"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/readable"
)

// What makes a plan doubtful: clocks that disagree, and deletions that no schedule explains. A
// doubtful plan is carried out only when a person confirms it, by the number of sets that it removes.

// Shares of a plan that a schedule explains: up to three sets at once, or a fifth of those that the
// rules judge. A timer that was off for a week stays below it; a typing error in a rule does not.
const (
	fewSets     = 3
	largestPart = 5
)

// doubts are the reasons not to carry out a plan unseen, each a sentence with its remedy.
func doubts(plan []Decision, clocks backup.Clocks) []string {
	if text := doubtClocks(plan, clocks); text != "" {
		return []string{text}
	}
	judged, removed := 0, 0
	for _, d := range plan {
		if !d.judged {
			continue
		}
		judged++
		if d.Delete {
			removed++
		}
	}
	if removed > fewSets && removed*largestPart > judged {
		return []string{
			fmt.Sprintf("it would delete %d of %d sets at once, more than a fifth: check that the rules are meant that way",
				removed,
				judged),
		}
	}
	return nil
}

func doubtClocks(plan []Decision, clocks backup.Clocks) string {
	if ahead := clocks.Host.Sub(clocks.Store); ahead.Abs() > backup.ClockBound {
		word := "ahead of"
		if ahead < 0 {
			word = "behind"
		}
		return fmt.Sprintf("this host's clock is %s %s the store's: set it (timedatectl status)", readable.Age(ahead.Abs()),
			word)
	}
	if len(plan) == 0 {
		return ""
	}
	newest := plan[0].Set
	ahead, whose := newest.FinishedAt.Sub(clocks.Earlier()), "this host's clock or the one that wrote it"
	if stored := newest.StoredAt; !stored.IsZero() && newest.FinishedAt.Sub(stored) > ahead {
		ahead, whose = newest.FinishedAt.Sub(stored), "the clock that wrote it" // it was stored before it was finished
	}
	if ahead <= backup.ClockSlack {
		return ""
	}
	return fmt.Sprintf(
		"the newest set, %s, finished %s in the future: %s is wrong; a set that keeps a wrong time has to be deleted by hand",
		newest.ID, readable.Age(ahead), whose)
}
