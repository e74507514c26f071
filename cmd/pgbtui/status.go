package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
	"codeberg.org/pgbtui/pgbtui/internal/watch"
)

type jsonStatus struct {
	Schema int         `json:"schema"`
	OK     bool        `json:"ok"`
	Jobs   []jsonState `json:"jobs"`
	Host   []string    `json:"host,omitempty"` // what is wrong with this host's units
}

type jsonState struct {
	Job        string   `json:"job"`
	Database   string   `json:"database"`
	OK         bool     `json:"ok"`
	Newest     *jsonSet `json:"newest"`     // null: no good set
	AgeSeconds *int64   `json:"ageSeconds"` // of the newest good set
	RPOSeconds int64    `json:"rpoSeconds"`
	RPOFrom    string   `json:"rpoFrom"`
	Problems   []string `json:"problems"`
	Warnings   []string `json:"warnings,omitempty"` // of the newest set against those before it; not a breach
}

func (p *program) statusCommand() *cobra.Command {
	var job string
	cmd := &cobra.Command{
		Use: "status", Short: "Say per job whether the database can be recovered; exit 3 if an objective is breached", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.status(cmd.Context(), job) },
	}
	cmd.Flags().StringVar(&job, "job", "", "only this `job`")
	return cmd
}

func (p *program) status(ctx context.Context, jobName string) error {
	p.watched = true
	c, err := p.config()
	if err != nil {
		return err
	}
	jobs, err := c.Backed(jobName)
	if err != nil {
		return err
	}
	bus := ownUnits(ctx, c)
	if bus != nil {
		defer func() { _ = bus.Close() }()
	}
	out, err := p.statusOf(ctx, c, jobs, bus)
	if err != nil {
		return err
	}
	if err := p.printStatus(out); err != nil {
		return err
	}
	if !out.OK {
		return exitWith(fault.Warnings)
	}
	return nil
}

func (p *program) statusOf(ctx context.Context, c *config.Config, jobs []config.Job, bus *systemd.Bus) (jsonStatus, error) {
	out := jsonStatus{Schema: jsonSchema, OK: true, Jobs: []jsonState{}}
	seen := p.observer(bus, nil).Look(ctx, c, jobs)
	for i, job := range jobs {
		if err := seen.Jobs[i].SetsErr; err != nil {
			return out, err
		}
		one := p.jobStatus(job, seen.Jobs[i])
		out.OK = out.OK && one.OK
		out.Jobs = append(out.Jobs, one)
	}
	if bus == nil {
		return out, nil
	}
	// The watch tells of everything else, but cannot tell of itself.
	timer, err := bus.Timer(ctx, systemd.WatchTimer)
	if err != nil {
		return out, err
	}
	if what, remedy := watch.TimerTrouble(timer); what != "" && timer.State != systemd.TimerUnsaved {
		out.OK, out.Host = false, append(out.Host, "nobody is told when a backup is late: "+timer.Name+" is "+what+": "+remedy)
	}
	return out, nil
}

func (p *program) jobStatus(job config.Job, seen watch.Job) jsonState {
	h := seen.Health(p.now())
	s := jsonState{
		Job: job.Name, Database: job.Database, OK: true, RPOSeconds: int64(seen.Objective.RPO.Seconds()), RPOFrom: seen.Objective.RPOFrom,
		Problems: []string{},
	}
	if h.Newest != nil {
		newest, seconds := p.setJSON(h.Newest, seen.Sets), int64(h.Age.Seconds())
		s.Newest, s.AgeSeconds = &newest, &seconds
		s.Warnings = backup.Drops(h.Newest.Manifest, seen.Whose.Of(seen.Sets), job.Warn)
	}
	for _, f := range seen.Judge(nil, p.now()) {
		switch {
		case f.Severity == watch.Critical || f.Kind == watch.KindProof:
			s.OK, s.Problems = false, append(s.Problems, f.Text())
		case f.Kind != watch.KindWarnings: // the set's own, which `show` has; those that matter here are the drops
			s.Warnings = append(s.Warnings, f.Text())
		}
	}
	return s
}

func (p *program) printStatus(out jsonStatus) error {
	if p.json {
		return p.printJSON(out)
	}
	for _, s := range out.Jobs {
		word := "OK  "
		if !s.OK {
			word = "FAIL"
		}
		p.printf("%s %s", word, printable.Text(s.Job))
		if s.Newest != nil {
			p.printf(": newest good backup %s old (objective %s), %s, %s stored", ageText(time.Duration(*s.AgeSeconds)*time.Second),
				ageText(time.Duration(s.RPOSeconds)*time.Second), s.Newest.Proof, size(s.Newest.StoredBytes))
		}
		p.printf("\n")
		if s.Newest != nil {
			p.printf("     %s\n", s.Newest.RestoreTime.text(p.now()))
		}
		for _, problem := range s.Problems {
			p.printf("     %s\n", printable.Text(problem))
		}
		for _, warning := range s.Warnings {
			p.printf("     warning: %s\n", printable.Text(warning))
		}
	}
	for _, problem := range out.Host {
		p.printf("FAIL %s\n", printable.Text(problem))
	}
	return nil
}
