package installed

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The night: nobody starts anything, the timer finds that it missed one.

func (h *host) timerCatchesUp(t *testing.T) {
	const timer = "postgres-backup@production.timer"
	h.dropIn(t, timer, "[Timer]\nRandomizedDelaySec=0\n")
	h.root(t, "mkdir", "-p", "/var/lib/systemd/timers")
	h.root(t, "touch", "-d", "2 days ago", "/var/lib/systemd/timers/stamp-"+timer)
	h.root(t, "systemctl", "enable", "--now", timer)

	h.hold(t)
	h.showsItsProgress(t)
	h.hidesSecretsFromOtherUsers(t)
	h.release(t)
	invocation := h.ends(t, productionUnit, "success", "0")["InvocationID"]

	sets := h.setsOf(t, "production")
	if len(sets) != 1 || !sets[0].Good {
		t.Fatalf("sets of production: %+v", sets)
	}
	h.set = sets[0].ID
	m := h.details(t, h.set).Manifest
	if m.Trigger != "timer" || m.InvocationID != invocation || m.Job != "production" || m.Instance != "db1" {
		t.Errorf("trigger %q, invocation %q (systemd says %q), job %q, instance %q", m.Trigger, m.InvocationID, invocation, m.Job, m.Instance)
	}
	h.tidy(t, "production")
	h.findsTheRunInTheJournal(t, m.RunID, m.InvocationID)
}

// showsItsProgress looks as an operator does while the run goes on.
func (h *host) showsItsProgress(t *testing.T) {
	t.Helper()
	until(t, "progress in systemctl status", func() error {
		out, err := h.lab.Output(t.Context(), operator, "systemctl", "status", "--no-pager", productionUnit)
		if !strings.Contains(out, `Status: "backup: dump `) {
			return fmt.Errorf("%w\n%s", err, out)
		}
		return nil
	})
}

// findsTheRunInTheJournal by its run and by its invocation: both lead to exactly its own entries.
func (h *host) findsTheRunInTheJournal(t *testing.T, run, invocation string) {
	t.Helper()
	byRun := h.journal(t, operator, "PGBTUI_RUN_ID="+run)
	if len(byRun) < 2 {
		t.Fatalf("%d entries of run %s", len(byRun), run)
	}
	for _, e := range byRun {
		if e["_SYSTEMD_INVOCATION_ID"] != invocation || e["_SYSTEMD_UNIT"] != productionUnit || e["PGBTUI_DATABASE"] != "production" || e["MESSAGE_ID"] == "" {
			t.Errorf("not of this run, or without its fields: %v", e)
		}
	}
	own := 0
	for _, e := range h.journal(t, operator, "_SYSTEMD_INVOCATION_ID="+invocation) {
		if e["PGBTUI_RUN_ID"] == run {
			own++
		}
	}
	if own != len(byRun) {
		t.Errorf("%d entries by run id, %d of them by invocation", len(byRun), own)
	}
	first, last := byRun[0]["PGBTUI_EVENT"], byRun[len(byRun)-1]["PGBTUI_EVENT"]
	committed := 0
	for _, e := range byRun {
		if e["PGBTUI_EVENT"] == "backup-committed" {
			committed++
		}
	}
	if first != "backup-started" || committed != 1 {
		t.Errorf("the run's entries begin with %s, end with %s, %d say committed", first, last, committed)
	}
}

// readsWhatOthersOwn: the role of the backups owns nothing, may write nothing, and misses nothing.
func (h *host) readsWhatOthersOwn(t *testing.T) {
	rows := map[string]int64{}
	for _, table := range h.details(t, h.set).Tables {
		if table.Rows != nil {
			rows[table.Schema+"."+table.Name] = *table.Rows
		}
	}
	for name, want := range map[string]int64{"private.ledger": 1234, "public.tenants": 4321, "public.ballast": 72000} {
		if rows[name] != want {
			t.Errorf("%s: %d rows in the dump, %d in the database", name, rows[name], want)
		}
	}
	login := h.lab.Run(t, "pgbtui", "psql", "-XAtd", "production", "-c", "SELECT session_user, current_setting('default_transaction_read_only'), rolsuper, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = session_user")
	if strings.TrimSpace(login) != "pgbtui|on|f|f|f" {
		t.Errorf("the role of the backups: %s", login)
	}
	if _, said := h.refused(t, "pgbtui", "psql", "-XAtd", "production", "-c", "CREATE TABLE mine ()"); !strings.Contains(said, "read-only") {
		t.Errorf("writing as pgbtui: %s", said)
	}
	rules := h.root(t, "sh", "-c", "grep -hE '^[a-z]' /etc/postgresql/*/main/pg_hba.conf")
	for rule := range strings.Lines(rules) {
		if strings.HasPrefix(rule, "local") && !strings.HasSuffix(strings.TrimSpace(rule), "peer") {
			t.Errorf("this host should know peer logins only: %s", rule)
		}
	}
}

func (h *host) onlyOperatorsStartUnits(t *testing.T) {
	for _, user := range []string{guest, "pgbtui"} {
		for _, unit := range []string{shopUnit, "postgres-restore@x.service"} {
			if _, said := h.refused(t, user, "systemctl", "--no-ask-password", "start", unit); !strings.Contains(said, "authentication required") && !strings.Contains(said, "denied") {
				t.Errorf("start %s as %s: %s", unit, user, said)
			}
		}
	}
	// The backups' user clears the count of its own backups' starts, and no other unit's.
	if _, said := h.refused(t, "pgbtui", "systemctl", "--no-ask-password", "reset-failed", "store.service"); !strings.Contains(said, "authentication required") && !strings.Contains(said, "denied") {
		t.Errorf("reset a unit of somebody else as pgbtui: %s", said)
	}
	if _, said := h.refused(t, operator, "systemctl", "--no-ask-password", "stop", "postgresql.service"); !strings.Contains(said, "authentication required") && !strings.Contains(said, "denied") {
		t.Errorf("stop postgresql as an operator: %s", said)
	}
	h.lab.Run(t, operator, "systemctl", "--no-ask-password", "start", shopUnit)
	sets := h.setsOf(t, "shop")
	if len(sets) != 3 {
		t.Fatalf("%+v", sets)
	}
	if m := h.details(t, sets[0].ID).Manifest; m.Trigger != "operator" {
		t.Errorf("an operator's run has trigger %q", m.Trigger)
	}
	tmp, _ := filepath.Glob(filepath.Join(h.lab.Root(), "var/lib/pgbtui/backup/*"))
	tmp = slices.DeleteFunc(tmp, func(file string) bool {
		name := filepath.Base(file)
		// When retention last decided about each job's sets, and which databases the server had.
		return strings.HasPrefix(name, "retention-last-") || strings.HasPrefix(name, "server-")
	})
	if len(tmp) != 4 {
		t.Errorf("runs left more than what was committed last, a file for each database, and the documents of sets: %q", tmp)
	}
}
