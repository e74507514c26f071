package integration

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"filippo.io/age"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/dump"
	"codeberg.org/pgbtui/pgbtui/internal/backup/lease"
	"codeberg.org/pgbtui/pgbtui/internal/backup/retention"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
	"codeberg.org/pgbtui/pgbtui/test/pgtest"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// world is one job between a real PostgreSQL and a real S3 API.
type world struct {
	pg    *pgtest.Server
	store *s3server.Running
	env   backup.Env
	job   config.Job
	log   *logBook
	hook  atomic.Pointer[hook]

	unconditional atomic.Bool
	storeAhead    atomic.Int64 // what the store's clock is ahead, as a Duration
}

// hook sees each request before it is served, and may do anything in between.
type hook func(op s3server.Op, key string) *s3server.Fault

// partBytes makes uploads of several parts from small databases.
const partBytes = 64 << 10

func newWorld(t testing.TB) *world {
	t.Helper()
	pg := pgtest.Shared(t)
	return newWorldOn(t, pg, pg.CreateDatabase(t))
}

// newWorldOn shares a database: each world has a store and an instance of its own.
func newWorldOn(t testing.TB, pg *pgtest.Server, database string, store ...s3server.Option) *world {
	t.Helper()
	w := &world{pg: pg, log: &logBook{}}
	w.store = s3server.Start(t, append(store, s3server.With(func(o *s3server.Options) {
		o.MinPartBytes, o.Fault = 1, w.ask
		o.More = []s3server.Credential{{AccessKey: "no-delete", SecretKey: "no-delete-secret", Deny: []s3server.Op{s3server.OpDeleteObjects, s3server.OpDeleteObject}}}
	}))...)
	w.job = config.Job{
		Name: "main", Instance: "db" + strconv.FormatInt(worlds.Add(1), 10), Database: database,
		Postgres: config.Postgres{Host: pg.Host, Port: pg.Port, User: pg.User, BinDir: pg.BinDir},
		S3:       config.S3{Bucket: w.store.Bucket, Prefix: "postgresql"},
		Keep:     config.Keep{MinGood: 3}, StallAfter: time.Minute, ConnectWait: 5 * time.Second, LockWait: 10 * time.Second,
		SpoolDir: t.TempDir(),
	}
	w.env = backup.Env{
		Bucket: w.bucket(t, w.store.AccessKey, w.store.SecretKey), Log: slog.New(slog.NewTextHandler(w.log, nil)),
		Now: time.Now, Host: "testhost", Tool: "pgbtui test", Trigger: "cli",
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(w.log.text())
		}
	})
	return w
}

// worlds numbers instances, which name advisory locks of the shared server.
var worlds atomic.Int64

// refuseConditions makes the store one that knows no conditional writes.
func (w *world) refuseConditions() { w.unconditional.Store(true) }

func (w *world) ask(op s3server.Op, r *http.Request) *s3server.Fault {
	if w.unconditional.Load() && r.Header.Get("If-None-Match")+r.Header.Get("If-Match") != "" && op == s3server.OpPutObject {
		return &s3server.Fault{Kind: s3server.Answer, Status: http.StatusNotImplemented, Code: "NotImplemented"}
	}
	if ahead := w.storeAhead.Load(); ahead != 0 && op == s3server.OpHeadBucket {
		date := time.Now().Add(time.Duration(ahead)).UTC().Format(http.TimeFormat)
		return &s3server.Fault{Kind: s3server.Answer, Status: http.StatusOK, Header: map[string]string{"Date": date}}
	}
	if h := w.hook.Load(); h != nil {
		if f := (*h)(op, r.URL.Path); f != nil {
			own := *f // the server fills in defaults
			return &own
		}
	}
	return nil
}

func (w *world) onRequest(h hook) { w.hook.Store(&h) }

// pass lets time go by, for this host and for the store.
func (w *world) pass(d time.Duration) {
	w.storeAhead.Add(int64(d))
	now := w.env.Now
	w.env.Now = func() time.Time { return now().Add(d) }
}

// prune carries out what retention decides now.
func (w *world) prune(t testing.TB) ([]retention.Decision, error) {
	t.Helper()
	plan, err := retention.Plan(t.Context(), w.job, w.env, retention.Reach{})
	if err != nil {
		return nil, err
	}
	done, err := retention.Apply(t.Context(), w.env.Bucket, w.env.Log, plan, retention.Unconfirmed)
	return done.Sets, err
}

// bucket opens the store with short retries.
func (w *world) bucket(t testing.TB, key, secret string) *s3.Bucket {
	t.Helper()
	b, err := s3.Open(t.Context(), w.options(t, key, secret))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

func (w *world) options(t testing.TB, key, secret string) s3.Options {
	t.Helper()
	credentials := filepath.Join(t.TempDir(), "credentials")
	text := "[default]\naws_access_key_id = " + key + "\naws_secret_access_key = " + secret + "\n"
	if err := os.WriteFile(credentials, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return s3.Options{
		Bucket: w.store.Bucket, Endpoint: w.store.Endpoint, Region: w.store.Region,
		CredentialsFile: credentials, MaxAttempts: 5, MaxBackoff: 5 * time.Millisecond, PartSizeMin: partBytes,
	}
}

// logBook keeps what was logged.
type logBook struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (l *logBook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.Write(p)
}

func (l *logBook) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.String()
}

func (w *world) run(t testing.TB) *dump.Result {
	t.Helper()
	result, err := w.try(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func (w *world) try(ctx context.Context) (*dump.Result, error) {
	return dump.Run(ctx, w.job, w.env, dump.RunOptions{ID: backup.NewID(w.env.Now())})
}

func (w *world) sets(t testing.TB) []backup.Set {
	t.Helper()
	sets, err := backup.NewCatalogue(w.env.Bucket, w.job).Sets(t.Context(), backup.Scope{})
	if err != nil {
		t.Fatal(err)
	}
	return sets
}

func (w *world) find(t testing.TB, id string) *backup.Set {
	t.Helper()
	set, err := backup.NewCatalogue(w.env.Bucket, w.job).Find(t.Context(), backup.Scope{}, id)
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
		if filepath.Base(o.Key) != backup.LeaseName {
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

// encrypt has the job encrypt its sets from now on.
func (w *world) encrypt(t testing.TB) *age.X25519Identity {
	t.Helper()
	id := newIdentity(t)
	w.job.Encryption.Recipients = []string{id.Recipient().String()}
	return id
}

// leaseNow is the lease as it lies in the bucket.
func (w *world) leaseNow(t testing.TB) lease.Record {
	t.Helper()
	r, _, err := lease.Read(context.WithoutCancel(t.Context()), w.env.Bucket, backup.LeaseKey(w.job), lease.Term)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// wantCode is for table tests of failures.
func wantCode(t testing.TB, err error, want fault.Code) {
	t.Helper()
	if got := fault.CodeOf(err); got != want {
		t.Errorf("code %d, want %d: %v", got, want, err)
	}
}

// noBackends asserts that nothing of ours stays connected to the job's database.
func (w *world) noBackends(t testing.TB) {
	t.Helper()
	w.noBackendsIn(t, w.job.Database)
}

// noBackendsIn waits: a server notices some moments later that a client has gone.
func (w *world) noBackendsIn(t testing.TB, database string) {
	t.Helper()
	for range 100 {
		n := w.pg.QueryInt(t, "postgres", "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pgbtui' AND datname = $1", database)
		if n == 0 {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Error("backends of ours are left after 10 s")
}

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
