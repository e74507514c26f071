package main

import (
	"crypto/rand"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/test/pgtest"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
	"codeberg.org/pgbtui/pgbtui/test/s3suite"
)

// world is what one test has around the program: a real PostgreSQL server, which tests share, a
// real S3 API of its own, a folder, and a database whose name nobody else has.
type world struct {
	pg    *pgtest.Server
	s3    s3suite.Store
	ours  *s3server.Running // nil when the store is somebody else's
	dir   string
	db    string
	extra []string // environment, stronger than the rest
}

func newWorld(t testing.TB) *world {
	t.Helper()
	ours := s3server.Start(t)
	w := worldOn(t, s3suite.Store{
		Endpoint: ours.Endpoint, AccessKey: ours.AccessKey, SecretKey: ours.SecretKey, Region: ours.Region,
		Bucket: ours.Bucket, Features: s3suite.Ours(),
	})
	w.ours = ours
	return w
}

func worldOn(t testing.TB, store s3suite.Store) *world {
	t.Helper()
	w := &world{pg: pgtest.Shared(t), s3: store, dir: t.TempDir(), db: unique("shop")}
	w.pg.CreateDatabaseNamed(t, w.db)
	return w
}

func unique(name string) string {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails
	return name + "_" + hex.EncodeToString(b[:])
}

// env is all that the program gets: how to reach the two servers, and nothing of the machine's.
// The names for a job are the article's.
func (w *world) env() []string {
	env := append(w.reach(),
		"DB_NAME="+w.db, "DB_USER="+w.pg.User, "BACKUP_DIR="+w.dir, "S3_BUCKET="+w.s3.Bucket, "AWS_REGION="+w.s3.Region)
	return append(env, w.extra...)
}

// reach is env without a job.
func (w *world) reach() []string {
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + w.dir, "TMPDIR=" + w.dir, "TZ=UTC", "LANG=C.UTF-8",
		"PGHOST=" + w.pg.Host, "PGPORT=" + w.pg.Port, "PGUSER=" + w.pg.User,
		"AWS_ENDPOINT_URL=" + w.s3.Endpoint, "AWS_ACCESS_KEY_ID=" + w.s3.AccessKey, "AWS_SECRET_ACCESS_KEY=" + w.s3.SecretKey,
		"AWS_CONFIG_FILE=" + filepath.Join(w.dir, "none"), "AWS_SHARED_CREDENTIALS_FILE=" + filepath.Join(w.dir, "none"),
		"AWS_EC2_METADATA_DISABLED=true", "AWS_MAX_ATTEMPTS=3",
		// A program built with the race detector else sleeps for a second at its end.
		"GORACE=atexit_sleep_ms=0",
	}
}

// sample is a small database with what a dump can hold in kinds of data.
const sample = `
CREATE TABLE customers (id int PRIMARY KEY, name text NOT NULL);
INSERT INTO customers SELECT i, 'customer ' || i FROM generate_series(1, 1000) AS i;
CREATE TABLE orders (id int PRIMARY KEY, customer int REFERENCES customers, at date) PARTITION BY RANGE (id);
CREATE TABLE orders_low PARTITION OF orders FOR VALUES FROM (0) TO (500);
CREATE TABLE orders_high PARTITION OF orders FOR VALUES FROM (500) TO (100000);
INSERT INTO orders SELECT i, 1 + i % 1000, date '2026-01-01' + i % 300 FROM generate_series(0, 1999) AS i;
CREATE MATERIALIZED VIEW totals AS SELECT count(*) AS n FROM orders;
SELECT lo_from_bytea(0, 'large object');
`

// controls are the bytes and characters of s that no output of the program may hold.
func controls(s string) (bad []string) {
	for _, r := range s {
		switch {
		case r == '\n':
		case r < 0x20, r >= 0x7f && r < 0xa0, r == 0xfffd,
			r >= 0x200b && r <= 0x200f, r >= 0x2028 && r <= 0x202e, r >= 0x2066 && r <= 0x2069, r == 0xfeff:
			bad = append(bad, strings.ToUpper(hex.EncodeToString([]byte(string(r)))))
		}
	}
	return bad
}
