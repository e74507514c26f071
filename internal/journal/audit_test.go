package journal

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"codeberg.org/pgbtui/pgbtui/internal/event"
)

func TestTheOperatorIsTheOneWhoLoggedIn(t *testing.T) {
	for _, c := range []struct {
		name, loginUID string
		env            map[string]string
		want           Operator
	}{
		{
			"over ssh, as root by sudo", "0\n",
			map[string]string{"SUDO_USER": "ada", "SSH_CONNECTION": "192.0.2.7 50022 192.0.2.1 22"},
			Operator{LoginUID: "0", Login: "root", SudoUser: "ada", From: "192.0.2.7"},
		},
		{"a service", noLoginUID, nil, Operator{LoginUID: "unknown", Login: userName("unknown"), From: "unknown"}},
		{"on the console", "0", map[string]string{"XDG_SEAT": "seat0"}, Operator{LoginUID: "0", Login: "root", From: "local"}},
		{"sudo hides where from", "0", map[string]string{"SUDO_USER": "ada"}, Operator{LoginUID: "0", Login: "root", SudoUser: "ada", From: "unknown"}},
		{"a uid without a name", "3999999999", nil, Operator{LoginUID: "3999999999", Login: "uid 3999999999", From: "unknown"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "loginuid")
			if err := os.WriteFile(path, []byte(c.loginUID), 0o600); err != nil {
				t.Fatal(err)
			}
			got := Session{LoginUIDPath: path, Getenv: func(k string) string { return c.env[k] }}.CurrentOperator()
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAnAuditLineSaysWhoFromWhereWhatAndWhy(t *testing.T) {
	j := newJournald(t)
	h := NewHandler(HandlerOptions{Socket: j.path})
	defer h.Close()
	op := Operator{LoginUID: "1000", Login: "ada", SudoUser: "ada", From: "192.0.2.7"}
	Audit(t.Context(), slog.New(h), op, Action{What: "restore", Target: "orders_copy", Run: "r9", Reason: "ticket 7\nPRIORITY=0"})
	got, _ := j.receive(t)
	want := map[string]string{
		"MESSAGE":  "operator ada (from 192.0.2.7): restore orders_copy: ticket 7\nPRIORITY=0",
		"PRIORITY": "5", "SYSLOG_IDENTIFIER": "pgbtui", "MESSAGE_ID": event.MessageID(event.OperatorAction),
		"PGBTUI_EVENT": "operator-action", "PGBTUI_OPERATOR": "ada", "PGBTUI_LOGIN_UID": "1000", "PGBTUI_FROM": "192.0.2.7",
		"PGBTUI_ACTION": "restore", "PGBTUI_TARGET": "orders_copy", "PGBTUI_SUDO_USER": "ada", "PGBTUI_RUN_ID": "r9",
		"PGBTUI_REASON": "ticket 7\nPRIORITY=0",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
