package docs

import (
	"log/slog"
	"net/http"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/dump"
	"codeberg.org/pgbtui/pgbtui/internal/backup/retention"
	"codeberg.org/pgbtui/pgbtui/internal/backup/verify"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/iam"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
	"codeberg.org/pgbtui/pgbtui/test/pgtest"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// guarded is a store that enforces one of the documented policies and counts what it refused,
// with a job that backs up into it.
type guarded struct {
	store  *s3server.Running
	bucket *s3.Bucket
	job    config.Job
	env    backup.Env
}

func newGuarded(t *testing.T) *guarded {
	t.Helper()
	pg := pgtest.Shared(t)
	pg.CreateDatabaseNamed(t, "production")
	pg.Exec(t, "production", "CREATE TABLE items AS SELECT i FROM generate_series(1, 100) AS i")
	g := &guarded{}
	store := s3server.Start(t, s3server.WithBucket("company-backups"))
	g.store = store
	t.Setenv("AWS_ACCESS_KEY_ID", store.AccessKey)
	t.Setenv("AWS_SECRET_ACCESS_KEY", store.SecretKey)
	var err error
	if g.bucket, err = s3.Open(t.Context(), s3.Options{Bucket: store.Bucket, Endpoint: store.Endpoint, Region: store.Region, MaxAttempts: 2}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.bucket.Close)
	g.job = config.Job{
		Name: "production", Instance: "db1", Database: "production",
		Postgres: config.Postgres{Host: pg.Host, Port: pg.Port, User: pg.User, BinDir: pg.BinDir},
		S3:       config.S3{Bucket: store.Bucket, Prefix: "postgresql"}, StallAfter: time.Minute, ConnectWait: time.Second, LockWait: time.Second,
	}
	g.env = backup.Env{Bucket: g.bucket, Log: slog.New(slog.DiscardHandler), Now: time.Now, Host: "db1", Tool: "test", Trigger: "cli"}
	return g
}

// refusals are how many requests the store has refused so far, once none is under way: an answer can be here before the
// store has noted it.
func (g *guarded) refusals() int {
	for {
		refused := 0
		under := 0
		for _, r := range g.store.Requests() {
			switch r.Status {
			case 0:
				under++
			case http.StatusForbidden:
				refused++
			}
		}
		if under == 0 {
			return refused
		}
		time.Sleep(time.Millisecond)
	}
}

// under carries out do as a role, whose policy must refuse exactly so many requests.
func (g *guarded) under(t *testing.T, p iam.Policy, refusals int, do func(*testing.T)) {
	t.Helper()
	g.store.Grant(g.store.AccessKey, enforced(t, p))
	before := g.refusals()
	do(t)
	if n := g.refusals() - before; n != refusals {
		t.Errorf("%d requests refused, want %d", n, refusals)
	}
}

func (g *guarded) run(t *testing.T, job config.Job) {
	t.Helper()
	result, err := dump.Run(t.Context(), job, g.env, dump.RunOptions{ID: backup.NewID(time.Now())})
	if err != nil || len(result.Warnings) > 0 {
		t.Fatalf("back up: %+v, %v", result, err)
	}
}

func (g *guarded) list(t *testing.T, want int) {
	t.Helper()
	if sets, err := backup.NewCatalogue(g.bucket, g.job).Sets(t.Context(), backup.Scope{}); err != nil || len(sets) != want {
		t.Errorf("list: %d sets, want %d, %v", len(sets), want, err)
	}
}

func (g *guarded) verify(t *testing.T) (warnings []string) {
	t.Helper()
	set, err := backup.NewCatalogue(g.bucket, g.job).Find(t.Context(), backup.Scope{Instance: "db1", Database: "production"}, "latest")
	if err != nil {
		t.Fatal(err)
	}
	v, err := verify.Whole(t.Context(), g.job, g.env, set, nil)
	if err != nil {
		t.Fatal(err)
	}
	return v.Warnings
}

// prune deletes every set of the job: retention itself would keep the only one.
func (g *guarded) prune(t *testing.T) {
	t.Helper()
	plan, err := retention.Plan(t.Context(), g.job, g.env, retention.Reach{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range plan.Decisions {
		plan.Decisions[i].Delete = true
	}
	if gone, err := retention.Apply(t.Context(), g.bucket, g.env.Log, plan, retention.Unconfirmed); err != nil || len(gone.Sets) != 1 {
		t.Errorf("prune: %d sets deleted, %v", len(gone.Sets), err)
	}
}

func TestEachRoleCanDoItsWorkUnderItsPolicy(t *testing.T) {
	g, roles := newGuarded(t), policies(t)
	other := g.job
	other.Instance = "db2"
	g.run(t, other) // another host's set is in nobody's way
	g.under(t, roles["writer"], 0, func(t *testing.T) {
		if err := g.bucket.Probe(t.Context()); err != nil {
			t.Error(err)
		}
		g.run(t, g.job)
		if warnings := g.verify(t); len(warnings) > 0 {
			t.Errorf("verify: %q", warnings)
		}
		g.list(t, 2)
	})
	g.under(t, roles["prover"], 0, func(t *testing.T) {
		g.list(t, 2)
		if warnings := g.verify(t); len(warnings) > 0 {
			t.Errorf("verify: %q", warnings)
		}
	})
	g.under(t, roles["prover"], 1, func(t *testing.T) {
		_, err := g.bucket.Put(t.Context(), "postgresql/db1/production/20260101T000000Z-abcdef/manifest.json", []byte("{}"), s3.PutOptions{})
		if err == nil {
			t.Error("the prover may put a manifest")
		}
	})
	g.under(t, roles["restorer"], 1, func(t *testing.T) { // refused: to record the proof
		g.list(t, 2)
		if warnings := g.verify(t); len(warnings) != 1 {
			t.Errorf("verify did not say that its result is not recorded: %q", warnings)
		}
	})
	g.under(t, roles["writer"], 0, func(t *testing.T) { // DeleteObjects refuses each key in its answer
		if _, err := g.bucket.Delete(t.Context(), []string{"postgresql/db1/production/x"}); err == nil {
			t.Error("the writer may delete")
		}
	})
	g.under(t, roles["keeper"], 0, g.prune)
}
