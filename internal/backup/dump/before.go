package dump

import (
	"context"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
)

// What a run wants to know of the sets before it, the newest ones tell: which one it follows, how large they were,
// whether they had tables. So it does not look at all of them: a backup costs the same, however many there are.

// lookedBack are how far a run looks back until it has seen enough, in days. Behind the last it looks at all.
var lookedBack = []int{1, 16, 256}

// setsBefore are the newest sets of the database, among them enough of the job's own; all of them where there are no
// more. With what this host remembers, they go back to that set.
func (r *run) setsBefore(ctx context.Context, remembered *memory) ([]backup.Set, error) {
	scope, now := backup.ScopeOf(r.job), r.env.Stamp()
	for _, days := range lookedBack {
		since := now.Add(-time.Duration(days) * 24 * time.Hour)
		if remembered != nil {
			if began, ok := backup.IDBegan(remembered.ID); ok && began.Before(since) {
				continue
			}
		}
		sets, err := r.catalogue.Since(ctx, scope, since)
		if err != nil {
			return nil, err
		}
		if enoughBefore(backup.WhoseOf(r.job).Own(sets)) {
			return sets, nil
		}
	}
	return r.catalogue.Sets(ctx, scope)
}

// enoughBefore: no older set changes what the newest are held against.
func enoughBefore(own []backup.Set) bool {
	enough := 0
	for i := range own {
		if own[i].Believed() && own[i].Flaw() == "" {
			enough++
		}
	}
	return enough > historySets
}
