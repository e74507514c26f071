package main

import (
	"context"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/pitr"
	"codeberg.org/pgbtui/pgbtui/internal/pitr/engines"
	"codeberg.org/pgbtui/pgbtui/internal/pitr/record"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
	"codeberg.org/pgbtui/pgbtui/internal/readable"
)

type jsonClusters struct {
	Schema   int           `json:"schema"`
	OK       bool          `json:"ok"`
	Clusters []jsonCluster `json:"clusters"`
	Notes    []string      `json:"notes,omitempty"`
}

// A cluster in documents is what is written down of it.
type (
	jsonCluster        = record.Cluster
	jsonBaseBackup     = record.BaseBackup
	jsonWindow         = record.Window
	jsonGap            = record.Gap
	jsonClusterProblem = record.Problem

	jsonClusterProof    = record.Proof
	jsonDrilledDatabase = record.DrilledDatabase
)

func baseBackupJSON(b pitr.Backup) jsonBaseBackup {
	return jsonBaseBackup{
		Label: b.Label, Kind: b.Type, StartedAt: b.Started, StoppedAt: b.Stopped, Bytes: b.SizeBytes,
		StoredBytes: b.StoredBytes, BadPages: b.BadPages, Usable: true,
	}
}

func runClusterStatus(ctx context.Context, o *clusterOptions, name string) error {
	c, err := o.config()
	if err != nil {
		return err
	}
	if o.record {
		return o.writeDown(ctx, c.Clusters, name)
	}
	clusters := c.Clusters
	if name != "" || len(clusters) == 0 {
		one, err := c.Cluster(name)
		if err != nil {
			return err
		}
		clusters = []config.Cluster{one}
	}
	out := jsonClusters{Schema: jsonSchema, OK: true, Clusters: []jsonCluster{}}
	var failed error
	known := knownClusters{see: lookAtCluster, dir: o.env.readRecords()}
	for _, one := range clusters {
		state, note, err := known.look(ctx, one, o.env.now())
		if ctx.Err() != nil {
			return err
		}
		if err != nil {
			failed = err
		}
		if note != "" {
			out.Notes = append(out.Notes, note)
		}
		out.OK = out.OK && state.OK && note == ""
		out.Clusters = append(out.Clusters, state)
	}
	if failed != nil && len(clusters) == 1 {
		return failed
	}
	if err := o.printClusters(out); err != nil {
		return err
	}
	switch {
	case failed != nil:
		return exitWith(fault.CodeOf(failed))
	case !out.OK:
		return exitWith(fault.Warnings)
	}
	return nil
}

// lookAtCluster is the state of one; the error is in it too. reached is false where this user may not look at the
// server's files.
func lookAtCluster(ctx context.Context, c config.Cluster, now time.Time) (out jsonCluster, reached bool, err error) {
	out = jsonCluster{
		Cluster: c.Name, Engine: string(c.Engine), Stanza: c.Stanza, At: now.UTC(), RPOSeconds: int64(c.RPO.Seconds()),
		Windows: []jsonWindow{}, Gaps: []jsonGap{}, Backups: []jsonBaseBackup{}, Elsewhere: []int{},
		Problems: []jsonClusterProblem{},
	}
	engine, err := engines.Open(ctx, c)
	var s pitr.State
	if reached = err == nil; reached {
		s, err = engine.Look(ctx, now)
	}
	if err != nil {
		said := asFault(err)
		out.Error = &said
		return out, reached, err
	}
	fillCluster(&out, s)
	fillProof(&out, c, s)
	return out, reached, nil
}

func fillCluster(out *jsonCluster, s pitr.State) {
	out.EngineVersion, out.OK = s.Version, len(s.Problems) == 0
	out.Summary = s.Text()
	out.LossSummary = s.LossText(out.Cluster)
	for _, w := range s.Windows {
		out.Windows = append(out.Windows, jsonWindow{
			After: w.After, Until: w.Until, Timeline: int(w.Timeline), Backups: w.Backups, First: w.First, Last: w.Last,
		})
	}
	for _, g := range s.Gaps {
		gap := jsonGap{From: g.From, Missing: g.Missing, Segments: append([]string{}, g.Segments...)}
		if !g.To.IsZero() {
			gap.To = &g.To
		}
		out.Gaps = append(out.Gaps, gap)
	}
	for _, timeline := range s.OffTheWay {
		out.Elsewhere = append(out.Elsewhere, int(timeline))
	}
	for _, p := range s.Problems {
		out.Problems = append(out.Problems, jsonClusterProblem{Kind: string(p.Kind), What: p.What, Remedy: p.Remedy})
	}
	out.Ready = s.Ready
	if loss, known := s.Loss(); known && len(s.Windows) > 0 {
		seconds := int64(loss.Seconds())
		out.Loss = &seconds
	}
	if s.Unarchived != nil {
		out.Commits = s.Unarchived.Commits
	}
	for _, b := range s.Held.Backups {
		one := baseBackupJSON(b)
		one.Usable = s.Usable(b.Label)
		out.Backups = append(out.Backups, one)
	}
}

func (o *clusterOptions) printClusters(out jsonClusters) error {
	if o.json {
		return o.printJSON(out)
	}
	for i, c := range out.Clusters {
		if i > 0 {
			o.printf("\n")
		}
		sayCluster(o.streams, c, o.env.now())
		if err := o.printBackups(c.Backups); err != nil {
			return err
		}
	}
	for _, note := range out.Notes {
		o.sayf("note: %s\n", printable.Text(note))
	}
	return nil
}

// sayCluster says in some lines what can be recovered of a cluster. What was found out a while ago has its time.
func sayCluster(to *streams, c jsonCluster, now time.Time) {
	word := "OK  "
	if !c.OK || c.Old(now) {
		word = "FAIL"
	}
	if c.Error != nil {
		to.sayf("%s cluster %s: %s\n", word, c.Cluster, printable.Text(c.Error.Message))
		to.sayf("     %s\n", printable.Text(c.Error.Remedy))
		return
	}
	to.sayf("%s cluster %s: %s\n     %s\n", word, c.Cluster, printable.Text(c.Summary), printable.Text(c.LossSummary))
	if age := now.Sub(c.At); age >= time.Minute || age < 0 {
		to.sayf("     as of %s UTC, %s ago\n", c.At.UTC().Format(time.DateTime), readable.Age(age))
	}
	for _, p := range c.Problems {
		to.sayf("     %s\n     %s\n", printable.Text(p.What), printable.Text(p.Remedy))
	}
}

func (o *clusterOptions) printBackups(backups []jsonBaseBackup) error {
	if len(backups) == 0 {
		return nil
	}
	o.printf("\n")
	all := table{rows: [][]string{{"BASE BACKUP", "KIND", "DONE (UTC)", "CLUSTER", "STORED", "STATE"}}}
	for i := len(backups) - 1; i >= 0; i-- {
		b := backups[i]
		state := "ok"
		switch {
		case !b.Usable:
			state = "cannot be used: see above"
		case b.BadPages:
			state = "bad pages"
		}
		all.rows = append(all.rows, []string{
			b.Label, b.Kind, b.StoppedAt.Format(time.DateTime), readable.Size(b.Bytes), readable.Size(b.StoredBytes), state,
		})
	}
	return all.write(o.text(), o.columns(false))
}
