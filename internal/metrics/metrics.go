// Package metrics turns what runs and the watch know of jobs into samples, and brings these to monitoring systems.
//
// Rules: a time is a timestamp and never an age, so that silence shows. A job has one series of each name, and no set
// has one of its own. Nothing says "success": what says so sticks when nothing runs any more. Labels are none of
// `job` and `instance`, which Prometheus gives to whatever it scrapes. A system that does not take samples is a
// warning to whoever sent them, never the failure of a backup.
package metrics

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/config"
)

// Metric is one name, with what it means.
type Metric struct {
	Name string
	Help string // one line
}

// The names. All are gauges.
const (
	jobInfo       = "pgbtui_job_info"
	rpo           = "pgbtui_rpo_seconds"
	proofWithin   = "pgbtui_proof_objective_seconds"
	rto           = "pgbtui_rto_seconds"
	uncovered     = "pgbtui_uncovered_databases"
	watchedAt     = "pgbtui_watch_timestamp_seconds"
	problem       = "pgbtui_problem"
	lastSuccess   = "pgbtui_last_success_timestamp_seconds"
	stageDuration = "pgbtui_duration_seconds"
	rawBytes      = "pgbtui_raw_bytes"
	storedBytes   = "pgbtui_stored_bytes"
	provenAt      = "pgbtui_proof_timestamp_seconds"
	restoreTook   = "pgbtui_restore_measured_seconds"
	sets          = "pgbtui_sets"
	oldestSet     = "pgbtui_oldest_set_timestamp_seconds"
	leftoverBytes = "pgbtui_leftover_bytes"
	monthlyCost   = "pgbtui_estimated_cost_usd_month"
	copySets      = "pgbtui_copy_sets"
	copyNewest    = "pgbtui_copy_newest_timestamp_seconds"
	lastAttempt   = "pgbtui_last_attempt_timestamp_seconds"
	lastExitCode  = "pgbtui_last_attempt_exit_code"

	clusterInfo      = "pgbtui_cluster_info"
	clusterLooked    = "pgbtui_cluster_looked_timestamp_seconds"
	clusterRPO       = "pgbtui_cluster_rpo_seconds"
	windowStart      = "pgbtui_cluster_window_start_timestamp_seconds"
	windowEnd        = "pgbtui_cluster_window_end_timestamp_seconds"
	clusterGaps      = "pgbtui_cluster_gaps"
	clusterLoss      = "pgbtui_cluster_loss_seconds"
	readySegments    = "pgbtui_cluster_ready_segments"
	baseBackupAt     = "pgbtui_cluster_base_backup_timestamp_seconds"
	baseBackupBytes  = "pgbtui_cluster_base_backup_bytes"
	baseBackupStored = "pgbtui_cluster_base_backup_stored_bytes"
)

// Catalogue is every metric, in the order of the documentation.
func Catalogue() []Metric {
	return []Metric{
		{jobInfo, "1 for each job that is configured: what should have backups."},
		{rpo, "How old the newest good set may be."},
		{proofWithin, "How old the newest proof of that level may be."},
		{rto, "How long a restore of the newest good set may take."},
		{uncovered, "How many databases no job backs up, as the newest runs saw their servers."},
		{watchedAt, "When the hourly watch last checked everything."},
		{problem, "1 for each kind of problem that the watch sees now."},
		{lastSuccess, "When the newest good set was finished."},
		{stageDuration, "How long each stage of the run that made it took."},
		{rawBytes, "Size of its dump before compression."},
		{storedBytes, "Size of all its objects in the bucket."},
		{provenAt, "When a set was last shown to be of that level."},
		{restoreTook, "How long a restore of it takes, scaled from the newest restore or drill."},
		{sets, "How many sets there are in that state."},
		{oldestSet, "When the oldest good set was finished."},
		{leftoverBytes, "Size of what runs left that never committed."},
		{monthlyCost, "What all of it costs a month in US dollars, by AWS's list prices."},
		{copySets, "How many good sets a copy has, as the watch last read it."},
		{copyNewest, "When the newest good set that a copy has was finished."},
		{lastAttempt, "When the last run ended, however it ended."},
		{lastExitCode, "Its exit code; 128 and the signal's number where it was killed."},
		{clusterInfo, "1 for each cluster that is configured."},
		{clusterLooked, "When somebody last looked at the cluster."},
		{clusterRPO, "How much of it may be lost."},
		{windowStart, "From when on the cluster could be recovered to any second, without a gap until the end."},
		{windowEnd, "Up to when: the last archived commit."},
		{clusterGaps, "How many gaps there are in its archived WAL."},
		{clusterLoss, "What would have been lost with the host: the age of the oldest commit that was not archived."},
		{readySegments, "How many segments of WAL waited to be archived."},
		{baseBackupAt, "When the newest usable base backup of that kind was done."},
		{baseBackupBytes, "Size of the cluster then."},
		{baseBackupStored, "Size of what it stored."},
	}
}

// Label is one label of a sample.
type Label struct {
	Name  string
	Value string
}

// Sample is one series with its value now.
type Sample struct {
	Metric string
	Labels []Label // in the order in which they are written
	Value  float64
}

// Who is the job that samples are about.
type Who struct {
	Job      string
	Database string // of a tenant with its schema: "crm/tenant_7"
	Instance string
}

// WhoOf is for a job of the configuration.
func WhoOf(job config.Job) Who {
	return Who{Job: job.Name, Database: job.Subject(), Instance: job.Instance}
}

// sample is one of a job's.
func (w Who) sample(metric string, value float64, more ...Label) Sample {
	labels := []Label{
		{Name: "backup_instance", Value: w.Instance},
		{Name: "backup_job", Value: w.Job},
		{Name: "database", Value: w.Database},
	}
	return Sample{Metric: metric, Labels: append(labels, more...), Value: value}
}

// Part is what writers replace as a whole. No two parts have a series in common, so that none takes another's away.
type Part string

// The parts.
const (
	PartHost Part = "host" // by the watch: which jobs there are, their objectives, clusters, and what is wrong
	PartSets Part = "sets" // of one job, by its runs and the watch: what the bucket holds
	PartRun  Part = "run"  // of one job, by its runs: how the last one ended
)

// Group is the samples of one part.
type Group struct {
	Part    Part
	Job     string // with the database, where it has several; "" of PartHost
	Of      Who    // the same for labels; the zero value of PartHost
	Samples []Sample
}

// Objective is what a job is held against.
type Objective struct {
	RPO         time.Duration
	ProofWithin time.Duration // 0: no proof is asked for
	ProofLevel  string
	RTO         time.Duration // 0: not asked for
}

// Expected are the samples of a job that is configured.
func Expected(w Who, o Objective) []Sample {
	all := []Sample{w.sample(jobInfo, 1), w.sample(rpo, o.RPO.Seconds())}
	if o.ProofWithin > 0 {
		all = append(all, w.sample(proofWithin, o.ProofWithin.Seconds(), Label{Name: "level", Value: o.ProofLevel}))
	}
	if o.RTO > 0 {
		all = append(all, w.sample(rto, o.RTO.Seconds()))
	}
	return all
}

// Uncovered is the sample of how many databases no job backs up.
func Uncovered(n int) Sample { return Sample{Metric: uncovered, Value: float64(n)} }

// Problem is the sample of something that is wrong; w is the zero value for what is no job's.
func Problem(w Who, kind, severity string) Sample {
	s := w.sample(problem, 1, Label{Name: "kind", Value: kind}, Label{Name: "severity", Value: severity})
	s.Labels = slices.DeleteFunc(s.Labels, func(l Label) bool { return l.Value == "" })
	return s
}

// Watched is the sample of a look of the watch.
func Watched(now time.Time) Sample { return Sample{Metric: watchedAt, Value: seconds(now)} }

// Run is how a run of a job ended.
func Run(w Who, ended time.Time, exitCode int) Group {
	return Group{Part: PartRun, Job: w.Job, Of: w, Samples: []Sample{
		w.sample(lastAttempt, seconds(ended)), w.sample(lastExitCode, float64(exitCode)),
	}}
}

// seconds is a time as Prometheus has it.
func seconds(at time.Time) float64 { return float64(at.UnixMilli()) / 1000 }

// unique are the samples of one series each, the last of each, by the order of the catalogue. Where two series are
// the same, readers take nothing of a whole file.
func unique(samples []Sample) []Sample {
	order := map[string]int{}
	for i, m := range Catalogue() {
		order[m.Name] = i
	}
	last := map[string]Sample{}
	for _, s := range samples {
		last[series(s)] = s
	}
	all := make([]Sample, 0, len(last))
	for _, s := range last {
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b Sample) int {
		return cmp.Or(cmp.Compare(order[a.Metric], order[b.Metric]), strings.Compare(series(a), series(b)))
	})
	return all
}
