package installed

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/test/lab"
	"codeberg.org/pgbtui/pgbtui/test/need"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// An operator without root has a dropped table back, by requests alone. The store has TLS, since pgBackRest needs it.

const clusterStoreUnit = `[Service]
ExecStart=/usr/local/bin/s3server --dir=/var/lib/store --bucket=backups --access-key=` + accessKey + ` --secret-key=` + secretKey + ` --tls-cert=/etc/store.pem --tls-key=/etc/store.key
ExecStartPost=/bin/bash -c 'until echo >/dev/tcp/127.0.0.1/9000; do sleep 0.05; done'
StateDirectory=store
StandardOutput=null
`

const clusterConfiguration = `label: production
s3:
  bucket: backups
  region: us-east-1
  endpoint: https://store:9000
  path_style: true
  credentials_file: ` + credentialsFile + `
clusters:
  main: {cluster: %s/main, s3: {ca_file: /etc/store.pem}}
jobs:
  shop: {drill: {by: hand}}
`

func newClusterHost(t *testing.T) *host {
	t.Helper()
	need.Program(t, "pgbackrest", "tmux", "pkill")
	h := &host{lab: lab.Start(t, lab.Options{Hostname: "db1"}), held: map[string]bool{}}
	h.copyPrograms(t)
	cert, ca, err := s3server.SelfSigned("store")
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	h.write(t, "/etc/store.pem", string(ca))
	h.write(t, "/etc/store.key", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})))
	// pgBackRest takes the first address of a name, which may be that of IPv6 for localhost.
	h.root(t, "sh", "-c", "echo 127.0.0.1 store >>/etc/hosts")
	h.write(t, "/etc/systemd/system/store.service", clusterStoreUnit)
	h.root(t, "systemctl", "start", "store.service")
	h.root(t, "pgbtui", "units", "install")
	h.root(t, "systemctl", "restart", "polkit.service")
	for user, groups := range map[string][]string{operator: {"pgbtui", "systemd-journal"}, guest: nil} {
		if err := h.lab.AddUser(t.Context(), user, groups...); err != nil {
			t.Fatal(err)
		}
	}
	server, err := filepath.Glob(h.lab.Root() + "/etc/postgresql/*/main")
	if err != nil || len(server) != 1 {
		t.Fatalf("%q, %v", server, err)
	}
	h.configure(t, fmt.Sprintf(clusterConfiguration, filepath.Base(filepath.Dir(server[0]))), secretKey)
	return h
}

// archive sets the cluster up, and makes a base backup.
func (h *host) archive(t *testing.T) {
	t.Helper()
	var plan struct{ SQL []string }
	if err := json.Unmarshal([]byte(h.root(t, "pgbtui", "cluster", "setup", "main", "--yes", "--json")), &plan); err != nil {
		t.Fatal(err)
	}
	for _, statement := range plan.SQL {
		h.sql(t, "postgres", statement)
	}
	h.root(t, "systemctl", "restart", "postgresql.service")
	until(t, "PostgreSQL", func() error { _, err := h.lab.SQL(t.Context(), "postgres", "SELECT 1"); return err })
	h.sql(t, "postgres", "CREATE DATABASE shop TEMPLATE template0")
	h.sql(t, "shop", shop)
	h.root(t, "pgbtui", "cluster", "backup", "main", "--type", "full")
}

// switchWAL waits until all that was written is archived.
func (h *host) switchWAL(t *testing.T) {
	t.Helper()
	name := h.sql(t, "postgres", "SELECT pg_walfile_name(pg_logical_emit_message(false, 'installed', 'switch'))")
	h.sql(t, "postgres", "SELECT pg_switch_wal()")
	until(t, name+" to be archived", func() error {
		if got := h.sql(t, "postgres", "SELECT coalesce(last_archived_wal, '') FROM pg_stat_archiver"); got < name {
			return fmt.Errorf("archived: %q", got)
		}
		return nil
	})
}

// asOperator runs a verb of clusters by request.
func (h *host) asOperator(t *testing.T, into any, args ...string) {
	t.Helper()
	if into == nil {
		into = new(any)
	}
	h.pgbtuiJSON(t, into, append(append([]string{"cluster"}, args...), "--by-unit")...)
}

type restoredCopy struct {
	Plan struct{ Set string }
	Copy struct {
		ID, Phase, Psql string
		Running         *bool
		ExpiresAt       time.Time
	}
}

func TestAnOperatorHasADroppedTableBackByRequests(t *testing.T) {
	h := newClusterHost(t)
	h.archive(t)
	h.sql(t, "shop", "INSERT INTO items VALUES (101, 'the last one')")
	moment := h.sql(t, "shop", "SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') || ' UTC'")
	time.Sleep(10 * time.Millisecond)
	// Recovery ends at this commit. At that of the DROP it would hold the table locked, and be promoted at once.
	h.sql(t, "shop", "INSERT INTO items VALUES (102, 'after the moment')")
	h.sql(t, "shop", "DROP TABLE items")
	h.sql(t, "shop", "CREATE TABLE after_it ()") // a commit behind the moment
	h.switchWAL(t)

	if code, said := h.refused(t, operator, "pgbtui", "cluster", "restore", "main", "--to", moment); code != 77 {
		t.Errorf("without the unit it ends with %d: %s", code, said)
	}
	if code, said := h.refused(t, guest, "pgbtui", "cluster", "restore", "main", "--to", moment, "--by-unit"); code != 78 {
		t.Errorf("a stranger's request ends with %d: %s", code, said)
	}
	if code, said := h.refused(t, operator, "pgbtui", "cluster", "restore", "main", "--to", "2020-01-01 00:00:00 UTC",
		"--check", "--by-unit"); code != 66 || !strings.Contains(said, "no whole base backup ends before") {
		t.Errorf("a moment out of reach ends with %d: %s", code, said)
	}
	var looked, made restoredCopy
	h.asOperator(t, &looked, "restore", "main", "--to", moment, "--check")
	if looked.Plan.Set == "" || looked.Copy.ID != "" {
		t.Errorf("the check: %+v", looked)
	}
	h.asOperator(t, &made, "restore", "main", "--to", moment)
	if made.Copy.Phase != "ready" || made.Copy.Running == nil || !*made.Copy.Running || !strings.Contains(made.Copy.Psql, "psql -h") {
		t.Fatalf("the copy: %+v", made)
	}
	h.seesItsCopy(t, made.Copy.ID)
	h.bringsItBack(t, made)
	h.stopsARestore(t, moment)
	h.plantedRequestsAreRefused(t)
}

// seesItsCopy is what an operator sees of a copy whose run is over.
func (h *host) seesItsCopy(t *testing.T, id string) {
	t.Helper()
	var list struct {
		Copies []struct {
			ID      string
			Running *bool
		}
	}
	h.pgbtuiJSON(t, &list, "cluster", "copies")
	if len(list.Copies) != 1 || list.Copies[0].ID != id || list.Copies[0].Running != nil {
		t.Errorf("an operator sees %+v", list)
	}
	if state := h.root(t, "systemctl", "list-units", "--plain", "--no-legend", "--state=active,activating,failed", "postgres-pitr@*"); state != "" {
		t.Errorf("units that have not ended: %s", state)
	}
	for kind, want := range map[string]int{"cluster-restore-started": 1, "cluster-restore-ok": 1} {
		entries := h.journal(t, operator, "PGBTUI_EVENT="+kind)
		if len(entries) != want || !strings.HasPrefix(entries[0]["_SYSTEMD_UNIT"], "postgres-pitr@") {
			t.Errorf("%s: %v", kind, entries)
		}
	}
	audit := h.journal(t, operator, "PGBTUI_EVENT=operator-action")
	if len(audit) != 2 || audit[1]["PGBTUI_OPERATOR"] != operator || audit[0]["PGBTUI_OPERATOR"] != operator {
		t.Errorf("the audit lines: %v", audit)
	}
	if left, _ := filepath.Glob(h.lab.Root() + "/var/lib/pgbtui/requests/*"); len(left) > 0 {
		t.Errorf("left of the requests: %q", left)
	}
}

// bringsItBack extracts the table into the live server, and ends the copy.
func (h *host) bringsItBack(t *testing.T, made restoredCopy) {
	t.Helper()
	id := made.Copy.ID
	var look struct {
		Databases []struct {
			Name   string
			Tables []struct {
				Name string
				Rows int64
			}
		}
	}
	h.asOperator(t, &look, "look", id, "--database", "shop")
	rows := int64(-1)
	for _, d := range look.Databases {
		for _, table := range d.Tables {
			if d.Name == "shop" && table.Name == "items" {
				rows = table.Rows
			}
		}
	}
	if rows != 101 {
		t.Errorf("the copy has %d rows: %+v", rows, look)
	}
	if code, said := h.refused(t, operator, "pgbtui", "cluster", "extract", id, "--database", "shop", "--into", "postgres",
		"--table", "public.items", "--confirm", "postgres", "--by-unit"); code != 64 {
		t.Errorf("into the server's own database ends with %d: %s", code, said)
	}
	var done struct{ Rows int64 }
	h.asOperator(t, &done, "extract", id, "--database", "shop", "--table", "public.items", "--into", "shop", "--confirm", "shop")
	if got := h.sql(t, "shop", "SELECT count(*) FROM items WHERE label = 'the last one'"); got != "1" || done.Rows != 101 {
		t.Errorf("the live table has %s, the answer %+v", got, done)
	}
	h.asOperator(t, nil, "keep", id, "--for", "100h")
	h.asOperator(t, nil, "promote", id)
	h.asOperator(t, nil, "stop", id)
	h.asOperator(t, nil, "start", id)
	var list struct {
		Copies []struct {
			Phase     string
			ExpiresAt time.Time
		}
	}
	h.pgbtuiJSON(t, &list, "cluster", "copies")
	if len(list.Copies) != 1 || list.Copies[0].Phase != "promoted" || !list.Copies[0].ExpiresAt.After(made.Copy.ExpiresAt) {
		t.Errorf("promoted and kept: %+v", list)
	}
	h.asOperator(t, nil, "discard", id)
	h.nothingIsLeft(t)
}

func (h *host) nothingIsLeft(t *testing.T) {
	t.Helper()
	if left, _ := filepath.Glob(h.lab.Root() + "/var/lib/pgbtui-copies/*"); len(left) > 0 {
		t.Errorf("left of copies: %q", left)
	}
	if out, err := h.lab.Output(t.Context(), "root", "pgrep", "-f", "/var/lib/pgbtui-copies/"); err == nil {
		t.Errorf("still running: %s", out)
	}
}

// stopsARestore ends a run in its middle: nothing of the copy stays.
func (h *host) stopsARestore(t *testing.T, moment string) {
	t.Helper()
	at, err := time.Parse("2006-01-02 15:04:05.999999 UTC", strings.TrimSpace(moment))
	if err != nil {
		t.Fatal(err)
	}
	h.request(t, "stopped", fmt.Sprintf(`{"verb":"restore","cluster":"main","target":{"time":%q},"at":"2026-11-28T00:00:00Z"}`,
		at.Format(time.RFC3339Nano)))
	h.lab.Run(t, operator, "systemctl", "start", "--no-block", "postgres-pitr@stopped.service")
	until(t, "a copy that is being made", func() error {
		if there, _ := filepath.Glob(h.lab.Root() + "/var/lib/pgbtui-copies/*/copy.json"); len(there) == 0 {
			return fmt.Errorf("no copy\n%s", h.lastLines(t, "postgres-pitr@stopped.service"))
		}
		return nil
	})
	h.lab.Run(t, operator, "systemctl", "stop", "postgres-pitr@stopped.service")
	h.over(t, "postgres-pitr@stopped.service")
	h.nothingIsLeft(t)
}

// request is a file as an operator's hand leaves it.
func (h *host) request(t *testing.T, id, text string) {
	t.Helper()
	h.lab.Run(t, operator, "sh", "-c", `printf %s "$2" >"/var/lib/pgbtui/requests/$1.json"`, "sh", id, text)
}

func (h *host) plantedRequestsAreRefused(t *testing.T) {
	t.Helper()
	for id, text := range map[string]string{
		"folder":      `{"verb":"restore","cluster":"main","target":{"end":true},"folder":"/etc","at":"2026-11-28T00:00:00Z"}`,
		"unconfirmed": `{"verb":"extract","copy":"main-0a1b2c","database":"shop","schema":"public","table":"items","into":"shop","at":"2026-11-28T00:00:00Z"}`,
		"elsewhere":   `{"verb":"discard","copy":"../../../etc","at":"2026-11-28T00:00:00Z"}`,
	} {
		h.request(t, id, text)
		if code, said := h.refused(t, operator, "systemctl", "start", "postgres-pitr@"+id+".service"); code == 0 {
			t.Errorf("%s: %s", id, said)
		}
		h.ends(t, "postgres-pitr@"+id+".service", "exit-code", "4")
	}
	if out, err := h.lab.Output(t.Context(), "pgbtui", "systemctl", "start", "postgres-pitr@x.service"); err == nil {
		t.Errorf("the backups' own user may start it: %s", out)
	}
}
