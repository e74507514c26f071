package systemd

import (
	"slices"
	"strings"
	"time"
)

// Runs are when something starts, and for how long it may be at it.
type Runs struct {
	Name   string
	Starts []time.Time // sorted
	Lasts  time.Duration
}

// Overlap is that two may run at the same time.
type Overlap struct {
	Names [2]string
	First time.Time
	Count int // how often the second of them may begin within the first, or the first within the second
}

// Overlaps compares each with each.
func Overlaps(all []Runs) (found []Overlap) {
	for i, a := range all {
		for _, b := range all[i+1:] {
			o := Overlap{Names: [2]string{a.Name, b.Name}}
			for _, at := range a.Starts {
				o.add(at, a.Lasts, b)
			}
			for _, at := range b.Starts {
				if _, same := slices.BinarySearchFunc(a.Starts, at, time.Time.Compare); !same { // counted already
					o.add(at, b.Lasts, a)
				}
			}
			if o.Count > 0 {
				found = append(found, o)
			}
		}
	}
	return found
}

// add counts the starts of another within a run from at on.
func (o *Overlap) add(at time.Time, lasts time.Duration, other Runs) {
	first, _ := slices.BinarySearchFunc(other.Starts, at, time.Time.Compare)
	for _, start := range other.Starts[first:] {
		if start.After(at.Add(lasts)) {
			return
		}
		o.Count++
		if o.First.IsZero() || start.Before(o.First) {
			o.First = start
		}
	}
}

// Busiest is when the most may run at once, and which.
func Busiest(all []Runs) (at time.Time, names []string) {
	for _, r := range all {
		for _, start := range r.Starts {
			var running []string
			for _, other := range all {
				if other.runsAt(start) {
					running = append(running, other.Name)
				}
			}
			if len(running) > len(names) || len(running) == len(names) && start.Before(at) {
				at, names = start, running
			}
		}
	}
	slices.SortFunc(names, strings.Compare)
	return at, names
}

func (r Runs) runsAt(at time.Time) bool {
	after, exact := slices.BinarySearchFunc(r.Starts, at, time.Time.Compare)
	return exact || after > 0 && !r.Starts[after-1].Add(r.Lasts).Before(at)
}
