// Package cost says what sets cost a month, and what they will cost by the same rules or by others.
package cost

import (
	"fmt"
	"slices"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/retention"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/price"
)

// MonthDays is a month of this package: 30 days, as AWS's prices for storage mean it.
const MonthDays = 30

// standard is the class of what names none.
const standard = "STANDARD"

const day = 24 * time.Hour

// Plan is how a job goes on: how often, how large, by which rules, into which class.
type Plan struct {
	Keep   config.Keep
	Class  string
	Every  time.Duration // between two backups
	Bytes  int64         // of one set, all its objects
	Growth float64       // of a set's size in a month: 0.05 is five per cent
	Parts  int64         // requests that store one set

	// Transition is where the store moves large sets, as `pgbtui aws bucket apply` makes it.
	Transition config.Transition
}

// Complete reports whether it says how often and how much.
func (p Plan) Complete() bool { return p.Every > 0 && p.Bytes > 0 }

// Subject is whose sets a forecast is about, and where they lie.
type Subject struct {
	Region   string
	Instance string
	Database string
	Whose    backup.Whose
}

// Month is what one month costs.
type Month struct {
	Sets     int   // at its end
	Bytes    int64 // at its end
	Storage  float64
	Early    float64  // for sets that were deleted before their class's minimum
	Requests *float64 // nil: not known
}

// USD is all of it, as far as it is known.
func (m Month) USD() float64 {
	sum := m.Storage + m.Early
	if m.Requests != nil {
		sum += *m.Requests
	}
	return sum
}

// mostSets bounds a forecast: one that holds more is a rhythm that nobody means.
const mostSets = 20000

// stored is one set of a forecast.
type stored struct {
	set   backup.Set
	price price.Price
	from  time.Time

	moves time.Time // into the class of the transition; zero: never
	later price.Price
}

// Forecast is what the next months cost if the job goes on by the plan: sets are made, and deleted by the very rules
// that retention uses. sets are what there is: those of other jobs, unfinished and damaged ones are left out.
func Forecast(prices price.Table, of Subject, sets []backup.Set, p Plan, now time.Time, months int) ([]Month, error) {
	later, known := prices.Of(of.Region, p.Class)
	if !known {
		return nil, fmt.Errorf("no price of %s in %q", classText(p.Class), of.Region)
	}
	inStandard, _ := prices.Of(of.Region, standard)
	f := forecast{plan: p, price: later, standard: inStandard, of: of}
	if f.moved, known = prices.Of(of.Region, p.Transition.Class); !known && p.moves(sets, months) {
		return nil, fmt.Errorf("no price of %s in %q, where s3.transition moves sets", p.Transition.Class, of.Region)
	}
	for _, s := range Counted(of.Whose, sets) {
		paid, known := prices.Of(of.Region, s.Class)
		if !known {
			return nil, fmt.Errorf("no price of %s in %q", classText(s.Class), of.Region)
		}
		one := stored{set: s, price: paid, from: s.FinishedAt}
		f.lay(&one, now)
		f.held = append(f.held, one)
	}
	var out []Month
	next := now.Add(p.Every)
	for m := range months {
		end := now.Add(time.Duration(m+1) * MonthDays * day)
		month, err := f.month(now.Add(time.Duration(m)*MonthDays*day), end, &next, now)
		if err != nil {
			return nil, err
		}
		out = append(out, month)
	}
	return out, nil
}

// Counted are the sets that a job pays for and its rules decide about.
func Counted(whose backup.Whose, sets []backup.Set) []backup.Set {
	return slices.DeleteFunc(slices.Clone(sets),
		func(s backup.Set) bool { return s.Kind != backup.KindNative || !s.Good() || !whose.Owns(&s) })
}

func classText(class string) string {
	if class == "" {
		return standard
	}
	return class
}

// forecast is a job on its way through the months.
type forecast struct {
	plan     Plan
	price    price.Price
	standard price.Price
	moved    price.Price // of the transition's class
	of       Subject
	held     []stored
	made     int
	pruned   time.Time
}

// month makes the sets from start to end, and adds up what lies there meanwhile.
func (f *forecast) month(start, end time.Time, next *time.Time, first time.Time) (Month, error) {
	var m Month
	var puts float64
	for ; !next.After(end); *next = next.Add(f.plan.Every) {
		grown := 1 + f.plan.Growth*next.Sub(first).Hours()/24/MonthDays
		f.add(*next, int64(float64(f.plan.Bytes)*max(grown, 0)))
		puts += float64(f.plan.Parts)
		if err := f.prune(*next, start, &m); err != nil {
			return m, err
		}
		if len(f.held) > mostSets {
			return m, fmt.Errorf("more than %d sets at once", mostSets)
		}
	}
	for i := range f.held {
		m.Storage += f.lies(&f.held[i], start, end)
		m.Early += f.movedEarly(&f.held[i], start, end)
		m.Bytes += f.held[i].set.StoredSize
	}
	m.Sets = len(f.held)
	if f.price.Put1000 != nil {
		usd := puts / 1000 * *f.price.Put1000
		m.Requests = &usd
	}
	return m, nil
}

func (f *forecast) add(at time.Time, bytes int64) {
	f.made++
	id := fmt.Sprintf("%s-%06x", at.UTC().Format(backup.IDTime), f.made&0xffffff)
	one := stored{price: f.price, from: at, set: backup.Set{
		ID: id, Dir: id + "/", Kind: backup.KindNative, Instance: f.of.Instance, Database: f.of.Database,
		Schema: f.of.Whose.Schema, Job: f.of.Whose.Job,
		FinishedAt: at, StoredAt: at, StoredSize: bytes, Class: f.plan.Class,
		Manifest: &backup.Manifest{ID: id, Job: f.of.Whose.Job},
	}}
	f.lay(&one, at)
	f.held = append(f.held, one)
}

// prune lets the sets go that retention would delete at that moment.
func (f *forecast) prune(at, start time.Time, m *Month) error {
	// Once a day is enough: nothing younger is ever deleted.
	if len(f.plan.Keep.Rules()) == 0 || at.Sub(f.pruned) < day {
		return nil
	}
	f.pruned = at
	sets := make([]backup.Set, len(f.held))
	for i := range f.held {
		sets[i] = f.held[i].set
	}
	decisions, err := retention.Decide(sets, retention.Policy{Keep: f.plan.Keep, Whose: f.of.Whose}, at)
	if err != nil {
		return err
	}
	gone := map[string]bool{}
	for i := range decisions {
		gone[decisions[i].Set.Dir] = decisions[i].Delete
	}
	f.held = slices.DeleteFunc(f.held, func(s stored) bool {
		if !gone[s.set.Dir] {
			return false
		}
		m.Storage += f.lies(&s, start, at)
		m.Early += f.movedEarly(&s, start, at)
		class, since := s.price, s.from
		if s.isMoved(at) {
			class, since = s.later, s.moves
		}
		m.Early += f.early(&s, class, at.Sub(since))
		return true
	})
	return nil
}
