package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"codeberg.org/pgbtui/pgbtui/internal/backup/dump"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
	"codeberg.org/pgbtui/pgbtui/internal/readable"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
	"codeberg.org/pgbtui/pgbtui/internal/watch"
)

type jsonStatus struct {
	Schema int         `json:"schema"`
	OK     bool        `json:"ok"`
	Jobs   []jsonState `json:"jobs"`
	Host   []string    `json:"host,omitempty"` // what is wrong with this host's units

	// Uncovered are databases that no job backs up, as the newest runs saw their servers. CoverageAt is when the one was
	// asked whose answer is oldest.
	Uncovered  []jsonUncovered `json:"uncovered"`
	CoverageAt *time.Time      `json:"coverageAt"`

	Clusters []jsonCluster `json:"clusters,omitempty"` // those of this host of which anything is known

	Notes []string `json:"notes,omitempty"`
}

type jsonState struct {
	Job        string   `json:"job"`
	Database   string   `json:"database"`
	Tenant     string   `json:"tenant,omitempty"` // the schema
	OK         bool     `json:"ok"`
	Newest     *jsonSet `json:"newest"`     // null: no good set
	AgeSeconds *int64   `json:"ageSeconds"` // of the newest good set
	RPOSeconds int64    `json:"rpoSeconds"`
	RPOFrom    string   `json:"rpoFrom"`
	RTOSeconds *int64   `json:"rtoSeconds"` // null: not asked for
	Problems   []string `json:"problems"`
	Warnings   []string `json:"warnings,omitempty"` // of the newest set against those before it; not a breach

	Copies []jsonStateCopy `json:"copies,omitempty"` // none: the job has none

	GoneSince *time.Time `json:"goneSince,omitempty"` // the database was dropped then

	title string // of the job, with the database where it has several
}

// jsonStateCopy is what one copy has of a job's database.
type jsonStateCopy struct {
	Copy    string `json:"copy"`
	Known   bool   `json:"known"` // false: it could not be read
	OK      bool   `json:"ok"`    // neither late nor damaged
	Summary string `json:"summary"`
}

type statusOptions struct {
	*streams
	env    *environment
	config func() (*config.Config, error)
	stores client
	job    string
}

func newStatusOptions(p *program) *statusOptions {
	return &statusOptions{
		streams: p.streams, env: p.environment, config: p.config,
		stores: client{stores: p.stores, access: access{waitedFor: true}},
	}
}

func newStatusCommand(p *program) *cobra.Command {
	o := newStatusOptions(p)
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Say for each job whether the database can be recovered; exit 3 if an objective is breached",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return runStatus(cmd.Context(), o) },
	}
	cmd.Flags().StringVar(&o.job, "job", "", "only this `job`")
	return cmd
}

func runStatus(ctx context.Context, o *statusOptions) error {
	c, err := o.config()
	if err != nil {
		return err
	}
	var jobs []config.Job
	if len(c.Jobs) > 0 || len(c.Clusters) == 0 || o.job != "" {
		if jobs, err = o.stores.expand(ctx, c).Backed(o.job); err != nil {
			return err
		}
	}
	bus := ownUnits(ctx, c)
	if bus != nil {
		defer func() { _ = bus.Close() }()
	}
	snapshot := prober(o.env, o.stores, bus, nil).Probe(ctx, c, jobs)
	out, err := statusOf(jobs, snapshot, o.env.now())
	if err != nil {
		return err
	}
	if out.Host, err = watchTrouble(ctx, bus); err != nil {
		return err
	}
	if o.job == "" {
		out.addCoverage(snapshot.Coverage)
		known := knownClusters{see: lookAtCluster, dir: o.env.readRecords()}
		if err := out.addClusters(ctx, c.Clusters, known, o.env.now()); err != nil {
			return err
		}
	}
	out.OK = out.OK && len(out.Host) == 0 && len(out.Uncovered) == 0
	if err := printStatus(o.streams, out, o.env.now()); err != nil {
		return err
	}
	if !out.OK {
		return exitWith(fault.Warnings)
	}
	return nil
}

// statusOf is the state of these jobs, which are in the order of snapshot.Jobs.
func statusOf(jobs []config.Job, snapshot watch.Snapshot, now time.Time) (jsonStatus, error) {
	out := jsonStatus{Schema: jsonSchema, OK: true, Jobs: []jsonState{}, Uncovered: []jsonUncovered{}}
	for i, job := range jobs {
		if err := snapshot.Jobs[i].SetsErr; err != nil {
			return out, err
		}
		one := jobStatus(job, snapshot.Jobs[i], now)
		out.OK = out.OK && one.OK
		out.Jobs = append(out.Jobs, one)
	}
	return out, nil
}

// addCoverage adds what no job backs up. Of a server that no run has asked yet, nothing is known.
func (out *jsonStatus) addCoverage(all []watch.Coverage) {
	out.Uncovered = append(out.Uncovered, uncoveredJSON(all)...)
	out.Notes = append(out.Notes, inPartNotes(all)...)
	for i := range all {
		at := all[i].At.UTC()
		if at.IsZero() {
			out.CoverageAt = nil
			return
		}
		if out.CoverageAt == nil || at.Before(*out.CoverageAt) {
			out.CoverageAt = &at
		}
	}
}

// addClusters adds what can be recovered of the clusters. Who may not look at them, since they are the owner's of the
// server's files, is shown what that one's unit has written down, or told that there is nothing.
func (out *jsonStatus) addClusters(
	ctx context.Context, all []config.Cluster, known knownClusters, now time.Time,
) error {
	for _, one := range all {
		state, note, err := known.look(ctx, one, now)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case fault.CodeOf(err) == fault.NotPermitted:
			out.Notes = append(out.Notes, "nothing is known here of cluster "+one.Name+": run `pgbtui cluster status` as root "+
				"or as the owner of the server's files, or switch postgres-pitr-status.timer on")
			continue
		}
		if note != "" {
			out.Notes = append(out.Notes, note)
		}
		out.Clusters = append(out.Clusters, state)
		out.OK = out.OK && state.OK && note == ""
	}
	return nil
}

// watchTrouble is what is wrong with the watch's own timer. The watch reports everything else, but cannot report
// itself. A nil bus knows nothing of it.
func watchTrouble(ctx context.Context, bus *systemd.Bus) ([]string, error) {
	if bus == nil {
		return nil, nil
	}
	timer, err := bus.Timer(ctx, systemd.WatchTimer)
	if err != nil {
		return nil, err
	}
	what, remedy := watch.TimerTrouble(timer)
	if what == "" || timer.State == systemd.TimerUnsaved {
		return nil, nil
	}
	return []string{"no alert is sent when a backup is late: " + timer.Name + " is " + what + ". " + remedy}, nil
}

func jobStatus(job config.Job, seen watch.Job, now time.Time) jsonState {
	h := seen.Health(now)
	s := jsonState{
		Job: job.Name, Database: job.Database, Tenant: job.Schema, OK: true, RPOSeconds: int64(seen.Objective.RPO.Seconds()),
		RPOFrom: seen.Objective.RPOFrom, Problems: []string{}, title: job.Title(),
	}
	if rto := int64(seen.Objective.RTO.Seconds()); rto > 0 {
		s.RTOSeconds = &rto
	}
	if gone := seen.Found.GoneSince; !gone.IsZero() {
		since := gone.UTC()
		s.GoneSince = &since
	}
	if h.Newest != nil {
		newest := setJSON(h.Newest, seen.Sets)
		seconds := int64(h.Age.Seconds())
		s.Newest = &newest
		s.AgeSeconds = &seconds
		s.Warnings = dump.Drops(h.Newest.Manifest, seen.Whose.Of(seen.Sets), job.Warn)
	}
	own := seen.Whose.Own(seen.Sets)
	for _, c := range seen.Copies {
		s.Copies = append(s.Copies, jsonStateCopy{
			Copy: c.Name, Known: c.Err == nil, OK: len(c.Problems(seen.Whose, own, now)) == 0,
			Summary: c.Summary(seen.Whose, own),
		})
	}
	for _, f := range seen.Judge(nil, now) {
		switch {
		case f.Severity == watch.Critical || f.Kind == watch.KindProof || f.Kind == watch.KindRTO:
			s.OK = false
			s.Problems = append(s.Problems, f.Text())
		case f.Kind != watch.KindWarnings: // the set's own, which `show` has; those that matter here are the drops
			s.Warnings = append(s.Warnings, f.Text())
		}
	}
	return s
}

// rtoText is the objective of a restore's time, where there is one.
func (s *jsonState) rtoText() string {
	if s.RTOSeconds == nil {
		return ""
	}
	return "; objective " + readable.Age(time.Duration(*s.RTOSeconds)*time.Second)
}

func printStatus(to *streams, out jsonStatus, now time.Time) error {
	if to.json {
		return to.printJSON(out)
	}
	for _, s := range out.Jobs {
		word := "OK  "
		switch {
		case !s.OK:
			word = "FAIL"
		case s.GoneSince != nil:
			word = "GONE"
		}
		newest := ""
		if s.Newest != nil {
			age := readable.Age(time.Duration(*s.AgeSeconds) * time.Second)
			objective := readable.Age(time.Duration(s.RPOSeconds) * time.Second)
			partial := ""
			if s.Newest.Partial != nil {
				partial = "PARTIAL, " + s.Newest.Partial.String() + "; "
			}
			newest = fmt.Sprintf(": newest good backup %s old (objective %s), %s%s, %s stored",
				age, objective, partial, s.Newest.Proof, readable.Size(s.Newest.StoredBytes))
		}
		to.sayf("%s %s%s\n", word, printable.Text(s.title), newest)
		if s.Newest != nil {
			to.sayf("     %s%s\n", s.Newest.RestoreTime.text(now), s.rtoText())
		}
		for _, c := range s.Copies {
			to.sayf("     copy %s: %s\n", c.Copy, printable.Text(c.Summary))
		}
		for _, problem := range s.Problems {
			to.sayf("     %s\n", printable.Text(problem))
		}
		for _, warning := range s.Warnings {
			to.sayf("     warning: %s\n", printable.Text(warning))
		}
	}
	for _, c := range out.Clusters {
		sayCluster(to, c, now)
	}
	for _, u := range out.Uncovered {
		to.sayf("WARN no job backs up database %s%s: add one, or name it in exclude at the top of the configuration\n",
			printable.Text(u.Database), serverText(u))
	}
	for _, note := range out.Notes {
		to.sayf("note: %s\n", printable.Text(note))
	}
	for _, problem := range out.Host {
		to.sayf("FAIL %s\n", printable.Text(problem))
	}
	return nil
}
