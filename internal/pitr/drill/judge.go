package drill

import (
	"cmp"
	"fmt"
	"regexp"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/pitr"
	"codeberg.org/pgbtui/pgbtui/internal/readable"
)

// The kinds of problem that drills show.
const (
	ProblemFailed pitr.ProblemKind = "drill-failed"
	ProblemOld    pitr.ProblemKind = "proof-old"
	ProblemRTO    pitr.ProblemKind = "rto"
)

// Unreadable is the problem that nobody can say what drills have proven.
func Unreadable(err error) pitr.Problem {
	return pitr.Problem{
		Kind: ProblemOld, What: "what drills have proven cannot be read: " + err.Error(),
		Remedy: cmp.Or(fault.Remedy(err), "Look who has written to that file, remove it, and drill the cluster again."),
	}
}

// Judge says what is wrong with what is known: an old proof, a failed drill, a recovery that takes too long.
func (k Known) Judge(c config.Cluster, now time.Time) (all []pitr.Problem) {
	add := func(kind pitr.ProblemKind, what, remedy string) {
		all = append(all, pitr.Problem{Kind: kind, What: what, Remedy: remedy})
	}
	again := "Drill it: `sudo pgbtui cluster drill " + c.Name + "`."
	if k.Newest != nil && !k.Newest.OK {
		add(ProblemFailed, "the drill of "+k.Newest.FinishedAt.Format(time.DateTime)+" UTC failed: "+k.Newest.Failure,
			"Make a full backup now, look for the cause, and drill again.")
	}
	switch {
	case c.ProofWithin == 0:
	case k.Proven == nil:
		add(ProblemOld, "no drill has proven yet that the cluster can be recovered", again)
	case now.Sub(k.Proven.FinishedAt) > c.ProofWithin:
		add(ProblemOld, fmt.Sprintf("the newest proof is %s old, more than proof_objective (%s)",
			readable.Age(now.Sub(k.Proven.FinishedAt)), readable.Age(c.ProofWithin)), again)
	}
	switch {
	case c.RTO == 0:
	case k.Proven == nil:
		add(ProblemRTO, "how long a recovery takes was never measured, and rto is "+readable.Age(c.RTO), again)
	case k.Proven.RTO() > c.RTO:
		add(ProblemRTO, fmt.Sprintf("a recovery took %s in the newest drill, more than rto (%s)",
			readable.Took(k.Proven.RTO()), readable.Age(c.RTO)),
			"Make base backups more often, so that less WAL is replayed; or give the recovery faster disks and network.")
	}
	return all
}

// Text is what is proven, in one line; "" if nothing is known.
func (k Known) Text() string {
	if k.Proven == nil {
		return ""
	}
	return fmt.Sprintf("proven %s to %s UTC, in %s", k.Proven.FinishedAt.Format("2 Jan"),
		k.Proven.Target.Format("2 Jan 15:04:05"), readable.Took(k.Proven.RTO()))
}

// noted is how a proof is annotated.
var noted = regexp.MustCompile(`^(\S{1,40}) reached (\S{1,40}) in ([0-9]{1,9})s$`)

// Noted is the newest proof that the engine has notes of, for a host that has none of its own. Whoever may write to the
// repository may have written them.
func Noted(backups []pitr.Backup) (p Proof, ok bool) {
	for _, backup := range backups {
		m := noted.FindStringSubmatch(string(backup.Annotation[Annotation]))
		if m == nil {
			continue
		}
		finished, err := time.Parse(time.RFC3339, m[1])
		target, err2 := time.Parse(time.RFC3339Nano, m[2])
		if err != nil || err2 != nil || !finished.After(p.FinishedAt) {
			continue
		}
		var seconds int64
		_, _ = fmt.Sscan(m[3], &seconds) // nine digits
		p = Proof{
			Schema: proofSchema, OK: true, FinishedAt: finished.UTC(), Target: target.UTC(), Set: backup.Label,
			RTOSeconds: float64(seconds),
		}
		ok = true
	}
	return p, ok
}
