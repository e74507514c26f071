package console

import (
	"context"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/dump"
	"codeberg.org/pgbtui/pgbtui/internal/ui"
	"codeberg.org/pgbtui/pgbtui/internal/watch"
)

// told is ui.Told: the incidents that the watch remembers on this host, and the sets that this host committed and the
// bucket lacks.
type told struct {
	dir, stateDir string // of the watch, of the backups
	setup         Setup
	buckets       *buckets
}

// Open implements ui.Told.
func (t *told) Open(context.Context) ([]ui.Incident, error) {
	known, err := watch.ReadOpen(t.dir)
	if err != nil {
		return nil, err
	}
	var all []ui.Incident
	for _, i := range known {
		one := ui.Incident{
			Subject: i.Subject, Kind: string(i.Kind), Critical: i.Severity == watch.Critical, What: i.What, Remedy: i.Remedy,
			OpenedAt: i.OpenedAt, Undelivered: i.Pending == watch.Opened,
		}
		if i.Run != nil {
			one.Invocation = i.Run.Invocation
		}
		all = append(all, one)
	}
	return append(all, t.lost(known)...), nil
}

// lost finds sets that this host committed and the bucket lacks. Only user pgbtui may read the folder; without that
// right the watch reports them within the hour.
func (t *told) lost(known []watch.Incident) (found []ui.Incident) {
	all, _ := t.buckets.latest(backup.Scope{})
	for _, job := range t.setup.expanded(all).Jobs {
		if _, told := watch.Known(known, job.Title(), watch.KindRollback); told {
			continue
		}
		sets, read := t.buckets.latest(backup.ScopeOf(job))
		if what := dump.Lost(t.stateDir, job, sets); read && what != "" {
			found = append(found, ui.Incident{
				Subject: job.Title(), Kind: string(watch.KindRollback), Critical: true, What: what,
			})
		}
	}
	return found
}
