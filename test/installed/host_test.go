package installed

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/test/lab"
)

// host is the machine under test: db1 with the databases production and shop, a store, a listener
// in Slack's place, pgbtui installed, and people with more and with fewer groups.
type host struct {
	lab *lab.Lab
	set string // of production, once there is one

	held map[string]bool // uploads, by folder

	// abandoned are the runs so far that could not clear away what they had stored.
	abandoned int
}

// The secrets. Each must be found nowhere but where it was put.
const (
	accessKey   = "AKIACANARY0INSTALLED"
	secretKey   = "canary+secret/QmlyZCBpbiBhIG1pbmU"
	webhookPath = "/services/T0CANARY/B0CANARY/webhookcanary"

	writerKey    = "AKIACANARY1INSTALLED" // may not delete
	writerSecret = "canary+writer/bm8gZGVsZXRpb25z"
)

// Users: ops has what an operator needs, blind may not read the journal, guest is nobody.
const (
	operator = "ops"
	blind    = "blind"
	guest    = "guest"
)

const (
	// The journal keeps the command line of whoever writes to it, and this one holds the keys.
	storeUnit = `[Service]
ExecStart=/usr/local/bin/s3server --dir=/var/lib/store --bucket=backups --access-key=` + accessKey + ` --secret-key=` + secretKey + ` --writer=` + writerKey + ":" + writerSecret + `
ExecStartPost=/bin/bash -c 'until echo >/dev/tcp/127.0.0.1/9000; do sleep 0.05; done'
StateDirectory=store
StandardOutput=null
`
	hookUnit = "[Service]\nExecStart=/usr/local/bin/webhook\nStateDirectory=webhook\n" +
		"ExecStartPost=/bin/bash -c 'until echo >/dev/tcp/127.0.0.1/" + hookPort + "; do sleep 0.05; done'\n"
	hookFile = "/var/lib/webhook/posts"
	hookPort = "9100"

	configFile      = "/etc/pgbtui/config.yaml"
	credentialsFile = "/etc/pgbtui/s3-credentials"
	configuration   = `label: production
exclude: ["*"] # what restores leave beside the two has no job
s3:
  bucket: backups
  region: us-east-1
  endpoint: http://127.0.0.1:9000
  path_style: true
  credentials_file: ` + credentialsFile + `
keep:
  days: 30
  min_good: 3
alert:
  slack_webhook: http://127.0.0.1:` + hookPort + webhookPath + `
jobs:
  production: {}
  shop: {drill: {by: hand}}
`
)

func credentials(secret string) string { return profile(accessKey, secret) }

func profile(key, secret string) string {
	return "[default]\naws_access_key_id = " + key + "\naws_secret_access_key = " + secret + "\n"
}

// production is large enough to be caught in the middle, and holds what the backups' role may
// read only by its special rights: rows behind row security, tables that nobody was granted.
const production = `CREATE EXTENSION pgcrypto;
CREATE ROLE tenant NOLOGIN;
CREATE ROLE clerk NOLOGIN;
CREATE SCHEMA private AUTHORIZATION clerk;
CREATE TABLE private.ledger AS SELECT i AS id, 'entry ' || i AS label FROM generate_series(1, 1234) AS i;
ALTER TABLE private.ledger OWNER TO clerk;
CREATE TABLE tenants AS SELECT i AS id, i % 7 AS tenant, md5(i::text) AS note FROM generate_series(1, 4321) AS i;
ALTER TABLE tenants OWNER TO tenant;
ALTER TABLE tenants ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenants FORCE ROW LEVEL SECURITY;
CREATE POLICY nobody ON tenants USING (false);
CREATE TABLE ballast AS SELECT i AS id, gen_random_bytes(1000) AS noise FROM generate_series(1, 72000) AS i;`

const shop = `CREATE TABLE items AS SELECT i AS id, 'item ' || i AS label FROM generate_series(1, 100) AS i;`

func newHost(t *testing.T, system lab.System) *host {
	t.Helper()
	h := &host{lab: lab.Start(t, lab.Options{Hostname: "db1", System: system}), held: map[string]bool{}}
	h.copyPrograms(t)
	for name, text := range map[string]string{"store": storeUnit, "webhook": hookUnit} {
		h.write(t, "/etc/systemd/system/"+name+".service", text)
		h.root(t, "systemctl", "start", name+".service")
	}
	for name, sql := range map[string]string{"production": production, "shop": shop} {
		h.sql(t, "postgres", "CREATE DATABASE "+name+" TEMPLATE template0")
		h.sql(t, name, sql)
	}
	return h
}

// copyPrograms builds pgbtui and the store; this test binary itself is the listener, see TestMain.
func (h *host) copyPrograms(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-o", dir+"/", "./cmd/pgbtui", "./test/s3server/cmd/s3server")
	build.Dir = "../.."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for target, source := range map[string]string{
		"pgbtui": filepath.Join(dir, "pgbtui"), "s3server": filepath.Join(dir, "s3server"), "webhook": self, "forger": self, "prober": self,
	} {
		if err := h.lab.Copy(source, "/usr/local/bin/"+target, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

// configure writes the configuration as an administrator would: root's, readable by operators.
func (h *host) configure(t *testing.T, config, secret string) {
	t.Helper()
	for file, text := range map[string]string{configFile: config, credentialsFile: credentials(secret)} {
		if err := h.lab.WriteFile(file, text, 0o640); err != nil {
			t.Fatal(err)
		}
		h.root(t, "chgrp", "pgbtui", file)
	}
}

func (h *host) write(t *testing.T, file, text string) {
	t.Helper()
	if err := h.lab.WriteFile(file, text, 0o644); err != nil {
		t.Fatal(err)
	}
}

// dropIn overrides a unit for the rest of the test.
func (h *host) dropIn(t *testing.T, unit, text string) {
	t.Helper()
	file := "/etc/systemd/system/" + unit + ".d/test.conf"
	h.write(t, file, text)
	h.root(t, "systemctl", "daemon-reload")
	t.Cleanup(func() {
		for _, argv := range [][]string{{"rm", "-f", file}, {"systemctl", "daemon-reload"}} {
			if _, err := h.lab.Output(context.Background(), "root", argv...); err != nil {
				t.Error(err)
			}
		}
	})
}

func (h *host) root(t *testing.T, argv ...string) string {
	t.Helper()
	return h.lab.Run(t, "root", argv...)
}

func (h *host) sql(t *testing.T, database, statement string) string {
	t.Helper()
	out, err := h.lab.SQL(t.Context(), database, statement)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// refused runs what must fail; it returns the exit code and both streams.
func (h *host) refused(t *testing.T, user string, argv ...string) (code int, said string) {
	t.Helper()
	out, err := h.lab.Command(t.Context(), user, argv...).CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		t.Fatalf("%q as %s: %v, expected it to fail\n%s", argv, user, err, out)
	}
	return exit.ExitCode(), string(out)
}

// pace and patience are for a loaded machine; nothing here takes that long. Tries are counted, not
// seconds: a machine that stood still for a while has done nothing in that time.
const (
	pace     = 50 * time.Millisecond
	patience = 800
)

// until waits for a condition that systemd, a run or a screen brings about.
func until(t *testing.T, what string, done func() error) {
	t.Helper()
	var err error
	for range patience {
		if err = done(); err == nil {
			return
		}
		time.Sleep(pace)
	}
	t.Fatalf("waited for %s: %v", what, err)
}

// pgbtuiJSON is what a verb prints with --json.
func (h *host) pgbtuiJSON(t *testing.T, into any, args ...string) {
	t.Helper()
	out := h.lab.Run(t, operator, append(append([]string{"pgbtui"}, args...), "--json")...)
	if err := json.Unmarshal([]byte(out), into); err != nil {
		t.Fatalf("pgbtui %s --json: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// journal is every entry that the filters select, as fields. Fields that journald gives as bytes
// (line breaks, escapes) are not needed and left out.
func (h *host) journal(t *testing.T, user string, filters ...string) []map[string]string {
	t.Helper()
	h.root(t, "journalctl", "--sync")
	out := h.lab.Run(t, user, append([]string{"journalctl", "--no-pager", "--quiet", "--all", "-o", "json"}, filters...)...)
	var entries []map[string]string
	for line := range strings.Lines(out) {
		raw := map[string]any{}
		if err := json.Unmarshal([]byte(line), &raw); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		entry := map[string]string{}
		for name, value := range raw {
			if text, ok := value.(string); ok {
				entry[name] = text
			} else {
				entry[name] = fmt.Sprint(value)
			}
		}
		entries = append(entries, entry)
	}
	return entries
}
