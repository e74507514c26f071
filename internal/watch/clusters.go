// What is wrong with the clusters of this host, by what the unit that looks at them has written down.

package watch

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/pitr"
	"codeberg.org/pgbtui/pgbtui/internal/pitr/record"
	"codeberg.org/pgbtui/pgbtui/internal/readable"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
)

// The kinds of what is wrong with a cluster are clusterKind and the kind of its problem in package pitr, such as
// "cluster-gap", and these.
const (
	clusterKind = "cluster-"

	KindClusterStale Kind = clusterKind + "stale" // nobody has looked for a while
	KindClusterLook  Kind = clusterKind + "look"  // the look itself failed
)

// Kinds of problems that are told apart here.
const (
	gap         = string(pitr.ProblemGap)
	repository  = string(pitr.ProblemRepository)
	otherServer = string(pitr.ProblemOtherServer)
	noServer    = string(pitr.ProblemServer)
	archiver    = string(pitr.ProblemArchiver)
	archiveOff  = string(pitr.ProblemArchiveOff)
	archiveLag  = string(pitr.ProblemLag)
	badPages    = string(pitr.ProblemBadPages)
	lostBackup  = string(pitr.ProblemLostBackup)
	stopped     = string(pitr.ProblemStopped)
)

// Cluster is what a snapshot has of one.
type Cluster struct {
	Name     string
	Instance string
	Seen     *record.Cluster // nil: nothing is written down of it
}

// subject is what its findings are about. A job may have the same name.
func (c Cluster) subject() string { return "cluster " + c.Name }

// stale is why nothing is known of it now; "" where something is.
func (c Cluster) stale(now time.Time) string {
	switch {
	case c.Seen == nil:
		return "nobody has looked at it yet"
	case c.Seen.At.After(now) && c.Seen.Old(now):
		return "the last look at it was in the future, at " + c.Seen.At.UTC().Format(time.DateTime)
	case c.Seen.Old(now):
		return "nobody has looked at it for " + readable.Age(now.Sub(c.Seen.At))
	}
	return ""
}

// Clusters is what is known of all of them.
type Clusters struct {
	All []Cluster
	Err error         // why what was written down could not be read
	On  systemd.Timer // of the look
	Run systemd.UnitState
	// History is that of the unit that looks.
	History RunHistory
	asked   bool // systemd was
	at      time.Time
}

// clusters reads what is known of them. Where only the buckets of others are looked at, there are none.
func (p Prober) clusters(ctx context.Context, c *config.Config) (all Clusters, hostErr error) {
	if p.Clusters == nil || c.ReadOnly || len(c.Clusters) == 0 {
		return all, nil
	}
	all.at = p.Now
	known, err := p.Clusters()
	if fault.CodeOf(err) != fault.NotFound {
		all.Err = err
	}
	for _, one := range c.Clusters {
		cluster := Cluster{Name: one.Name, Instance: one.Instance}
		if seen, ok := record.Of(known, one.Name); ok {
			cluster.Seen = &seen
		}
		all.All = append(all.All, cluster)
	}
	if p.Host == nil || p.HostErr != nil {
		return all, nil //nolint:nilerr // the snapshot has it already
	}
	if all.On, hostErr = p.Host.Timer(ctx, systemd.ClusterStatusTimer); hostErr != nil {
		return all, hostErr
	}
	all.Run, hostErr = p.Host.Unit(ctx, systemd.ClusterStatusService)
	all.History = p.history(ctx, systemd.ClusterStatusService)
	all.asked = hostErr == nil
	return all, hostErr
}

// judge is everything that is wrong with them. failed is the open incident of the last failed look. A look that does
// not happen, because its timer is off or its unit fails, is one problem however many clusters there are.
func (c Clusters) judge(failed *Finding, now time.Time) (found []Finding) {
	if c.asked {
		found = c.judgeUnits(failed)
	}
	unseen := len(found) > 0
	if c.Err != nil {
		found = append(found, Finding{
			Kind: KindClusterStale, Severity: Critical, Remedy: fault.Remedy(c.Err),
			What: "what is known of the clusters cannot be read: " + c.Err.Error(),
		})
		return found
	}
	for _, one := range c.All {
		switch why := one.stale(now); {
		case why != "" && unseen:
		case why != "":
			found = append(found, Finding{
				Subject: one.subject(), Kind: KindClusterStale, Severity: Critical,
				What:   "what can be recovered is not known: " + why,
				Remedy: "Run `sudo systemctl start " + systemd.ClusterStatusService + "`, and read its journal.",
			})
		default:
			found = append(found, one.judge()...)
		}
	}
	return found
}

func (c Clusters) judgeUnits(failed *Finding) (found []Finding) {
	if what, remedy := TimerTrouble(c.On); what != "" {
		if c.On.State == systemd.TimerMissing {
			remedy = "Run `sudo pgbtui units install`, then `sudo pgbtui jobs sync`."
		}
		found = append(found, Finding{
			Subject: systemd.ClusterStatusTimer, Kind: KindTimer, Severity: Critical, Remedy: remedy,
			What: "nobody looks at the clusters: " + systemd.ClusterStatusTimer + " is " + what,
		})
	}
	return append(found, judgeRun(c.Run, c.History, failed, time.Time{})...)
}

// judge is what a look that is new enough has found.
func (c Cluster) judge() []Finding {
	if e := c.Seen.Error; e != nil {
		return []Finding{{
			Subject: c.subject(), Kind: KindClusterLook, Severity: Critical,
			What: "what can be recovered is not known: " + e.Message, Remedy: e.Remedy,
		}}
	}
	var found []Finding
	gaps := 0
	for _, p := range c.Seen.Problems {
		f := Finding{
			Subject: c.subject(), Kind: Kind(clusterKind + p.Kind), Severity: clusterSeverity(p.Kind), What: p.What,
			Remedy: p.Remedy,
		}
		if p.Kind == gap {
			if gaps < len(c.Seen.Gaps) && c.Seen.Gaps[gaps].To != nil {
				f.Severity = Warning // a base backup behind it is there
			}
			gaps++
		}
		found = append(found, f)
	}
	return mergedOfCluster(found)
}

func clusterSeverity(kind string) Severity {
	if kind == noServer || kind == archiver {
		return Warning // commits that are not archived for too long are a problem of their own
	}
	return Critical
}

// mergedOfCluster makes one finding of those of a kind. Where there is another one of what lasts, people are told.
func mergedOfCluster(found []Finding) (all []Finding) {
	for _, f := range found {
		if slices.Contains([]string{gap, lostBackup, badPages}, strings.TrimPrefix(string(f.Kind), clusterKind)) {
			f.Cause = f.What
		}
		k := slices.IndexFunc(all, func(o Finding) bool { return o.key() == f.key() })
		if k < 0 {
			all = append(all, f)
			continue
		}
		all[k].What += "; " + f.What
		all[k].Severity = max(all[k].Severity, f.Severity)
		if f.Cause != "" {
			all[k].Cause = all[k].What
		}
	}
	return all
}

// unjudged reports whether an incident of a cluster cannot be judged by what is known now.
func (c Clusters) unjudged(i Incident) bool {
	k := slices.IndexFunc(c.All, func(one Cluster) bool { return one.subject() == i.Subject })
	if k < 0 || i.Kind == KindClusterStale {
		return false
	}
	one := c.All[k]
	switch {
	case c.Err != nil || one.stale(c.at) != "":
		return true
	case i.Kind == KindClusterLook:
		return false
	case one.Seen.Error != nil:
		return true
	}
	kind := strings.TrimPrefix(string(i.Kind), clusterKind)
	ofServer := slices.Contains([]string{archiver, archiveOff}, kind)
	always := slices.Contains([]string{repository, otherServer, noServer, stopped}, kind)
	for _, p := range one.Seen.Problems {
		switch p.Kind {
		case noServer:
			if ofServer {
				return true
			}
		case repository, otherServer:
			if !ofServer && !always {
				return true
			}
		}
	}
	return kind == archiveLag && one.Seen.Loss == nil && len(one.Seen.Windows) > 0
}

// about is one of them in a line.
func (c Cluster) about(now time.Time) string {
	if why := c.stale(now); why != "" {
		return fmt.Sprintf("cluster %s: %s", c.Name, why)
	}
	what := c.Seen.Summary
	if c.Seen.Error != nil {
		what = "the look failed"
	}
	return fmt.Sprintf("cluster %s: %s; looked at %s ago", c.Name, what, readable.Age(now.Sub(c.Seen.At)))
}

// About is each of them in a line.
func (c Clusters) About(now time.Time) (lines []string) {
	for _, one := range c.All {
		lines = append(lines, one.about(now))
	}
	return lines
}
