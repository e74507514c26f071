package main

import (
	"cmp"
	"strings"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/printable"
	"codeberg.org/pgbtui/pgbtui/internal/watch"
)

type jsonWatch struct {
	Schema   int           `json:"schema"`
	OK       bool          `json:"ok"`
	Jobs     []jsonWatched `json:"jobs"`
	Findings []jsonProblem `json:"findings"`
}

type jsonWatched struct {
	Job        string     `json:"job"`
	Newest     *time.Time `json:"newest"`
	RPOSeconds int64      `json:"rpoSeconds"`
	RPOFrom    string     `json:"rpoFrom"`
	Timer      string     `json:"timer,omitempty"`
	TimerState string     `json:"timerState,omitempty"`
	Next       *time.Time `json:"next"`
}

type jsonProblem struct {
	Subject  string `json:"subject"`
	Kind     string `json:"kind"`
	Severity string `json:"severity"`
	What     string `json:"what"`
	Remedy   string `json:"remedy,omitempty"`
}

func watchedJSON(j watch.Job, now time.Time) jsonWatched {
	one := jsonWatched{Job: j.Name, RPOSeconds: int64(j.Objective.RPO.Seconds()), RPOFrom: j.Objective.RPOFrom}
	if h := j.Health(now); h.Newest != nil {
		at := h.Newest.FinishedAt.UTC()
		one.Newest = &at
	}
	if j.Host != nil {
		one.Timer, one.TimerState = j.Host.Timer.Name, string(j.Host.Timer.State)
		if next := j.Host.Timer.Next.UTC(); !j.Host.Timer.Next.IsZero() {
			one.Next = &next
		}
	}
	return one
}

func (p *program) printWatch(seen watch.Seen, found []watch.Finding) error {
	out := jsonWatch{Schema: jsonSchema, OK: len(found) == 0, Jobs: []jsonWatched{}, Findings: []jsonProblem{}}
	for _, j := range seen.Jobs {
		out.Jobs = append(out.Jobs, watchedJSON(j, p.now()))
	}
	for _, f := range found {
		out.Findings = append(out.Findings, jsonProblem{f.Subject, string(f.Kind), f.Severity.String(), f.What, f.Remedy})
	}
	if p.json {
		return p.printJSON(out)
	}
	for _, j := range out.Jobs {
		age := "none"
		if j.Newest != nil {
			age = ageText(p.now().Sub(*j.Newest)) + " old"
		}
		p.printf("job %s: newest good backup %s, objective %s (%s)", printable.Text(j.Job), age, ageText(time.Duration(j.RPOSeconds)*time.Second), j.RPOFrom)
		if j.Timer != "" {
			p.printf("; %s is %s", printable.Text(j.Timer), j.TimerState)
		}
		p.printf("\n")
	}
	for _, f := range out.Findings {
		p.printf("%s %s: %s\n", strings.ToUpper(f.Severity), printable.Text(cmp.Or(f.Subject, "this host")), printable.Text(f.What))
		if f.Remedy != "" {
			p.printf("  remedy: %s\n", printable.Text(f.Remedy))
		}
	}
	return nil
}
