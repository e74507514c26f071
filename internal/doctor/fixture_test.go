package doctor_test

import (
	"context"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/doctor"
	"codeberg.org/pgbtui/pgbtui/internal/iam"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
	"codeberg.org/pgbtui/pgbtui/test/pgtest"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// patient is a job with a real server and a real store, where each role has a key of its own.
type patient struct {
	t     testing.TB
	pg    *pgtest.Server
	store *s3server.Running
	job   config.Job
	hide  map[iam.Role]string
	shut  error                 // no key can be used
	drill *restore.DrillRequest // where drills take place; nil: not from here
	open  map[iam.Role]*s3.Bucket
	now   func() time.Time
}

func newPatient(t testing.TB, opts ...s3server.Option) *patient {
	t.Helper()
	more := func(o *s3server.Options) {
		for _, role := range iam.Roles() {
			o.More = append(o.More, s3server.Credential{AccessKey: "key-of-" + string(role), SecretKey: "secret-of-" + string(role)})
		}
	}
	p := &patient{
		t: t, pg: pgtest.Shared(t), store: s3server.Start(t, append(opts, s3server.With(more))...),
		hide: map[iam.Role]string{}, open: map[iam.Role]*s3.Bucket{}, now: time.Now,
	}
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_CONFIG_FILE", "/nonexistent")
	p.job = config.Job{
		Name: "shop", Database: p.pg.CreateDatabase(t), Instance: "db1",
		Postgres: config.Postgres{Host: p.pg.Host, Port: p.pg.Port, User: p.pg.User},
		S3: config.S3{
			Bucket: p.store.Bucket, Prefix: "postgresql", Region: p.store.Region, Endpoint: p.store.Endpoint, SSE: "AES256",
		},
		Keep:  config.Keep{Days: 30, MinGood: 3, By: config.PruneByTimer},
		Drill: config.Drill{By: config.DrillByHand},
	}
	return p
}

// Open gives each role its key.
func (p *patient) Open(ctx context.Context, role iam.Role) (*s3.Bucket, error) {
	if p.shut != nil {
		return nil, p.shut
	}
	if b := p.open[role]; b != nil {
		return b, nil
	}
	p.t.Setenv("AWS_ACCESS_KEY_ID", "key-of-"+string(role))
	p.t.Setenv("AWS_SECRET_ACCESS_KEY", "secret-of-"+string(role))
	b, err := s3.Open(ctx, s3.Options{
		Bucket: p.job.S3.Bucket, Region: p.job.S3.Region, Endpoint: p.job.S3.Endpoint, SSE: p.job.S3.SSE,
		ExpectedBucketOwner: p.job.S3.ExpectedOwner, MaxAttempts: 2,
	})
	if err == nil {
		p.open[role] = b
		p.t.Cleanup(b.Close)
	}
	return b, err
}

func (p *patient) Hidden(role iam.Role) string { return p.hide[role] }

func (p *patient) Caller(context.Context, iam.Role) (string, error) { return "", nil }

func (p *patient) world() doctor.World {
	return doctor.World{From: doctor.FromShell, Job: p.job, Now: p.now, Keys: p, Drill: p.drill}
}

func (p *patient) examine(only string) doctor.Report {
	r := doctor.Examine(p.t.Context(), p.world(), only)
	record(r.Findings)
	return r
}

// one is the finding of a check.
func (p *patient) one(id string) doctor.Finding {
	p.t.Helper()
	r := p.examine(id)
	if len(r.Findings) != 1 {
		p.t.Fatalf("%s: %d findings: %+v", id, len(r.Findings), r.Findings)
	}
	return r.Findings[0]
}

// grant gives a role's key a policy, nil for everything.
func (p *patient) grant(role iam.Role, statements []iam.Statement) {
	p.t.Helper()
	var policy *s3server.Policy
	if statements != nil {
		text, err := json.Marshal(iam.Policy{Version: "2012-10-17", Statement: statements})
		if err != nil {
			p.t.Fatal(err)
		}
		if policy, err = s3server.ParsePolicy(text); err != nil {
			p.t.Fatal(err)
		}
	}
	p.store.Grant("key-of-"+string(role), policy)
}

// own is what docs/iam.md gives a role.
func (p *patient) own(role iam.Role) []iam.Statement {
	return iam.For([]iam.Role{role}, []config.Job{p.job}, config.Metrics{}).Statement
}

// without takes one right out of statements.
func without(statements []iam.Statement, right string) (left []iam.Statement) {
	for _, s := range statements {
		s.Action = slices.DeleteFunc(slices.Clone(s.Action), func(a string) bool { return a == right })
		if len(s.Action) > 0 {
			left = append(left, s)
		}
	}
	return left
}

// left are the keys in the bucket.
func (p *patient) left() (keys []string) {
	p.t.Helper()
	p.grant(iam.Doctor, nil)
	b, err := p.Open(p.t.Context(), iam.Doctor)
	if err != nil {
		p.t.Fatal(err)
	}
	for o, err := range b.List(p.t.Context(), "") {
		if err != nil {
			p.t.Fatal(err)
		}
		keys = append(keys, o.Key)
	}
	return keys
}
