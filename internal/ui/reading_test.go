package ui_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/ui"
	"codeberg.org/pgbtui/pgbtui/internal/ui/uitest"
)

// slowHost answers when the test lets it: what the jobs promise, timers and runs.
type slowHost struct {
	*uitest.World
	goals map[string]ui.Objective
	let   chan struct{} // closed: it answers
}

func (s *slowHost) Objectives(ctx context.Context) map[string]ui.Objective {
	s.wait(ctx)
	return s.goals
}

func (s *slowHost) Timers(ctx context.Context) ([]ui.Timer, error) {
	s.wait(ctx)
	return s.World.Timers(ctx)
}

func (s *slowHost) Watch(ctx context.Context) (<-chan []ui.UnitRun, error) {
	s.wait(ctx)
	return s.World.Watch(ctx)
}

func (s *slowHost) wait(ctx context.Context) {
	select {
	case <-s.let:
	case <-ctx.Done():
	}
}

// The first frame is drawn before anybody was asked. Each source alone keeps it from being green.
func TestWhatIsStillBeingReadIsNotGreen(t *testing.T) {
	for name, slow := range map[string]func(o *ui.Options, s *slowHost){
		"objectives": func(o *ui.Options, s *slowHost) { o.Sources.Objectives = s },
		"timers":     func(o *ui.Options, s *slowHost) { o.Sources.Timers = s },
		"runs":       func(o *ui.Options, s *slowHost) { o.Sources.Units = s },
	} {
		t.Run(name, func(t *testing.T) {
			host := &slowHost{let: make(chan struct{}), goals: map[string]ui.Objective{}}
			d, _ := open(t, func(w *uitest.World, o *ui.Options) {
				host.World = w
				for _, j := range o.Jobs {
					host.goals[j.Name] = j.Objective
				}
				slow(o, host)
			})
			d.Until("30 backups")
			if v := plain(d); strings.Contains(v, "OK") || !strings.Contains(v, "?       sales") {
				t.Errorf("while %s are read:\n%s", name, v)
			}
			close(host.let)
			d.Fed().UntilIs("judged", func(string) bool { return strings.Contains(plain(d), "✓ OK") })
		})
	}
}

func TestAnObjectiveThatComesLateCounts(t *testing.T) {
	host := &slowHost{let: make(chan struct{}), goals: map[string]ui.Objective{}}
	d, _ := open(t, func(w *uitest.World, o *ui.Options) {
		host.World, o.Sources.Objectives = w, host
		for i := range o.Jobs {
			o.Jobs[i].Objective = ui.Objective{}
			host.goals[o.Jobs[i].Name] = ui.Objective{Objectives: backup.Objectives{RPO: time.Minute}, RPOFrom: "of the timer's calendar"}
		}
	})
	d.Until("30 backups")
	if v := plain(d); strings.Contains(v, "LATE") {
		t.Errorf("late by an objective that nobody read:\n%s", v)
	}
	close(host.let)
	d.Fed().UntilIs("late", func(string) bool { return strings.Contains(plain(d), "LATE") })
}

func TestARunThatBeganAndEndedBetweenTwoListsIsNoticed(t *testing.T) {
	d, w := open(t, nil)
	ready(d).Press("2").Until("31 backups")
	ended := ui.UnitRun{
		Unit: "postgres-verify@20261123T020010Z-1a2b3c.service", Action: "verify", Invocation: "first",
		State: ui.RunOK, StartedAt: uitest.Now, EndedAt: uitest.Now,
	}
	more := func(w *uitest.World) {
		next := w.AllSets[0]
		next.ID = backup.NewID(uitest.Now.Add(time.Duration(len(w.AllSets)) * time.Second))
		w.AllSets = append(w.AllSets, next)
	}
	w.Change(func(w *uitest.World) {
		more(w)
		w.AllRuns = append(w.AllRuns, ended)
	})
	d.Until("32 backups")
	w.Change(func(w *uitest.World) {
		more(w)
		w.AllRuns[len(w.AllRuns)-1].Invocation = "second"
	})
	d.Until("33 backups")
}
