package installed

import (
	"context"
	"fmt"
	"strings"
	"testing"
)

// session is a person at an 80x24 terminal with the console on it.
type session struct {
	h    *host
	user string
	name string
}

// open logs a person in and starts the console.
func (h *host) open(t *testing.T, user string, args ...string) *session {
	t.Helper()
	s := &session{h, user, strings.ToLower(strings.NewReplacer("/", "-").Replace(t.Name()))}
	s.tmux(t, append([]string{
		"env", "SSH_CONNECTION=192.0.2.7 50000 192.0.2.1 22", "tmux", "-L", s.name, "-f", "/dev/null",
		"new-session", "-d", "-x", "80", "-y", "24", "pgbtui",
	}, args...)...)
	t.Cleanup(func() {
		_, _ = h.lab.Output(context.Background(), user, "tmux", "-L", s.name, "kill-server")
	})
	return s
}

func (s *session) tmux(t *testing.T, argv ...string) string {
	t.Helper()
	return s.h.lab.Run(t, s.user, argv...)
}

// keys are sent one after the other, by tmux's names.
func (s *session) keys(t *testing.T, keys ...string) {
	t.Helper()
	s.tmux(t, append([]string{"tmux", "-L", s.name, "send-keys"}, keys...)...)
}

// sees waits until all texts are on the screen, and returns the screen. No secret is ever on it.
func (s *session) sees(t *testing.T, texts ...string) string {
	t.Helper()
	var frame string
	until(t, fmt.Sprintf("%q on the screen", texts), func() error {
		var err error
		if frame, err = s.h.lab.Output(t.Context(), s.user, "tmux", "-L", s.name, "capture-pane", "-p"); err != nil {
			return err
		}
		for _, text := range texts {
			if !strings.Contains(frame, text) {
				return fmt.Errorf("no %q on:\n%s", text, frame)
			}
		}
		return nil
	})
	for _, canary := range canaries() {
		if strings.Contains(frame, canary) {
			t.Errorf("%s is on the screen:\n%s", canary, frame)
		}
	}
	t.Logf("%s sees %q:\n%s", s.user, texts, strings.TrimRight(frame, "\n"))
	return frame
}

// hangUp is what the end of an ssh connection does to a terminal.
func (s *session) hangUp(t *testing.T) {
	t.Helper()
	s.tmux(t, "tmux", "-L", s.name, "kill-server")
	until(t, "the console to be gone", func() error {
		if out, err := s.h.lab.Output(t.Context(), "root", "pgrep", "-u", s.user, "-x", "pgbtui"); err == nil {
			return fmt.Errorf("still there: %s", out)
		}
		return nil
	})
}

func (h *host) survivesAHangUp(t *testing.T) {
	before := len(h.setsOf(t, "production"))
	s := h.open(t, operator)
	s.sees(t, "PRODUCTION", "✓ OK    production", "NEXT", "BUCKET")
	s.keys(t, "b")
	s.sees(t, "Back up production", productionUnit, "[ Cancel ]")
	s.keys(t, "Tab")
	s.sees(t, "[ Back up ]")
	s.keys(t, "Enter")
	h.hold(t)
	s.sees(t, "RUN", "dump", "%")
	s.hangUp(t)
	if state := h.show(t, productionUnit); state["ActiveState"] != "activating" {
		t.Fatalf("after the hang-up: %s", standing(state))
	}

	s = h.open(t, operator)
	s.sees(t, "backup running", "RUNNING", "dump")
	s.keys(t, "a")
	s.sees(t, productionUnit, "dump")
	h.release(t)
	s.sees(t, "✓ OK", "ended well")
	h.ends(t, productionUnit, "success", "0")
	sets := h.setsOf(t, "production")
	if len(sets) != before+1 {
		t.Fatalf("%d sets before, now %+v", before, sets)
	}
	h.set = sets[0].ID
	m := h.details(t, h.set).Manifest
	if m.Trigger != "operator" {
		t.Errorf("trigger %q", m.Trigger)
	}
	audit := h.journal(t, operator, "PGBTUI_EVENT=operator-action", "PGBTUI_RUN_ID="+m.InvocationID)
	if len(audit) != 1 || audit[0]["PGBTUI_OPERATOR"] != operator || audit[0]["PGBTUI_FROM"] != "192.0.2.7" || audit[0]["PGBTUI_TARGET"] != "production" {
		t.Errorf("the audit line: %v", audit)
	}
}

func (h *host) consoleVerifies(t *testing.T) {
	s := h.open(t, operator)
	s.sees(t, "✓ OK    production")
	s.keys(t, "2")
	s.sees(t, "BACKUPS", "production", "shop", "stored")
	s.keys(t, "g")
	s.keys(t, "v")
	s.sees(t, "Verify a backup of", "[ Cancel ]")
	s.keys(t, "Tab")
	s.sees(t, "[ Verify ]")
	s.keys(t, "Enter")
	s.sees(t, "postgres-verify@", "ended well")
	verified := ""
	for _, set := range h.sets(t) {
		if set.Proof != "stored" {
			verified = set.ID
		}
	}
	if verified == "" {
		t.Error("no set is proven better than before")
	}
	s.keys(t, "2")
	s.sees(t, "BACKUPS", "readable")
}

func (h *host) consoleRestores(t *testing.T) {
	s := h.open(t, operator)
	s.sees(t, "✓ OK    production")
	s.keys(t, "R")
	s.sees(t, "WHAT COMES BACK, AND WHERE TO")
	s.keys(t, "Enter")
	s.sees(t, "NAME OF THE NEW DATABASE", "production_restored_")
	s.keys(t, "C-u")
	s.keys(t, "-l", "production copy")
	s.sees(t, "production copy on db1")
	s.keys(t, "Enter")
	s.sees(t, "OPTIONS", "Globals")
	s.keys(t, "Enter")
	s.sees(t, "CHECKS", "all passed", "does not exist yet", "Same as")
	s.keys(t, "G")
	s.sees(t, `as role "postgres"`)
	s.keys(t, "k", "k")
	s.sees(t, "CHECKED TOO", `as role "postgres"`)
	s.keys(t, "Tab")
	s.sees(t, "[ Restore ]")
	s.keys(t, "Enter")
	s.sees(t, "restore of production to production copy")
	s.sees(t, "✓ OK", "rows compared: 3 tables", "NEXT", "PGDATABASE='production copy' psql")

	for table, columns := range map[string]string{"private.ledger": "id, label", "tenants": "id, tenant, note", "ballast": "id, noise"} {
		query := fmt.Sprintf("SELECT count(*), sum(hashtextextended(row(%s)::text, 0)) FROM %s", columns, table)
		if ours, theirs := h.sql(t, "production copy", query), h.sql(t, "production", query); ours != theirs {
			t.Errorf("%s: %s in the copy, %s in the source", table, ours, theirs)
		}
	}
	if owner := h.sql(t, "production copy", "SELECT relowner::regrole, relforcerowsecurity FROM pg_class WHERE relname = 'tenants'"); owner != "tenant|t" {
		t.Errorf("owner and row security of the copy: %s", owner)
	}
	for _, e := range h.journal(t, operator, "PGBTUI_EVENT=restore-ok") {
		if e["_UID"] != strings.TrimSpace(h.root(t, "id", "-u", "postgres")) {
			t.Errorf("the restore ran as uid %s", e["_UID"])
		}
	}
}

func (h *host) consoleSaysWhatIsMissing(t *testing.T) {
	t.Run("the group", func(t *testing.T) {
		_, said := h.refused(t, guest, "pgbtui", "status")
		t.Log(said)
		if !strings.Contains(said, "member of group pgbtui") {
			t.Error("a stranger is not told which group is missing")
		}
	})
	t.Run("the polkit rule", func(t *testing.T) {
		const rule = "/etc/polkit-1/rules.d/50-pgbtui.rules"
		h.root(t, "mv", rule, "/root/rule")
		h.root(t, "systemctl", "restart", "polkit.service")
		defer h.root(t, "systemctl", "restart", "polkit.service")
		defer h.root(t, "mv", "/root/rule", rule)
		s := h.open(t, operator)
		s.sees(t, "✓ OK    production")
		s.keys(t, "b")
		s.sees(t, "[ Cancel ]")
		s.keys(t, "Tab")
		s.sees(t, "[ Back up ]")
		s.keys(t, "Enter")
		s.sees(t, "50-pgbtui.rules")
	})
	t.Run("the right to read the journal", func(t *testing.T) {
		s := h.open(t, blind)
		s.sees(t, "✓ OK    production")
		s.keys(t, "5")
		s.sees(t, "usermod -aG systemd-journal "+blind)
	})
	t.Run("the right to write", func(t *testing.T) {
		s := h.open(t, operator, "--read-only")
		s.sees(t, "✓ OK    production")
		s.keys(t, "b")
		s.sees(t, "read-only")
		s.keys(t, "4")
		s.sees(t, "postgres-backup@production")
	})
}

func (h *host) consoleOutlivesTheStore(t *testing.T) {
	s := h.open(t, operator)
	s.sees(t, "✓ OK    production", "bucket just now")
	h.root(t, "systemctl", "stop", "store.service")
	defer h.root(t, "systemctl", "start", "store.service")
	s.keys(t, "r")
	frame := s.sees(t, "since", "production")
	if !strings.Contains(frame, "BUCKET") {
		t.Error("the last known data are gone")
	}
	h.root(t, "systemctl", "start", "store.service")
	s.keys(t, "r")
	s.sees(t, "✓ OK    production", "bucket just now")
}
