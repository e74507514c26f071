package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"filippo.io/age"

	"codeberg.org/pgbtui/pgbtui/test/need"
	"codeberg.org/pgbtui/pgbtui/test/pgtest"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
	"codeberg.org/pgbtui/pgbtui/test/s3suite"
)

// Planted secrets. None may be found anywhere but where it was put; the database's password may
// reach PostgreSQL's own programs, by environment only.
const (
	canaryAccessKey = "CANARYACCESSKEY00001"
	canarySecretKey = "canary+secret/key0000000000000000000001"
	canaryPassword  = "canary-database-password"
	canaryWebhook   = "https://hooks.slack.com/services/T0CANARY/B0CANARY/canarywebhooktoken"
)

// spy stands before a client program and writes down what it was started with.
const spy = `#!/bin/sh
{ printf 'ARGV %s' "$0"; printf ' %s' "$@"; echo; env | sed 's/^/ENV /'; } >>"$SPYLOG"
exec "REAL/$(basename "$0")" "$@"
`

// secretWorld has a server that asks for a password, an encrypted job, and spies for clients.
func secretWorld(t *testing.T) (w *world, identity string) {
	t.Helper()
	pg := pgtest.StartWith(t, pgtest.Options{HBA: "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n"})
	pg.Exec(t, "postgres", "ALTER ROLE postgres PASSWORD '"+canaryPassword+"'")
	pg.CreateDatabaseNamed(t, "shop")
	pg.Exec(t, "shop", sample)
	ours := s3server.Start(t, s3server.With(func(o *s3server.Options) {
		o.AccessKey = canaryAccessKey
		o.SecretKey = canarySecretKey
	}))
	w = &world{pg: pg, ours: ours, dir: t.TempDir(), db: "shop", s3: s3suite.Store{
		Endpoint: ours.Endpoint, AccessKey: canaryAccessKey, SecretKey: canarySecretKey,
		Region: ours.Region, Bucket: ours.Bucket,
	}}
	key, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(w.dir, "bin")
	for file, text := range map[string]string{
		"bin/pg_dump": spy, "bin/pg_restore": spy, "bin/pg_dumpall": spy, "bin/initdb": spy, "bin/postgres": spy,
		"key.txt": key.String() + "\n",
		"config.yaml": "postgres: {host: 127.0.0.1, port: '" + pg.Port + "', bin_dir: " + bin + "}\n" +
			"encryption: {recipients: [" +
			key.Recipient().String() + "], identity_file: " + filepath.Join(w.dir, "key.txt") + "}\n",
	} {
		path := filepath.Join(w.dir, file)
		text = strings.NewReplacer("$SPYLOG", filepath.Join(w.dir, "spied"), "REAL", pg.BinDir).Replace(text)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	w.extra = []string{"PGPASSWORD=" + canaryPassword, "SLACK_WEBHOOK_URL=" + canaryWebhook}
	return w, strings.TrimSpace(key.String())
}

func TestSecretsStayWhereTheyWerePut(t *testing.T) {
	t.Parallel()
	w, identity := secretWorld(t)
	secrets := []string{canaryAccessKey, canarySecretKey, canaryPassword, "canarywebhooktoken", identity, identity[20:40]}
	seen := &strings.Builder{}
	run := func(want int, args ...string) {
		t.Helper()
		p := w.run(t, want, append(args, "--config", filepath.Join(w.dir, "config.yaml"))...)
		seen.WriteString(p.out.String() + p.err.String())
	}
	everyVerb := func(to string) {
		t.Helper()
		for _, form := range [][]string{nil, {"--json"}} {
			run(0, append(form, "--headless")...)
			run(0, append(form, "verify", "latest")...)
			run(0, append(form, "restore", "latest", "--globals", "--to", to+strings.Join(form, ""))...)
			run(0, append(form, "show", "latest", "--tables")...)
			for _, verb := range []string{"list", "status", "prune", "config check"} {
				run(0, append(form, strings.Fields(verb)...)...)
			}
		}
	}
	everyVerb("copy")
	// A store that says back what it was told.
	w.ours.Inject(s3server.Rule{Fault: s3server.Fault{
		Kind: s3server.Answer, Code: "AccessDenied", Message: "no rights for " + canaryAccessKey + " with " + canarySecretKey,
	}})
	for _, form := range [][]string{{"list"}, {"list", "--json"}, {"--headless"}, {"verify", "latest", "--json"}} {
		run(77, form...)
	}
	w.ours.ClearFaults()
	w.extra[0] = "PGPASSWORD=" + canaryPassword + "x"
	run(77, "--headless")
	run(77, "--headless", "--json")
	w.extra[1] = "SLACK_WEBHOOK_URL=ftp://canarywebhooktoken"
	run(78, "--headless")

	finds(t, "the output", seen.String(), secrets)
	finds(t, "the children's arguments and environment", withoutAllowed(t, filepath.Join(w.dir, "spied")), secrets)
	bucket(t, w, secrets)
}

func finds(t *testing.T, where, text string, secrets []string) {
	t.Helper()
	if len(text) < 100 {
		t.Errorf("%s is almost empty: the test sees nothing: %q", where, text)
	}
	for _, secret := range secrets {
		if i := strings.Index(text, secret); i >= 0 {
			t.Errorf("%s holds %q: …%s…", where, secret, text[max(0, i-80):min(len(text), i+80)])
		}
	}
}

// withoutAllowed is what the spies wrote, less the password in its variable.
func withoutAllowed(t *testing.T, file string) string {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text := string(raw)
	for _, program := range []string{"pg_dump ", "pg_dumpall ", "pg_restore "} {
		if !strings.Contains(text, program) {
			t.Errorf("%swas not seen", program)
		}
	}
	if !strings.Contains(text, "ENV PGPASSWORD="+canaryPassword) {
		t.Error("the spies see no environment")
	}
	return strings.ReplaceAll(text, "ENV PGPASSWORD="+canaryPassword, "")
}

// bucket looks into keys and bodies of everything that was stored.
func bucket(t *testing.T, w *world, secrets []string) {
	t.Helper()
	s := w.store(t)
	keys, err := s.keys()
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range keys {
		body, err := s.get(key)
		if err != nil {
			t.Fatal(err)
		}
		finds(t, key, key+strings.Repeat(" ", 100)+string(body), secrets)
	}
	for _, r := range w.ours.Requests() {
		for name, values := range r.Header {
			if strings.HasPrefix(name, "X-Amz-Meta") {
				finds(t, "metadata of "+r.Key, strings.Repeat(" ", 100)+strings.Join(values, ""), secrets)
			}
		}
	}
}

func TestAFullSpoolIsSaidAndEmptied(t *testing.T) {
	t.Parallel()
	need.Root(t)
	w := newWorld(t)
	w.pg.Exec(t, w.db, sample)
	w.run(t, 0, "--headless")
	small := filepath.Join(w.dir, "small")
	if err := os.Mkdir(small, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", small, "tmpfs", 0, "size=4k"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(small, 0) })
	w.extra = []string{"BACKUP_DIR=" + small}
	p := w.run(t, 73, "restore", "latest", "--to", w.db+"_copy", "--jobs", "2")
	if said := p.err.String(); !strings.Contains(said, "spool") || !strings.Contains(said, "remedy=") {
		t.Errorf("it says %s", said)
	}
	if left, err := os.ReadDir(small); len(left) > 0 || err != nil {
		t.Errorf("left in the spool: %v, %v", left, err)
	}
}
