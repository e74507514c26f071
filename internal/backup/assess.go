package backup

import (
	"fmt"
	"time"
)

// Health is whether one database can be recovered, judged from its sets alone.
type Health struct {
	Newest   *Set          // newest good native set; nil: none
	Age      time.Duration // of Newest
	Problems []string      // why an objective is breached; empty when fine
}

// Assess judges the sets of one instance and database, newest first, against the objective that
// the newest good one is no older than rpo.
func Assess(sets []Set, rpo time.Duration, now time.Time) Health {
	h := Health{Problems: append(append([]string{}, distrusted(sets)...), brokenChain(sets, now)...)}
	for i := range sets {
		if sets[i].Kind == KindNative && sets[i].Good() {
			h.Newest = &sets[i]
			break
		}
	}
	if h.Newest == nil {
		h.Problems = append(h.Problems, "there is no good backup of this database: run one, `pgbtui --headless`")
		return h
	}
	h.Age = now.Sub(h.Newest.FinishedAt)
	if h.Age > rpo {
		h.Problems = append(h.Problems, fmt.Sprintf("the newest good backup is older than the objective of %s: look at the timer and the last runs", rpo))
	}
	if h.Age < -clockSlack {
		h.Problems = append(h.Problems, "the newest backup is in the future: a clock is wrong")
	}
	if f := h.Newest.LastFailure(); f != nil {
		h.Problems = append(h.Problems, "the newest backup failed its last verification: "+f.Error)
	}
	return h
}
