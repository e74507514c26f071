package installed

import (
	"fmt"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/event"
)

// The faults. After each: the exit code of the table, nothing left in the store, and as many
// alerts as there were incidents.

// alerts are the alert entries about a unit so far. Only those of alert units count.
func (h *host) alerts(t *testing.T, unit string) []map[string]string {
	t.Helper()
	return h.journal(t, operator, "MESSAGE_ID="+event.MessageID(event.Alert), "PGBTUI_FAILED_UNIT="+unit)
}

// toldOnce counts alerts and posts around what happens, and expects one more of each.
func (h *host) toldOnce(t *testing.T, unit string, happens func(), reasons ...string) {
	t.Helper()
	before, posts := len(h.alerts(t, unit)), len(h.posts(t))
	happens()
	alertUnit := "postgres-backup-alert@" + unit + ".service"
	until(t, "the alert", func() error {
		if state := h.show(t, alertUnit); state["ActiveState"] == "activating" || len(h.alerts(t, unit)) == before {
			return fmt.Errorf("%s\n%s", standing(state), h.lastLines(t, alertUnit))
		}
		return nil
	})
	alerts := h.alerts(t, unit)
	if len(alerts) != before+1 {
		t.Fatalf("%d alerts", len(alerts)-before)
	}
	alert := alerts[len(alerts)-1]
	t.Logf("the alert: %s", alert["MESSAGE"])
	if alert["_SYSTEMD_UNIT"] != alertUnit || alert["PRIORITY"] != "1" {
		t.Errorf("unit %s, priority %s", alert["_SYSTEMD_UNIT"], alert["PRIORITY"])
	}
	for _, reason := range reasons {
		if !strings.Contains(alert["MESSAGE"], reason) {
			t.Errorf("the alert does not say %q", reason)
		}
	}
	all := h.posts(t)
	if len(all) != posts+1 {
		t.Fatalf("%d posts before, now %d: %+v", posts, len(all), all)
	}
	if last := all[posts]; last.Path != webhookPath || !strings.HasPrefix(last.Text, "PostgreSQL backup") {
		t.Errorf("posted: %+v", last)
	}
}

// toldNothing expects no alert although something went wrong on the way.
func (h *host) toldNothing(t *testing.T, unit string, happens func()) {
	t.Helper()
	before, posts := len(h.alerts(t, unit)), len(h.posts(t))
	happens()
	if after := h.alerts(t, unit); len(after) != before {
		t.Errorf("alerts: %v", after[before:])
	}
	if after := h.posts(t); len(after) != posts {
		t.Errorf("posts: %+v", after[posts:])
	}
}

// succeeds runs a backup by hand and expects nothing left of the earlier fault.
func (h *host) succeeds(t *testing.T, unit, database string) {
	t.Helper()
	sets := len(h.setsOf(t, database))
	h.begin(t, unit)
	h.ends(t, unit, "success", "0")
	if now := h.setsOf(t, database); len(now) != sets+1 {
		t.Errorf("%d sets before, %d after", sets, len(now))
	}
	h.tidy(t, database)
}

func (h *host) stoppedRunIsCancelled(t *testing.T) {
	sets := len(h.setsOf(t, "production"))
	h.toldOnce(t, productionUnit, func() {
		h.begin(t, productionUnit)
		h.hold(t)
		h.lab.Run(t, operator, "systemctl", "--no-ask-password", "stop", productionUnit)
		h.ends(t, productionUnit, "exit-code", "143")
	}, "stopped before it finished")
	h.tidy(t, "production")
	if now := h.setsOf(t, "production"); len(now) != sets {
		t.Errorf("%d sets before, %d after", sets, len(now))
	}
	if timer := h.show(t, "postgres-backup@production.timer"); timer["ActiveState"] != "active" || timer["NextElapseUSecRealtime"] == "" {
		t.Errorf("the timer is %s, next %s", timer["ActiveState"], timer["NextElapseUSecRealtime"])
	}
}

// killedRunIsTold: each try is killed in the middle; the fourth is the last, and only then is
// somebody woken.
func (h *host) killedRunIsTold(t *testing.T) {
	// Long enough for the alert of a try, which says that there will be another, to have ended before the next: systemd
	// starts no alert beside one that runs. It must stay the same: a reload of systemd forgets the tries so far.
	h.dropIn(t, productionUnit, "[Service]\nRestartSec=3s\n")
	sets := len(h.setsOf(t, "production"))
	h.toldOnce(t, productionUnit, func() {
		h.begin(t, productionUnit)
		for range 4 {
			h.hold(t)
			h.root(t, "systemctl", "kill", "--kill-who=main", "--signal=KILL", productionUnit)
			h.abandoned++
		}
		if last := h.over(t, productionUnit); last["ActiveState"] != "failed" || last["NRestarts"] != "4" && last["NRestarts"] != "3" {
			t.Errorf("after four tries: %s", standing(last))
		}
	}, "killed by SIGKILL")
	if alerts := h.alerts(t, productionUnit); strings.Contains(alerts[len(alerts)-1]["MESSAGE"], "Reason: Failed to start") {
		t.Error("systemd's own line is no reason")
	}
	if now := h.setsOf(t, "production"); len(now) != sets {
		t.Errorf("%d sets before, now %+v", sets, now)
	}
	h.succeeds(t, productionUnit, "production")
}

func (h *host) survivesPostgresRestart(t *testing.T) {
	h.dropIn(t, productionUnit, "[Service]\nRestartSec=3s\n")
	server := h.cluster(t)
	h.toldNothing(t, productionUnit, func() {
		h.begin(t, productionUnit)
		h.hold(t)
		h.root(t, "systemctl", "restart", server)
		h.release(t)
		h.waitsForItsRetry(t, productionUnit, "69")
		h.ends(t, productionUnit, "success", "0")
	})
	if timer := h.show(t, "postgres-backup@production.timer"); timer["ActiveState"] != "active" {
		t.Errorf("the server's restart left the timer %s", timer["ActiveState"])
	}
	h.tidy(t, "production")
}

// waitsForItsRetry waits for the state between two tries.
func (h *host) waitsForItsRetry(t *testing.T, unit, status string) {
	t.Helper()
	until(t, "the automatic restart", func() error {
		state := h.show(t, unit)
		if state["SubState"] != "auto-restart" {
			return fmt.Errorf("%s\n%s", standing(state), h.lastLines(t, unit))
		}
		if state["ExecMainStatus"] != status {
			t.Fatalf("%s\n%s", standing(state), h.lastLines(t, unit))
		}
		return nil
	})
}

func (h *host) survivesStoreOutage(t *testing.T) {
	h.dropIn(t, productionUnit, "[Service]\nRestartSec=3s\nEnvironment=AWS_MAX_ATTEMPTS=3\n")
	h.toldNothing(t, productionUnit, func() {
		h.begin(t, productionUnit)
		h.hold(t)
		h.root(t, "systemctl", "stop", "store.service")
		h.abandoned++
		h.release(t)
		h.waitsForItsRetry(t, productionUnit, "69")
		h.root(t, "systemctl", "start", "store.service")
		h.ends(t, productionUnit, "success", "0")
	})
	h.tidy(t, "production")
}

func (h *host) wrongKeysAreTold(t *testing.T) {
	h.configure(t, configuration, "wrong")
	h.toldOnce(t, shopUnit, func() {
		h.begin(t, shopUnit)
		if last := h.ends(t, shopUnit, "exit-code", "77"); last["NRestarts"] != "0" {
			t.Errorf("tried again: %s", standing(last))
		}
	}, "exit code 77", "secret key")
	h.configure(t, configuration, secretKey)
	h.succeeds(t, shopUnit, "shop")
}

// wrongConfigurationIsTold also where the webhook stands in a file that cannot be read any more:
// by the address in the environment.
func (h *host) wrongConfigurationIsTold(t *testing.T) {
	h.configure(t, configuration+"colour: blue\n", secretKey)
	if err := h.lab.WriteFile("/etc/pgbtui/environment", "SLACK_WEBHOOK_URL=http://127.0.0.1:"+hookPort+webhookPath+"\n", 0o600); err != nil {
		t.Fatal(err)
	}
	defer h.root(t, "rm", "/etc/pgbtui/environment")
	h.toldOnce(t, shopUnit, func() {
		h.begin(t, shopUnit)
		if last := h.ends(t, shopUnit, "exit-code", "78"); last["NRestarts"] != "0" {
			t.Errorf("tried again: %s", standing(last))
		}
	}, "exit code 78", configFile, "colour")
	h.configure(t, configuration, secretKey)
	h.succeeds(t, shopUnit, "shop")
}
