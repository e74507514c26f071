// Package chaos is the fault laboratory: it runs the built program against a real PostgreSQL and
// an S3 server that can be held at any request, ends it at chosen and at random moments, and holds
// what is left against the invariants of docs/reliability.md. `make chaos` runs it at length, the
// tests of this package in short.
//
// Rules: what is checked is checked by other means than the program's own (the store's list, a
// decoder and pg_restore of ours, /proc, pg_stat_activity). A moment is reached by a condition,
// never by waiting for a time. A violation is a sentence; no sentence means that all held.
package chaos

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"filippo.io/age"
	"github.com/jackc/pgx/v5"

	"codeberg.org/pgbtui/pgbtui/test/pgtest"
)

// Lab is what all worlds share: the program, a server, and sets to plant.
type Lab struct {
	dir     string
	program string // pgbtui, as built from this checkout
	server  *pgtest.Server
	key     *age.X25519Identity
	worlds  atomic.Int64

	plain, sealed []object // one set each, to be planted in other worlds

	mu       sync.Mutex
	whole    extent        // of the shortest run so far that nobody ended
	restored time.Duration // of the shortest restore
}

// extent is how long a run takes, and how many requests it makes.
type extent struct {
	took     time.Duration
	requests int
}

// extent of a run is what random moments are drawn from. Before the first one it is that of a slow machine.
func (l *Lab) extent() extent {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.whole.took == 0 {
		return extent{700 * time.Millisecond, 18}
	}
	return l.whole
}

func (l *Lab) learn(e extent) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.whole.took == 0 || e.took < l.whole.took {
		l.whole = e
	}
}

// restoreExtent is how long a restore takes.
func (l *Lab) restoreExtent() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.restored == 0 {
		return 3 * time.Second
	}
	return l.restored
}

func (l *Lab) learnRestore(took time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.restored == 0 || took < l.restored {
		l.restored = took
	}
}

// Planted secrets. Outside of where they were put, only PostgreSQL's own programs may see one: the
// password, in their environment.
const (
	secretAccessKey = "CANARYCHAOSACCESSKEY"
	secretSecretKey = "canary+chaos/secretkey000000000000000001"
	secretToken     = "canary-chaos-session-token-000000000001"
	secretPassword  = "canary-chaos-database-password"
	secretWebhook   = "canarychaoswebhooktoken"
)

// Databases that worlds are made from. The large one holds more than all buffers between pg_dump
// and the store, in text that hardly compresses, so that a silent store stops pg_dump in its COPY.
const (
	smallTemplate   = "chaos_small"
	largeTemplate   = "chaos_large"
	severalTemplate = "chaos_several" // tables of their own for sessions and streams
	writtenTemplate = "chaos_written" // and those that are written to, with their ledger

	smallData = `CREATE TABLE t AS SELECT i, md5(i::text) AS a FROM generate_series(1, 3000) AS i;
CREATE TABLE held (a int); INSERT INTO held SELECT generate_series(1, 10);
SELECT lo_from_bytea(0, 'large object')`
	largeData = `CREATE TABLE held (a int);
CREATE TABLE t AS SELECT i, (SELECT string_agg(encode(sha512((i * 8 + j)::text::bytea), 'base64'), '') FROM generate_series(0, 7) AS j) AS a
FROM generate_series(1, 90000) AS i`
	severalData = `DO $$ BEGIN FOR k IN 1..4 LOOP
	EXECUTE format('CREATE TABLE s%s AS SELECT i, (SELECT string_agg(encode(sha512((i * 32 + j * 4 + %s)::text::bytea), ''base64''), '''')
		FROM generate_series(0, 7) AS j) AS a FROM generate_series(1, 11000) AS i', k, k);
	EXECUTE format('ALTER TABLE s%s ADD PRIMARY KEY (i)', k);
END LOOP; END $$`
	writtenData = `DO $$ BEGIN FOR k IN 1..5 LOOP
	EXECUTE format('CREATE TABLE l%s (i bigint, a text)', k);
	EXECUTE format('INSERT INTO l%s SELECT i, md5(i::text) FROM generate_series(1, 6000) AS i', k);
END LOOP; END $$;
CREATE TABLE ledger (n serial, rows bigint, sum numeric);
INSERT INTO ledger (rows, sum) SELECT count(*), sum(i) FROM l1`
)

// Open starts the server, fills it and builds the program below dir. Close ends it all.
func Open(ctx context.Context, dir string) (*Lab, error) {
	l := &Lab{dir: dir, program: filepath.Join(dir, "pgbtui")}
	if err := l.open(ctx); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// Close ends the server and removes its files.
func (l *Lab) Close() {
	if l.server != nil {
		l.server.Close()
	}
}

func (l *Lab) open(ctx context.Context) (err error) {
	if err := build(ctx, l.program); err != nil {
		return err
	}
	if l.key, err = age.GenerateX25519Identity(); err != nil {
		return err
	}
	if l.server, err = pgtest.Open(pgtest.Options{
		HBA:      "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n",
		Settings: map[string]string{"max_connections": "200", "max_wal_size": "2GB", "autovacuum": "off"},
	}); err != nil {
		return err
	}
	if err := l.fill(ctx); err != nil {
		return err
	}
	if l.plain, err = l.makeSet(ctx, false); err != nil {
		return err
	}
	l.sealed, err = l.makeSet(ctx, true)
	return err
}

// build makes the program from the module that this runs in.
func build(ctx context.Context, program string) error {
	module, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return fmt.Errorf("go env: %w", err)
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", program, "./cmd/pgbtui")
	cmd.Dir = filepath.Dir(strings.TrimSpace(string(module)))
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	return nil
}

func (l *Lab) fill(ctx context.Context) error {
	for _, s := range []struct{ database, sql string }{
		{"postgres", "ALTER ROLE postgres PASSWORD '" + secretPassword + "'"},
		{"postgres", "CREATE DATABASE " + smallTemplate + " TEMPLATE template0"},
		{"postgres", "CREATE DATABASE " + largeTemplate + " TEMPLATE template0"},
		{"postgres", "CREATE DATABASE " + severalTemplate + " TEMPLATE template0"},
		{"postgres", "CREATE DATABASE " + writtenTemplate + " TEMPLATE template0"},
		{smallTemplate, smallData},
		{largeTemplate, largeData},
		{severalTemplate, severalData},
		{writtenTemplate, writtenData},
	} {
		if err := l.server.TryExec(s.database, s.sql); err != nil {
			return fmt.Errorf("fill %s: %w", s.database, err)
		}
	}
	return ctx.Err()
}

// queryInt is the one number that a query gives, asked over the socket.
func (l *Lab) queryInt(ctx context.Context, sql string, args ...any) (n int64, err error) {
	conn, err := l.connect(ctx, "postgres")
	if err != nil {
		return 0, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	err = conn.QueryRow(ctx, sql, args...).Scan(&n)
	return n, err
}

// connect is a session of the laboratory's own. The database's name goes through no parser.
func (l *Lab) connect(ctx context.Context, database string) (*pgx.Conn, error) {
	config, err := pgx.ParseConfig(l.server.DSN("postgres"))
	if err != nil {
		return nil, err
	}
	config.Database = database
	return pgx.ConnectConfig(ctx, config)
}

// hostile are database names that break what does not quote. Worlds take them in turn.
var hostile = []string{
	"plain", "a b", `quote"d`, "it's", "dbname=template1", "postgresql://x", "../up", "line\nbreak", "esc\x1b]52;c;aGk=\a",
	"bidi\u202eabc", "数据库", "100%s", "$(id)`id`;&", `back\slash`, "sales_20200101", "-rf", "a/b",
}

// nextDatabase makes a database with a name of its own from one of the templates.
func (l *Lab) nextDatabase(o worldOptions) (string, error) {
	n := l.worlds.Add(1)
	name := fmt.Sprintf("%s_%d", hostile[int(n)%len(hostile)], n)
	template := smallTemplate
	switch {
	case o.large:
		template = largeTemplate + " STRATEGY file_copy"
	case o.several:
		template = severalTemplate + " STRATEGY file_copy"
	case o.written:
		template = writtenTemplate
	}
	return name, l.server.TryExec("postgres", "CREATE DATABASE "+quote(name)+" TEMPLATE "+template)
}

func (l *Lab) dropDatabase(name string) error {
	return l.server.TryExec("postgres", "DROP DATABASE IF EXISTS "+quote(name)+" WITH (FORCE)")
}

func quote(name string) string { return pgx.Identifier{name}.Sanitize() }

// makeSet backs the small database up once and takes the set out of the store.
func (l *Lab) makeSet(ctx context.Context, sealed bool) (set []object, err error) {
	w, err := l.newWorld(ctx, worldOptions{sealed: sealed})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	sets, err := w.firstSet(ctx)
	if err != nil {
		return nil, err
	}
	return sets[0].objects, nil
}

// firstSet backs a world up for the first time.
func (w *World) firstSet(ctx context.Context) ([]set, error) {
	p, err := w.start(ctx)
	if err != nil {
		return nil, err
	}
	if p.wait(); p.code() != exitOK {
		return nil, fmt.Errorf("the first backup failed with %d: %s", p.code(), p.said())
	}
	sets, err := w.sets(ctx)
	if err == nil && len(sets) != 1 {
		err = fmt.Errorf("the first backup left %d sets", len(sets))
	}
	return sets, err
}

func randomHex(bytes int) string {
	b := make([]byte, bytes)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

// scratch makes a folder that only its owner reads.
func scratch(parent, name string) (string, error) {
	dir := filepath.Join(parent, name)
	return dir, os.MkdirAll(dir, 0o700)
}

// Version is the server's, in its own words.
func (l *Lab) Version() string {
	out, err := exec.Command(filepath.Join(l.server.BinDir, "postgres"), "--version").Output()
	if err != nil {
		return "PostgreSQL of unknown version"
	}
	return strings.Replace(strings.TrimSpace(string(out)), "postgres (PostgreSQL)", "PostgreSQL", 1)
}
