// Which findings are news. An incident is a finding from the first time it is found until it is gone. People are
// notified when it opens, when it gets worse or has another cause, by reminders, and when it is over.

package watch

import (
	"slices"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
)

// Incident is what is remembered of a finding. Times are UTC; zero means not yet.
type Incident struct {
	Finding
	OpenedAt   time.Time `json:"openedAt"`
	NotifiedAt time.Time `json:"toldAt,omitzero"`
	GoneSince  time.Time `json:"goneSince,omitzero"` // open, but not found since
	ClosedAt   time.Time `json:"closedAt,omitzero"`
	Openings   int       `json:"openings"`       // each within reopenWithin of the end of the one before
	Pending    NewsKind  `json:"owed,omitempty"` // news that no channel has taken yet
}

// Open reports whether the incident is not over.
func (i Incident) Open() bool { return i.ClosedAt.IsZero() }

// NewsKind is why people are notified.
type NewsKind string

// The kinds of news.
const (
	Opened   NewsKind = "opened"
	Changed  NewsKind = "changed" // worse, or for another cause
	Reminder NewsKind = "reminder"
	Cleared  NewsKind = "cleared"
)

// News is one notification. Retry is set when it was sent before and reached nobody.
type News struct {
	Kind     NewsKind
	Incident Incident
	Retry    bool
}

// Options say how findings are compared with the incidents that are known.
type Options struct {
	Now      time.Time
	Remind   func(subject string) time.Duration // nil or 0: no reminders
	Unjudged func(Incident) bool                // whether this incident could not be judged this time; nil: never
}

// Bounds against flapping. An incident that comes back within reopenWithin is the same one. Its all-clear then
// waits until it has been gone for a while, twice as long each time; until then only reminders are sent.
const (
	reopenWithin = 24 * time.Hour
	firstQuiet   = 90 * time.Minute
	longestQuiet = 24 * time.Hour
)

// Reconcile brings the known incidents in line with what was found now. next is what to remember if all news are
// delivered; see Undelivered.
func Reconcile(known []Incident, found []Finding, o Options) (next []Incident, news []News) {
	now := map[key]Finding{}
	for _, f := range found {
		if have, twice := now[f.key()]; !twice || f.Severity > have.Severity {
			now[f.key()] = f
		}
	}
	for _, i := range known {
		f, present := now[i.key()]
		delete(now, i.key())
		i.clampFuture(o.Now)
		var kind NewsKind
		switch {
		case present:
			kind = i.found(f, o)
		case o.Unjudged != nil && o.Unjudged(i): // it stays as it is
		case i.Open():
			kind = i.notFound(o.Now)
		case i.Pending == Cleared:
			kind = Cleared
		case o.Now.Sub(i.ClosedAt) >= reopenWithin:
			continue
		}
		news = i.notify(kind, news)
		next = append(next, i)
	}
	for _, f := range found {
		if first, ok := now[f.key()]; ok {
			delete(now, f.key())
			i := Incident{Finding: first, OpenedAt: o.Now, NotifiedAt: o.Now, Openings: 1}
			news = i.notify(Opened, news)
			next = append(next, i)
		}
	}
	return next, news
}

// notify adds the news, if any, with the incident as it is now.
func (i *Incident) notify(kind NewsKind, news []News) []News {
	if kind == "" {
		return news
	}
	retry := i.Pending == kind
	i.Pending = ""
	return append(news, News{Kind: kind, Incident: *i, Retry: retry})
}

// found updates an incident by the finding it has now, and says what is news about it.
func (i *Incident) found(f Finding, o Options) NewsKind {
	worse := f.Severity > i.Severity || f.Cause != i.Cause
	again := !i.Open()
	i.Finding = f
	i.GoneSince = time.Time{}
	switch {
	case again:
		i.Openings++
		i.OpenedAt = o.Now
		i.ClosedAt = time.Time{}
		i.NotifiedAt = o.Now
		return Opened
	case i.Pending == Opened:
		i.NotifiedAt = o.Now
		return Opened
	case i.Notice:
		return ""
	case worse || i.Pending == Changed:
		i.NotifiedAt = o.Now
		return Changed
	case o.Remind == nil:
		return ""
	}
	if every := o.Remind(i.Subject); every > 0 && o.Now.Sub(i.NotifiedAt) >= every {
		i.NotifiedAt = o.Now
		return Reminder
	}
	return ""
}

// notFound closes an incident that is over, at once the first time. If nobody could be notified that it opened,
// nobody is notified that it is over.
func (i *Incident) notFound(now time.Time) NewsKind {
	if i.GoneSince.IsZero() {
		i.GoneSince = now
	}
	quiet := time.Duration(0)
	for range i.Openings - 1 {
		quiet = min(max(firstQuiet, 2*quiet), longestQuiet)
	}
	if now.Sub(i.GoneSince) < quiet {
		return ""
	}
	i.ClosedAt = now
	if i.Pending == Opened || i.Notice {
		i.Pending = ""
		return ""
	}
	return Cleared
}

// Recovered records that a unit succeeded at a time after its last failure, so that a new failure is an incident of
// its own. A flapping incident stays open.
func Recovered(known []Incident, unit string, at, now time.Time) []Incident {
	known = slices.Clone(known)
	for k := range known {
		i := &known[k]
		if i.key() == (key{unit, KindRun}) && i.Open() && i.Run != nil && at.After(i.Run.EndedAt) {
			if i.GoneSince.IsZero() {
				i.GoneSince = at
			}
			i.notFound(now)
		}
	}
	return known
}

// clampFuture corrects times that lie in the future: a clock was wrong, then or now.
func (i *Incident) clampFuture(now time.Time) {
	for _, at := range []*time.Time{&i.OpenedAt, &i.NotifiedAt, &i.GoneSince, &i.ClosedAt} {
		if at.After(now.Add(backup.ClockSlack)) {
			*at = now
		}
	}
}

// Undelivered marks the news that reached nobody as pending, so that the next check sends them again. A lost
// reminder is not worth that.
func Undelivered(next []Incident, undelivered []News) []Incident {
	next = slices.Clone(next)
	for _, n := range undelivered {
		for k := range next {
			if next[k].key() == n.Incident.key() && n.Kind != Reminder {
				next[k].Pending = n.Kind
			}
		}
	}
	return next
}

// Known is the open incident of that subject and kind, if there is one.
func Known(all []Incident, subject string, kind Kind) (Incident, bool) {
	k := slices.IndexFunc(all, func(i Incident) bool { return i.key() == key{subject, kind} && i.Open() })
	if k < 0 {
		return Incident{}, false
	}
	return all[k], true
}
