package dump

import (
	"context"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// link makes the new set follow the last one, and holds the bucket against what this host
// remembers. Not being able to look costs the link, not the backup.
func (r *run) link(ctx context.Context) {
	remembered, err := recall(r.env.StateDir, r.job)
	if err != nil {
		r.warn(ctx, "what this host committed last is not known: "+err.Error())
	}
	if remembered != nil && remembered.Job != "" {
		r.manifest.Sequence = min(max(0, remembered.Sequence), r.env.Stamp().Unix()) + 1
	}
	all, err := r.setsBefore(ctx, remembered)
	if err != nil {
		if fault.CodeOf(err) != fault.NotPermitted { // some writers may not read
			r.warn(ctx, "this set does not name the one before it: "+err.Error())
		}
		return
	}
	whose := backup.WhoseOf(r.job)
	if lost := remembered.lost(all, whose); lost != "" {
		r.warn(ctx, lost)
	}
	if before := backup.Last(whose.Own(all)); before != nil {
		r.manifest.Previous = &backup.Previous{ID: before.ID, ManifestSHA256: before.ManifestSum}
		r.manifest.Sequence = max(r.manifest.Sequence, before.Sequence+1)
	}
	r.manifest.Sequence = max(1, r.manifest.Sequence)
}
