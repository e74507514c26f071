// Package e2e holds the built program to what it promises as a whole: what was backed up comes
// back equal to what PostgreSQL's own programs make of the same source, and comes back without
// pgbtui as well. Servers, store and programs are real; only `make test` runs it.
package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"filippo.io/age"

	"codeberg.org/pgbtui/pgbtui/test/pgtest"
	"codeberg.org/pgbtui/pgbtui/test/s3suite"
	"codeberg.org/pgbtui/pgbtui/test/seed"
)

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := program(); err == nil && path != os.Getenv("PGBTUI_PROGRAM") {
		_ = os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// program is the path of pgbtui, built once. Where there is no Go, PGBTUI_PROGRAM names one that is built already.
var program = sync.OnceValues(func() (string, error) {
	if path := os.Getenv("PGBTUI_PROGRAM"); path != "" {
		return path, nil
	}
	dir, err := os.MkdirTemp("", "pgbtui-e2e")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "pgbtui")
	if out, err := exec.Command("go", "build", "-o", path, "../../cmd/pgbtui").CombinedOutput(); err != nil {
		return "", fmt.Errorf("build pgbtui: %w\n%s", err, out)
	}
	return path, nil
})

// world is a source with data, a store, and where the program's files go.
type world struct {
	source *pgtest.Server
	store  s3suite.Store
	dir    string
	config string // path of the configuration
	key    string // path of the age identity, "" when sets are not encrypted
}

const database = "shop"

// newWorld has a source whose database is seeded, when sizeBytes is given.
func newWorld(t *testing.T, sizeBytes int64) *world {
	t.Helper()
	return newWorldOn(t, pgtest.Start(t), sizeBytes)
}

// icu is what the source's database is made with.
const icu = "ENCODING 'UTF8' LOCALE_PROVIDER icu ICU_LOCALE 'de-DE' LC_COLLATE 'C' LC_CTYPE 'C.UTF-8'"

func newWorldOn(t *testing.T, source *pgtest.Server, sizeBytes int64) *world {
	t.Helper()
	w := &world{source: source, store: startStore(t), dir: t.TempDir()}
	w.config = w.write(t, "config.yaml", "instance: db1\n")
	if sizeBytes > 0 {
		w.source.Exec(t, "postgres", "CREATE DATABASE "+database+" TEMPLATE template0 "+icu)
		if err := seed.Load(t.Context(), w.source.DSN(database), seed.Options{SizeBytes: sizeBytes}); err != nil {
			t.Fatal(err)
		}
		w.source.Exec(t, "postgres", "ALTER DATABASE shop OWNER TO sales_owner; ALTER DATABASE shop CONNECTION LIMIT 50; GRANT CREATE ON DATABASE shop TO sales_app WITH GRANT OPTION")
		w.source.Exec(t, "postgres", `ALTER DATABASE shop SET search_path = "$user", sales, "odd, name"`)
	}
	return w
}

// startStore is the server of this repository, or MinIO where `make matrix` has built it.
func startStore(t *testing.T) s3suite.Store {
	t.Helper()
	if os.Getenv("PGBTUI_TEST_MINIO") != "" {
		return s3suite.StartMinIO(t)
	}
	return s3suite.StartOurs(t)
}

func (w *world) write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(w.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// encrypt makes later sets encrypted for a new identity.
func (w *world) encrypt(t *testing.T) {
	t.Helper()
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	w.key = w.write(t, "key.txt", identity.String()+"\n")
	w.write(t, "config.yaml", "instance: db1\nencryption: {recipients: ["+identity.Recipient().String()+"], identity_file: "+w.key+"}\n")
}

// storeEnv is how any S3 client reaches the store.
func (w *world) storeEnv() []string {
	return []string{
		"AWS_ENDPOINT_URL=" + w.store.Endpoint, "AWS_ACCESS_KEY_ID=" + w.store.AccessKey, "AWS_SECRET_ACCESS_KEY=" + w.store.SecretKey,
		"AWS_REGION=" + w.store.Region, "AWS_DEFAULT_REGION=" + w.store.Region, "HOME=" + w.dir, "AWS_EC2_METADATA_DISABLED=true",
	}
}

// pgbtui runs the program for a database of the source against a server, and must succeed.
func (w *world) pgbtui(t *testing.T, server *pgtest.Server, db string, args ...string) []byte {
	t.Helper()
	return w.ends(t, server, db, nil, args...)
}

// ends is pgbtui for what may end with other codes, too.
func (w *world) ends(t *testing.T, server *pgtest.Server, db string, ends []int, args ...string) []byte {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	env := append(server.Env(""), w.storeEnv()...)
	env = append(env, "DB_NAME="+db, "S3_BUCKET="+w.store.Bucket, "BACKUP_DIR="+w.dir, "TMPDIR="+w.dir)
	return runTo(t, ends, env, w.dir, path, append(args, "--config", w.config)...)
}

// run is the standard output of a program that must succeed.
func run(t *testing.T, env []string, dir, name string, args ...string) []byte {
	t.Helper()
	return runTo(t, nil, env, dir, name, args...)
}

// runTo is run for a program that may end with other codes, too.
func runTo(t *testing.T, ends []int, env []string, dir, name string, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), name, args...)
	var stdout, stderr bytes.Buffer
	cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr = env, dir, &stdout, &stderr
	if err := cmd.Run(); err != nil && !slices.Contains(ends, cmd.ProcessState.ExitCode()) {
		t.Fatalf("%s %q: %v\n%s\n%s", filepath.Base(name), args, err, stderr.String(), tail(stdout.String()))
	}
	return stdout.Bytes()
}

func tail(s string) string { return s[max(0, len(s)-2000):] }

func decode(t *testing.T, raw []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(raw, into); err != nil {
		t.Fatalf("%v: %s", err, raw)
	}
}

// client runs one of PostgreSQL's programs against a server's database.
func client(t *testing.T, server *pgtest.Server, db, name string, args ...string) string {
	t.Helper()
	return string(run(t, server.Env(db), server.Dir, filepath.Join(server.BinDir, name), args...))
}

// dump is a database as SQL text, with what differs between two dumps of the same taken out: the
// key of newer versions' \restrict.
func dump(t *testing.T, server *pgtest.Server, db string, args ...string) string {
	t.Helper()
	return comparable(client(t, server, db, "pg_dump", args...))
}

func comparable(sql string) string {
	lines := strings.SplitAfter(sql, "\n")
	kept := lines[:0]
	for _, line := range lines {
		if !strings.HasPrefix(line, `\restrict `) && !strings.HasPrefix(line, `\unrestrict `) {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "")
}

// equal fails with the first line in which two texts differ.
func equal(t *testing.T, what, got, want string) {
	t.Helper()
	if len(want) < 50 {
		t.Errorf("%s: there is nothing to compare: %q", what, want)
	}
	if got == want {
		return
	}
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			t.Errorf("%s differs in line %d of %d:\n%.300q\nwant\n%.300q", what, i+1, len(w), g[i], w[i])
			return
		}
	}
	t.Errorf("%s has %d lines, want %d", what, len(g), len(w))
}
