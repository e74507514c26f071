package docs

import (
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
	"codeberg.org/pgbtui/pgbtui/test/pgtest"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// guarded is a store that enforces one of the documented policies, and counts what it refused.
type guarded struct {
	rights  map[string]string
	current atomic.Pointer[policy]
	refused atomic.Int64
}

const bucketARN = "arn:aws:s3:::company-backups"

func (g *guarded) fault(t testing.TB) func(s3server.Op, *http.Request) *s3server.Fault {
	return func(op s3server.Op, r *http.Request) *s3server.Fault {
		right, known := g.rights[string(op)]
		if !known {
			t.Errorf("%s is called, and docs/iam.md does not know it", op)
		}
		_, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		resource := bucketARN
		switch {
		case right == "s3:DeleteObject" && key == "": // DeleteObjects names its keys in the body
			resource += "/postgresql/db1/production/x"
		case !strings.HasPrefix(right, "s3:ListBucket"):
			resource += "/" + key
		}
		if g.current.Load().allows(right, resource) {
			return nil
		}
		g.refused.Add(1)
		return &s3server.Fault{Kind: s3server.Answer, Code: "AccessDenied", Message: string(op) + " " + resource}
	}
}

// in carries out what a role does, under its documented policy.
func (g *guarded) in(t *testing.T, role string, refusals int64, do func() error) {
	t.Helper()
	p := policies(t)[role]
	g.current.Store(&p)
	g.refused.Store(0)
	if err := do(); err != nil {
		t.Errorf("as %s: %v", role, err)
	}
	if n := g.refused.Load(); n != refusals {
		t.Errorf("as %s: %d requests refused, want %d", role, n, refusals)
	}
}

func TestEachRoleCanDoItsWorkUnderItsPolicy(t *testing.T) {
	pg := pgtest.Shared(t)
	pg.CreateDatabaseNamed(t, "production")
	pg.Exec(t, "production", "CREATE TABLE items AS SELECT i FROM generate_series(1, 100) AS i")
	g := &guarded{rights: documentedRights(t)}
	everything := policy{{Effect: "Allow", Action: []string{"s3:PutObject", "s3:GetObject", "s3:ListBucket", "s3:ListBucketMultipartUploads"}, Resource: []string{"*"}}}
	g.current.Store(&everything)
	store := s3server.Start(t, s3server.WithBucket("company-backups"), s3server.With(func(o *s3server.Options) { o.Fault = g.fault(t) }))
	t.Setenv("AWS_ACCESS_KEY_ID", store.AccessKey)
	t.Setenv("AWS_SECRET_ACCESS_KEY", store.SecretKey)
	bucket, err := s3.Open(t.Context(), s3.Options{Bucket: store.Bucket, Endpoint: store.Endpoint, Region: store.Region, MaxAttempts: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer bucket.Close()
	job := config.Job{Name: "production", Instance: "db1", Database: "production",
		Postgres: config.Postgres{Host: pg.Host, Port: pg.Port, User: pg.User, BinDir: pg.BinDir},
		S3:       config.S3{Bucket: store.Bucket, Prefix: "postgresql"}, StallAfter: time.Minute, ConnectWait: time.Second, LockWait: time.Second}
	env := backup.Env{Bucket: bucket, Log: slog.New(slog.DiscardHandler), Now: time.Now, Host: "db1", Tool: "test", Trigger: "cli"}
	run := func(job config.Job) error {
		result, err := backup.Run(t.Context(), job, env, backup.RunOptions{ID: backup.NewID(time.Now())})
		if err == nil && len(result.Warnings) > 0 {
			t.Errorf("warnings: %q", result.Warnings)
		}
		return err
	}
	list := func() (sets []backup.Set, err error) {
		return backup.NewCatalogue(bucket, "postgresql").Sets(t.Context(), backup.Scope{})
	}
	other := job
	other.Instance = "db2"
	if err := run(other); err != nil { // another host's set is in the way of nobody
		t.Fatal(err)
	}
	verify := func() ([]string, error) {
		set, err := backup.NewCatalogue(bucket, "postgresql").Find(t.Context(), backup.Scope{Instance: "db1", Database: "production"}, "latest")
		if err != nil {
			return nil, err
		}
		v, err := backup.Verify(t.Context(), job, env, set, nil)
		if err != nil {
			return nil, err
		}
		return v.Warnings, nil
	}

	g.in(t, "writer", 0, func() error {
		if err := bucket.Probe(t.Context()); err != nil {
			return err
		}
		if err := run(job); err != nil {
			return err
		}
		if warnings, err := verify(); err != nil || len(warnings) > 0 {
			t.Errorf("verify: %q, %v", warnings, err)
		}
		_, err := list()
		return err
	})
	g.in(t, "restorer", 1, func() error { // the proof that it may not write
		if sets, err := list(); err != nil || len(sets) != 2 {
			t.Errorf("list: %d sets, %v", len(sets), err)
		}
		warnings, err := verify()
		if len(warnings) != 1 {
			t.Errorf("verify did not say that its result is not recorded: %q", warnings)
		}
		return err
	})
	g.in(t, "keeper", 0, func() error {
		job.Retention = config.Retention{Days: 1, MinKeep: 1}
		later := env
		later.Now = func() time.Time { return time.Now().Add(72 * time.Hour) }
		plan, err := backup.Plan(t.Context(), job, later, false)
		if err != nil {
			return err
		}
		for i := range plan {
			plan[i].Delete = true // retention itself would keep the only set
		}
		gone, err := backup.Apply(t.Context(), bucket, env.Log, plan)
		if len(gone) != 1 {
			t.Errorf("%d sets deleted", len(gone))
		}
		return err
	})
	g.in(t, "writer", 1, func() error {
		if _, err := bucket.Delete(t.Context(), []string{"postgresql/db1/production/x"}); err == nil {
			t.Error("the writer may delete")
		}
		return nil
	})
}
