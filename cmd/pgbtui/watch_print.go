package main

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/doctor"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
	"codeberg.org/pgbtui/pgbtui/internal/readable"
	"codeberg.org/pgbtui/pgbtui/internal/watch"
)

type jsonWatch struct {
	Schema   int           `json:"schema"`
	OK       bool          `json:"ok"`
	Jobs     []jsonWatched `json:"jobs"`
	Findings []jsonProblem `json:"findings"`

	Clusters []jsonWatchedCluster `json:"clusters,omitempty"` // of this host
}

type jsonWatchedCluster struct {
	Cluster     string     `json:"cluster"`
	At          *time.Time `json:"at"`                // of the newest look; null: there was none
	Until       *time.Time `json:"until"`             // up to which it can be recovered; null: nothing can, or nobody knows
	LossSeconds *int64     `json:"lossSeconds"`       // null: not known
	Summary     string     `json:"summary,omitempty"` // by that look
}

func watchedClusterJSON(c watch.Cluster) jsonWatchedCluster {
	one := jsonWatchedCluster{Cluster: c.Name}
	if c.Seen == nil {
		return one
	}
	one.At = &c.Seen.At
	one.LossSeconds = c.Seen.Loss
	one.Summary = c.Seen.Summary
	if newest, ok := c.Seen.Newest(); ok {
		one.Until = &newest.Until
	}
	return one
}

type jsonWatched struct {
	Job        string     `json:"job"`
	Database   string     `json:"database"`
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
	Notice   bool   `json:"notice,omitempty"` // told once, and nothing is wrong
	What     string `json:"what"`
	Remedy   string `json:"remedy,omitempty"`
	Check    string `json:"check,omitempty"` // of doctor, that explains it
}

func watchedJSON(j watch.Job, now time.Time) jsonWatched {
	one := jsonWatched{
		Job: j.Name, Database: j.Database,
		RPOSeconds: int64(j.Objective.RPO.Seconds()), RPOFrom: j.Objective.RPOFrom,
	}
	if h := j.Health(now); h.Newest != nil {
		at := h.Newest.FinishedAt.UTC()
		one.Newest = &at
	}
	if j.Host != nil {
		one.Timer = j.Host.Timer.Name
		one.TimerState = string(j.Host.Timer.State)
		if next := j.Host.Timer.Next.UTC(); !j.Host.Timer.Next.IsZero() {
			one.Next = &next
		}
	}
	return one
}

func printWatch(to *streams, snapshot watch.Snapshot, found []watch.Finding, now time.Time) error {
	out := jsonWatch{Schema: jsonSchema, OK: len(problems(found)) == 0, Jobs: []jsonWatched{}, Findings: []jsonProblem{}}
	for _, j := range snapshot.Jobs {
		out.Jobs = append(out.Jobs, watchedJSON(j, now))
	}
	for _, c := range snapshot.Clusters.All {
		out.Clusters = append(out.Clusters, watchedClusterJSON(c))
	}
	for _, f := range found {
		out.Findings = append(out.Findings, jsonProblem{
			Subject: f.Subject, Kind: string(f.Kind), Severity: f.Severity.String(), Notice: f.Notice,
			What: f.What, Remedy: f.Remedy, Check: doctor.Explains(f.Kind),
		})
	}
	if to.json {
		return to.printJSON(out)
	}
	for i, j := range out.Jobs {
		age := "none"
		if j.Newest != nil {
			age = readable.Age(now.Sub(*j.Newest)) + " old"
		}
		objective := readable.Age(time.Duration(j.RPOSeconds) * time.Second)
		timer := ""
		if j.Timer != "" {
			timer = fmt.Sprintf("; %s is %s", printable.Text(j.Timer), j.TimerState)
		}
		to.sayf("job %s: newest good backup %s, objective %s (%s)%s\n",
			printable.Text(cmp.Or(snapshot.Jobs[i].Title, j.Job)), age, objective, j.RPOFrom, timer)
	}
	for _, line := range snapshot.Clusters.About(now) {
		to.sayf("%s\n", printable.Text(line))
	}
	for _, f := range out.Findings {
		about := printable.Text(cmp.Or(f.Subject, "this host"))
		word := strings.ToUpper(f.Severity)
		if f.Notice {
			word = "NOTICE"
		}
		to.sayf("%s %s: %s\n", word, about, printable.Text(f.What))
		if f.Remedy != "" {
			to.sayf("  remedy: %s\n", printable.Text(f.Remedy))
		}
		if f.Check != "" {
			to.sayf("  more:   pgbtui doctor --only %s\n", f.Check)
		}
	}
	return nil
}
