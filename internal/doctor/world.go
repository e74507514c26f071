package doctor

import (
	"context"
	"slices"
	"strings"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/iam"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

// World is what the checks look through.
type World struct {
	From  string // FromShell or FromUnit
	Job   config.Job
	Now   func() time.Time
	Keys  Keys
	Drill *restore.DrillRequest // nil: drills are another unit's
	Host  Host                  // nil: the units are not looked at
}

// Keys are the keys of the store that this process is given.
type Keys interface {
	// Open reaches the job's bucket with a role's key.
	Open(ctx context.Context, role iam.Role) (*s3.Bucket, error)
	// Hidden is why a role's key cannot be used here, or "".
	Hidden(role iam.Role) string
	// Caller is whose key a role's is, by AWS's word; "" where the store is another.
	Caller(ctx context.Context, role iam.Role) (string, error)
}

// Host is what is installed here.
type Host interface {
	Checks(ctx context.Context, job config.Job) []Finding
}

// Examine runs every check of the areas in which only names one; "" is all.
func Examine(ctx context.Context, w World, only string) Report {
	r := Report{Job: w.Job.Name, Database: w.Job.Database, At: w.Now().UTC(), Findings: []Finding{}}
	wanted := func(a Area) bool {
		return only == "" || only == string(a) || strings.HasPrefix(only, string(a)+".")
	}
	if wanted(PostgreSQL) && w.Job.Database != "" {
		r.Findings = append(r.Findings, postgresChecks(ctx, w)...)
	}
	if wanted(Store) || wanted(Bucket) {
		r.Findings = append(r.Findings, storeChecks(ctx, w)...)
	}
	if wanted(Units) && w.Host != nil {
		r.Findings = append(r.Findings, w.Host.Checks(ctx, w.Job)...)
	}
	r.Only(only)
	r.Sort()
	return r
}

// rolesOf are the roles whose keys a job's work needs: the keeper only where a timer deletes.
func rolesOf(job config.Job) []iam.Role {
	roles := []iam.Role{iam.Writer, iam.Keeper, iam.Prover, iam.Restorer}
	if len(job.Keep.Rules()) == 0 || job.Keep.By != config.PruneByTimer {
		roles = slices.DeleteFunc(roles, func(r iam.Role) bool { return r == iam.Keeper })
	}
	return roles
}

// Unreached is the report of a job of several databases whose server did not say which there are.
func Unreached(ctx context.Context, w World, err error, only string) Report {
	r := Report{Job: w.Job.Name, At: w.Now().UTC(), Findings: []Finding{}}
	l := &log{from: w.From}
	l.failed("postgresql.reach", Fail, "ask the server which databases the job has", err)
	l.findings = append(l.findings, storeChecks(ctx, w)...)
	if w.Host != nil {
		l.findings = append(l.findings, w.Host.Checks(ctx, w.Job)...)
	}
	r.Findings = l.findings
	r.Only(only)
	r.Sort()
	return r
}
