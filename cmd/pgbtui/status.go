package main

import (
	"context"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
	"github.com/spf13/cobra"
)

type jsonStatus struct {
	Schema int         `json:"schema"`
	OK     bool        `json:"ok"`
	Jobs   []jsonState `json:"jobs"`
}

type jsonState struct {
	Job        string   `json:"job"`
	Database   string   `json:"database"`
	OK         bool     `json:"ok"`
	Newest     *jsonSet `json:"newest"`     // null: no good set
	AgeSeconds *int64   `json:"ageSeconds"` // of the newest good set
	RPOSeconds int64    `json:"rpoSeconds"`
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
	jobs := c.Jobs
	if jobName != "" || len(jobs) == 0 {
		job, err := c.Job(jobName)
		if err != nil {
			return err
		}
		jobs = []config.Job{job}
	}
	out := jsonStatus{Schema: jsonSchema, OK: true, Jobs: []jsonState{}}
	for _, job := range jobs {
		one, err := p.jobStatus(ctx, job)
		if err != nil {
			return err
		}
		out.OK = out.OK && one.OK
		out.Jobs = append(out.Jobs, one)
	}
	if err := p.printStatus(out); err != nil {
		return err
	}
	if !out.OK {
		return &outcome{fault.Warnings}
	}
	return nil
}

func (p *program) jobStatus(ctx context.Context, job config.Job) (jsonState, error) {
	bucket, err := p.bucket(ctx, job)
	if err != nil {
		return jsonState{}, err
	}
	sets, err := backup.NewCatalogue(bucket, job).Sets(ctx, backup.Scope{Instance: job.Instance, Database: job.Database})
	if err != nil {
		return jsonState{}, err
	}
	h := backup.Assess(sets, job.RPO, p.now())
	for _, dir := range []string{p.getenv("STATE_DIRECTORY"), backup.DefaultStateDir} {
		if lost := backup.Lost(dir, job, sets); lost != "" {
			h.Problems = append(h.Problems, lost)
		}
	}
	s := jsonState{Job: job.Name, Database: job.Database, OK: len(h.Problems) == 0, RPOSeconds: int64(job.RPO.Seconds()), Problems: h.Problems}
	if h.Newest != nil {
		newest, seconds := p.setJSON(h.Newest, sets), int64(h.Age.Seconds())
		s.Newest, s.AgeSeconds = &newest, &seconds
		s.Warnings = backup.Drops(h.Newest.Manifest, sets, job.Warn)
	}
	return s, nil
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
	return nil
}
