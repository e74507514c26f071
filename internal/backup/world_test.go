package backup

import (
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"filippo.io/age"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
	"codeberg.org/pgbtui/pgbtui/test/pgtest"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// world is one job between a real PostgreSQL and a real S3 API.
type world struct {
	pg    *pgtest.Server
	store *s3server.Running
	env   Env
	job   config.Job
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{pg: pgtest.Shared(t), store: s3server.Start(t)}
	w.job = config.Job{
		Name: "main", Instance: "db1", Database: w.pg.CreateDatabase(t),
		Postgres:  config.Postgres{Host: w.pg.Host, Port: w.pg.Port, User: w.pg.User, BinDir: w.pg.BinDir},
		S3:        config.S3{Bucket: w.store.Bucket, Prefix: "postgresql"},
		Retention: config.Retention{MinKeep: 3}, StallAfter: time.Minute, ConnectWait: 5 * time.Second, LockWait: 10 * time.Second,
		SpoolDir: t.TempDir(),
	}
	w.env = Env{Bucket: w.bucket(t), Log: slog.New(slog.NewTextHandler(testLog{t}, nil)), Now: time.Now, Host: "testhost", Tool: "pgbtui test", Trigger: "cli"}
	return w
}

// bucket opens the store with short retries.
func (w *world) bucket(t testing.TB) *s3.Bucket {
	t.Helper()
	credentials := filepath.Join(t.TempDir(), "credentials")
	text := "[default]\naws_access_key_id = " + w.store.AccessKey + "\naws_secret_access_key = " + w.store.SecretKey + "\n"
	if err := os.WriteFile(credentials, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	b, err := s3.Open(t.Context(), s3.Options{Bucket: w.store.Bucket, Endpoint: w.store.Endpoint, Region: w.store.Region,
		CredentialsFile: credentials, MaxAttempts: 4, MaxBackoff: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

type testLog struct{ t testing.TB }

func (l testLog) Write(p []byte) (int, error) {
	l.t.Logf("%s", p)
	return len(p), nil
}

func (w *world) run(t testing.TB) *Result {
	t.Helper()
	result, err := Run(t.Context(), w.job, w.env, RunOptions{ID: NewID(time.Now())})
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func (w *world) sets(t testing.TB) []Set {
	t.Helper()
	sets, err := NewCatalogue(w.env.Bucket, w.job.S3.Prefix).Sets(t.Context(), Scope{})
	if err != nil {
		t.Fatal(err)
	}
	return sets
}

func (w *world) find(t testing.TB, id string) *Set {
	t.Helper()
	set, err := NewCatalogue(w.env.Bucket, w.job.S3.Prefix).Find(t.Context(), Scope{}, id)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// keys lists the bucket, less the lease, which stays for good.
func (w *world) keys(t testing.TB) []string {
	t.Helper()
	var keys []string
	for o, err := range w.env.Bucket.List(context.WithoutCancel(t.Context()), "") {
		if err != nil {
			t.Fatal(err)
		}
		if filepath.Base(o.Key) != leaseName {
			keys = append(keys, o.Key)
		}
	}
	return keys
}

func (w *world) openUploads(t testing.TB) int {
	t.Helper()
	uploads, err := w.env.Bucket.Uploads(context.WithoutCancel(t.Context()), "")
	if err != nil {
		t.Fatal(err)
	}
	return len(uploads)
}

// noLitter asserts what must hold after a failed run: no set more, nothing half-done.
func (w *world) noLitter(t testing.TB, before []string) {
	t.Helper()
	if after := w.keys(t); len(after) != len(before) {
		t.Errorf("left in the bucket: %q, before: %q", after, before)
	}
	if n := w.openUploads(t); n != 0 {
		t.Errorf("%d open multipart uploads left", n)
	}
}

func newIdentity(t testing.TB) *age.X25519Identity {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

var _ io.Writer = testLog{}

const sampleSchema = `
CREATE TABLE items (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, label text NOT NULL, twice bigint GENERATED ALWAYS AS (length(label) * 2) STORED);
INSERT INTO items (label) SELECT E'line\nbreak ' || i || repeat('x', i % 50) FROM generate_series(1, 5000) AS i;
CREATE TABLE empty_one (a int);
CREATE TABLE measured (at date NOT NULL, v int) PARTITION BY RANGE (at);
CREATE TABLE measured_2026 PARTITION OF measured FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
INSERT INTO measured SELECT date '2026-01-01' + i % 300, i FROM generate_series(1, 1000) AS i;
CREATE SCHEMA "odd ""name""";
CREATE TABLE "odd ""name"""."数据
表" (a text);
INSERT INTO "odd ""name"""."数据
表" VALUES (E'\\.'), (NULL), ('');
CREATE MATERIALIZED VIEW totals AS SELECT count(*) FROM items;
SELECT lo_from_bytea(0, 'large object ' || i::text::bytea) FROM generate_series(1, 3) AS i;
`
