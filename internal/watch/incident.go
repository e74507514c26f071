// Which findings are news. An incident is a finding from when it is first seen until it is gone; it
// is told once, again when it gets worse or its cause changes, in reminders, and once more when it
// is over.

package watch

import (
	"slices"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
)

// Incident is what is remembered of a finding. Times are UTC; zero means not yet.
type Incident struct {
	Finding
	OpenedAt  time.Time `json:"openedAt"`
	ToldAt    time.Time `json:"toldAt,omitzero"`
	GoneSince time.Time `json:"goneSince,omitzero"` // open, but not seen since
	ClosedAt  time.Time `json:"closedAt,omitzero"`
	Openings  int       `json:"openings"` // within the memory of a closed incident
	Owed      NewsKind  `json:"owed,omitempty"`
}

// Open reports whether the incident goes on.
func (i Incident) Open() bool { return i.ClosedAt.IsZero() }

// NewsKind is why something is told.
type NewsKind string

// The kinds of news.
const (
	Opened   NewsKind = "opened"
	Changed  NewsKind = "changed" // worse, or for another cause
	Reminder NewsKind = "reminder"
	Cleared  NewsKind = "cleared"
)

// News is one thing to tell. Retry is set when it was told before and reached nobody.
type News struct {
	Kind     NewsKind
	Incident Incident
	Retry    bool
}

// Look is one comparison of what is found with what is known.
type Look struct {
	Now    time.Time
	Remind func(subject string) time.Duration // nil or 0: no reminders
	Blind  func(Incident) bool                // could this incident not be judged this time? nil: never
}

// Bounds against flapping. An incident that comes back within memory is the same one: its all-clear
// then waits until it has been gone for a while, twice as long each time, and until then nothing but
// reminders is told.
const (
	memory       = 24 * time.Hour
	firstQuiet   = 90 * time.Minute
	longestQuiet = 24 * time.Hour
)

// Step compares. next is what to remember if all news are delivered; see Undelivered.
func Step(known []Incident, found []Finding, look Look) (next []Incident, news []News) {
	now := map[key]Finding{}
	for _, f := range found {
		if have, twice := now[f.key()]; !twice || f.Severity > have.Severity {
			now[f.key()] = f
		}
	}
	for _, i := range known {
		f, present := now[i.key()]
		delete(now, i.key())
		i.believe(look.Now)
		var kind NewsKind
		switch {
		case present:
			kind = i.seen(f, look)
		case look.Blind != nil && look.Blind(i): // nothing is known of it now
		case i.Open():
			kind = i.gone(look.Now)
		case i.Owed == Cleared:
			kind = Cleared
		case look.Now.Sub(i.ClosedAt) >= memory:
			continue
		}
		news = i.tell(kind, news)
		next = append(next, i)
	}
	for _, f := range found {
		if first, ok := now[f.key()]; ok {
			delete(now, f.key())
			i := Incident{Finding: first, OpenedAt: look.Now, ToldAt: look.Now, Openings: 1}
			news = i.tell(Opened, news)
			next = append(next, i)
		}
	}
	return next, news
}

// tell adds the news, if any, with the incident as it is now.
func (i *Incident) tell(kind NewsKind, news []News) []News {
	if kind == "" {
		return news
	}
	retry := i.Owed == kind
	i.Owed = ""
	return append(news, News{Kind: kind, Incident: *i, Retry: retry})
}

// seen takes in the finding and says what is news about it.
func (i *Incident) seen(f Finding, look Look) NewsKind {
	worse := f.Severity > i.Severity || f.Cause != i.Cause
	again := !i.Open()
	i.Finding, i.GoneSince = f, time.Time{}
	switch {
	case again:
		i.Openings++
		i.OpenedAt, i.ClosedAt, i.ToldAt = look.Now, time.Time{}, look.Now
		return Opened
	case i.Owed == Opened:
		i.ToldAt = look.Now
		return Opened
	case worse || i.Owed == Changed:
		i.ToldAt = look.Now
		return Changed
	case look.Remind == nil:
		return ""
	}
	if every := look.Remind(i.Subject); every > 0 && look.Now.Sub(i.ToldAt) >= every {
		i.ToldAt = look.Now
		return Reminder
	}
	return ""
}

// gone closes an incident that is over, at once the first time. Nobody is told of the end of what
// nobody heard of.
func (i *Incident) gone(now time.Time) NewsKind {
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
	if i.Owed == Opened {
		i.Owed = ""
		return ""
	}
	return Cleared
}

// Recovered takes in that a unit ended well at a time after its last failure, so that a new failure is
// an incident of its own. An incident that comes and goes stays open.
func Recovered(known []Incident, unit string, at, now time.Time) []Incident {
	known = slices.Clone(known)
	for k := range known {
		i := &known[k]
		if i.key() == (key{unit, KindRun}) && i.Open() && i.Run != nil && at.After(i.Run.EndedAt) {
			if i.GoneSince.IsZero() {
				i.GoneSince = at
			}
			i.gone(now)
		}
	}
	return known
}

// believe corrects times that lie in the future: a clock was wrong, then or now.
func (i *Incident) believe(now time.Time) {
	for _, at := range []*time.Time{&i.OpenedAt, &i.ToldAt, &i.GoneSince, &i.ClosedAt} {
		if at.After(now.Add(backup.ClockSlack)) {
			*at = now
		}
	}
}

// Undelivered marks what reached nobody, so that the next look tells it again. A lost reminder is not
// worth that.
func Undelivered(next []Incident, lost []News) []Incident {
	next = slices.Clone(next)
	for _, n := range lost {
		for k := range next {
			if next[k].key() == n.Incident.key() && n.Kind != Reminder {
				next[k].Owed = n.Kind
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
