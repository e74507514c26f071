package supply

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/test/lab"
)

// host is a machine with PostgreSQL, a store, and the package to install.
type host struct{ lab *lab.Lab }

const (
	deb        = "/root/pgbtui.deb"
	runUnit    = "postgres-backup@production.service"
	unitFile   = "/etc/systemd/system/postgres-backup@.service"
	configFile = "/etc/pgbtui/config.yaml"
	keyFile    = "/etc/pgbtui/s3-credentials"

	storeUnit = `[Service]
ExecStart=/usr/local/bin/s3server --dir=/var/lib/store --bucket=backups --access-key=AKIASUPPLY --secret-key=supply
ExecStartPost=/bin/bash -c 'until echo >/dev/tcp/127.0.0.1/9000; do sleep 0.05; done'
StateDirectory=store
`
	configuration = `s3:
  bucket: backups
  region: us-east-1
  endpoint: http://127.0.0.1:9000
  path_style: true
  credentials_file: ` + keyFile + `
jobs:
  production: {}
`
	credentials = "[default]\naws_access_key_id = AKIASUPPLY\naws_secret_access_key = supply\n"
)

func newHost(t *testing.T) *host {
	t.Helper()
	h := &host{lab.Start(t, lab.Options{Hostname: "db1"})}
	dir := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-trimpath", "-o", dir+"/", "./test/s3server/cmd/s3server")
	build.Dir = "../.."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for target, source := range map[string]string{"/usr/local/bin/s3server": filepath.Join(dir, "s3server"), deb: artefact(t, ".deb")} {
		if err := h.lab.Copy(source, target, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	// Neither the index of all manual pages nor a disk that survives a power cut is needed here; the
	// pages themselves are, which some container images leave out.
	h.root(t, "rm", "-f", "/var/lib/man-db/auto-update")
	h.write(t, "/etc/dpkg/dpkg.cfg.d/zz-lab", "force-unsafe-io\npath-include=/usr/*\n")
	h.write(t, "/etc/systemd/system/store.service", storeUnit)
	h.root(t, "systemctl", "start", "store.service")
	h.sql(t, "postgres", "CREATE DATABASE production TEMPLATE template0")
	h.sql(t, "production", "CREATE TABLE items AS SELECT i AS id FROM generate_series(1, 100) AS i")
	return h
}

func (h *host) root(t *testing.T, argv ...string) string {
	t.Helper()
	return h.lab.Run(t, "root", argv...)
}

// dpkg is what it prints, on both streams.
func (h *host) dpkg(t *testing.T, args ...string) string {
	t.Helper()
	out, err := h.lab.Command(t.Context(), "root", append([]string{"dpkg"}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("dpkg %q: %v\n%s", args, err, out)
	}
	return string(out)
}

func (h *host) sql(t *testing.T, database, statement string) {
	t.Helper()
	if _, err := h.lab.SQL(t.Context(), database, statement); err != nil {
		t.Fatal(err)
	}
}

func (h *host) write(t *testing.T, file, text string) {
	t.Helper()
	if err := h.lab.WriteFile(file, text, 0o644); err != nil {
		t.Fatal(err)
	}
}

func (h *host) read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(h.lab.Root(), file))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// property is one of the run's, as systemd has it.
func (h *host) property(t *testing.T, name string) string {
	t.Helper()
	return strings.TrimSpace(h.root(t, "systemctl", "show", "--value", "-p", name, runUnit))
}

// until waits for what a run brings about, long enough for a loaded machine.
func (h *host) until(t *testing.T, what string, done func() error) {
	t.Helper()
	var err error
	for range 800 {
		if err = done(); err == nil {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("waited for %s: %v\n%s", what, err, h.root(t, "journalctl", "--no-pager", "-n", "20", "-u", runUnit))
}

// holdRun starts a backup that cannot end: a table that it wants to read is locked. The function
// that it returns lets the run go on.
func (h *host) holdRun(t *testing.T) (release func()) {
	t.Helper()
	holder := h.lab.Command(t.Context(), "postgres", "psql", "-XAtqd", "production", "-c", "BEGIN; LOCK TABLE items; SELECT pg_sleep(3600)")
	if err := holder.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- holder.Wait() }()
	waiting := func(query string) error {
		out, err := h.lab.SQL(t.Context(), "postgres", query)
		if err == nil && out != "t" {
			err = fmt.Errorf("%s", h.property(t, "StatusText"))
		}
		return err
	}
	h.until(t, "the lock", func() error {
		return waiting("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE query LIKE 'BEGIN; LOCK%' AND wait_event = 'PgSleep')")
	})
	h.root(t, "systemctl", "start", "--no-block", runUnit)
	h.until(t, "a run that waits for the table", func() error {
		return waiting("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE usename = 'pgbtui' AND wait_event_type = 'Lock')")
	})
	return func() {
		t.Helper()
		h.sql(t, "postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'BEGIN; LOCK%'")
		<-ended
	}
}

// ends waits until the run is over, and expects it to have stored a set.
func (h *host) ends(t *testing.T, before int) {
	t.Helper()
	h.until(t, "the end of the run", func() error {
		if state := h.property(t, "ActiveState"); state != "inactive" {
			return fmt.Errorf("%s: %s", state, h.property(t, "StatusText"))
		}
		return nil
	})
	if now := h.manifests(t); now != before+1 {
		t.Errorf("%d sets before, %d after\n%s", before, now, h.root(t, "journalctl", "--no-pager", "-n", "20", "-u", runUnit))
	}
}

// manifests counts the sets in the store, without the program, which may be gone.
func (h *host) manifests(t *testing.T) (n int) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(h.lab.Root(), "var/lib/store/backups/keys/*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		var object struct{ Key string }
		if raw, err := os.ReadFile(file); err == nil && json.Unmarshal(raw, &object) == nil && strings.HasSuffix(object.Key, "/manifest.json") {
			n++
		}
	}
	return n
}
