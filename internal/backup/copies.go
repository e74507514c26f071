package backup

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/config"
)

// What the copies of jobs have, beside what the main place has. Rules: where no copies are configured nothing is
// asked; a copy that does not answer keeps nobody waiting for long, and what it has is then unknown, never good.

// CopyState is how a set stands at one copy.
type CopyState string

// The states.
const (
	CopyGood    CopyState = "good"
	CopyMissing CopyState = "missing"
	CopyDamaged CopyState = "damaged" // it is there and cannot be used, or its last verification failed
	CopyUnknown CopyState = "unknown" // the copy could not be read
)

// SetCopy is one set at one copy.
type SetCopy struct {
	Copy     string
	State    CopyState
	Level    Level     // that the copy itself was proven to
	ProvenAt time.Time // zero: never
	Problem  string    // of a damaged or unknown one
}

// String is the copy in a few words.
func (c SetCopy) String() string {
	switch c.State {
	case CopyGood:
		text := c.Copy + ": " + c.Level.String()
		if !c.ProvenAt.IsZero() {
			text += ", proven " + c.ProvenAt.UTC().Format("2006-01-02 15:04 UTC")
		}
		return text
	case CopyUnknown:
		return c.Copy + ": ? (" + c.Problem + ")"
	case CopyDamaged:
		return c.Copy + ": DAMAGED: " + c.Problem
	case CopyMissing:
	}
	return c.Copy + ": missing"
}

// CopiesText counts the copies of a set: "1/2", and "?" behind it when one could not be read; "-" of what has none to
// have.
func CopiesText(copies []SetCopy) string {
	if len(copies) == 0 {
		return "-"
	}
	good := 0
	unknown := ""
	for _, c := range copies {
		switch c.State {
		case CopyGood:
			good++
		case CopyUnknown:
			unknown = "?"
		case CopyMissing, CopyDamaged:
		}
	}
	return strconv.Itoa(good) + "/" + strconv.Itoa(len(copies)) + unknown
}

// AtCopy is what one copy has of the sets of some jobs.
type AtCopy struct {
	Name      string
	Jobs      []string // whose sets it is to have
	Job       config.Job
	LateAfter time.Duration
	Sets      []Set
	Err       error // it could not be read: Sets says nothing
}

// CopyPatience is how long anybody waits for a copy to be listed.
const CopyPatience = 20 * time.Second

// CopiesOf are the places of the copies of jobs, not read yet. Jobs whose copies are one place share it.
func CopiesOf(jobs []config.Job) (places []*AtCopy) {
	for _, job := range jobs {
		for _, c := range job.Copies {
			at, _ := job.AtCopy(c.Name)
			i := slices.IndexFunc(places, func(p *AtCopy) bool { return p.Name == c.Name && p.Job.S3.SamePlace(at.S3) })
			if i < 0 {
				places = append(places, &AtCopy{Name: c.Name, Job: at, LateAfter: c.LateAfter})
				i = len(places) - 1
			}
			if !slices.Contains(places[i].Jobs, job.Name) {
				places[i].Jobs = append(places[i].Jobs, job.Name)
			}
		}
	}
	return places
}

// ReadCopies reads places, all at once.
func ReadCopies(ctx context.Context, places []*AtCopy, read func(context.Context, config.Job) ([]Set, error)) {
	ctx, cancel := context.WithTimeout(ctx, CopyPatience)
	defer cancel()
	var all sync.WaitGroup
	for _, p := range places {
		if p.Err != nil {
			continue
		}
		all.Go(func() { p.Sets, p.Err = read(ctx, p.Job) })
	}
	all.Wait()
}

// MarkCopies says of each committed set how it stands at the copies that are to have it.
func MarkCopies(sets []Set, places []*AtCopy) {
	type key struct {
		scope Scope
		id    string
	}
	for _, p := range places {
		there := map[key]*Set{}
		for i := range p.Sets {
			there[key{p.Sets[i].Scope(), p.Sets[i].ID}] = &p.Sets[i]
		}
		for i := range sets {
			s := &sets[i]
			if s.Kind != KindNative || !slices.Contains(p.Jobs, s.Job) {
				continue
			}
			one := SetCopy{Copy: p.Name, State: CopyUnknown}
			if p.Err != nil {
				one.Problem = p.Err.Error()
			} else {
				one = copyOf(p.Name, s, there[key{s.Scope(), s.ID}])
			}
			s.Copies = append(s.Copies, one)
		}
	}
}

func copyOf(name string, s, copied *Set) SetCopy {
	one := SetCopy{Copy: name, State: CopyMissing}
	switch {
	case copied == nil || copied.Kind != KindNative:
		return one
	case s.ManifestSum != "" && copied.ManifestSum != s.ManifestSum:
		one.Problem = "it has another manifest"
	case copied.Flaw() != "":
		one.Problem = copied.Flaw()
	default:
		one.State = CopyGood
		one.Level, one.ProvenAt = copied.Proven()
		return one
	}
	one.State = CopyDamaged
	return one
}

// Problems are what is wrong with a copy of one job's database: own are the job's sets at the main place, newest first.
func (p *AtCopy) Problems(whose Whose, own []Set, now time.Time) (problems []string) {
	if p.Err != nil {
		return []string{fmt.Sprintf("copy %s cannot be read, so whether it has the backups is unknown: %s", p.Name, p.Err)}
	}
	there := whose.Own(p.Sets)
	if since := p.late(own, there, now); since != nil {
		newest := "it has none"
		if good, _ := NewestGood(there); good != nil {
			newest = "its newest is " + good.ID
		}
		problems = append(problems, fmt.Sprintf("copy %s is late: %s of %s is not there (%s)", p.Name, since.ID,
			since.FinishedAt.UTC().Format("2006-01-02 15:04 UTC"), newest))
	}
	for i := range there {
		if s := &there[i]; s.Kind == KindNative && s.Flaw() != "" {
			problems = append(problems, fmt.Sprintf("copy %s: set %s there: %s", p.Name, s.ID, s.Flaw()))
		}
	}
	if len(problems) > mostCopyProblems {
		more := len(problems) - mostCopyProblems
		problems = append(problems[:mostCopyProblems], fmt.Sprintf("copy %s: and %d more", p.Name, more))
	}
	return problems
}

const mostCopyProblems = 4

// late is the newest good set that the copy should have by now, when neither that nor a newer one is there.
func (p *AtCopy) late(own, there []Set, now time.Time) *Set {
	for i := range own {
		s := &own[i]
		if s.Kind != KindNative || s.Flaw() != "" || now.Sub(s.FinishedAt) < p.LateAfter {
			continue
		}
		newerThere := slices.ContainsFunc(there, func(c Set) bool {
			return c.Kind == KindNative && c.Flaw() == "" && !c.FinishedAt.Before(s.FinishedAt)
		})
		if newerThere {
			return nil
		}
		return s
	}
	return nil
}

// Summary is a copy of one job's database in one line.
func (p *AtCopy) Summary(whose Whose, own []Set) string {
	if p.Err != nil {
		return "?, it cannot be read"
	}
	there := map[string]bool{}
	var newest *Set
	for _, s := range whose.Own(p.Sets) {
		if s.Kind == KindNative && s.Flaw() == "" {
			there[s.ID] = true
			if newest == nil {
				newest = &s
			}
		}
	}
	has := 0
	all := 0
	for i := range own {
		if own[i].Kind == KindNative && own[i].Flaw() == "" {
			all++
			if there[own[i].ID] {
				has++
			}
		}
	}
	words := []string{fmt.Sprintf("%d of %d good sets", has, all)}
	if more := len(there) - has; more > 0 {
		words = append(words, fmt.Sprintf("%d that only it has", more))
	}
	if newest != nil {
		level, at := newest.Proven()
		text := "newest " + newest.ID + ", " + level.String()
		if !at.IsZero() && level > LevelStored {
			text += " since " + at.UTC().Format("2006-01-02 15:04 UTC")
		}
		words = append(words, text)
	}
	return strings.Join(words, "; ")
}
