package installed

import (
	"fmt"
	"strings"
	"testing"
)

// The watch: what nobody's failure tells. It is started by its own timer, which finds a missed hour.

const (
	watchUnit  = "postgres-backup-watch.service"
	watchTimer = "postgres-backup-watch.timer"
)

// quietWatch keeps the hour from coming while other things are counted.
func (h *host) quietWatch(t *testing.T) {
	t.Helper()
	h.write(t, "/etc/systemd/system/"+watchTimer+".d/quiet.conf", "[Unit]\nStartLimitIntervalSec=0\n[Timer]\nOnCalendar=\nOnCalendar=*-01-01 00:00:00 UTC\n")
}

// look makes the watch look once, and returns what it posted.
func (h *host) look(t *testing.T) []post {
	t.Helper()
	looks := func() int { return len(h.journal(t, operator, "PGBTUI_EVENT=run-ended", "_SYSTEMD_UNIT="+watchUnit)) }
	before, was := len(h.posts(t)), looks()
	h.root(t, "systemctl", "stop", watchTimer)
	// A quick machine looks more often in ten seconds than systemd starts a unit. What never ran has no count to forget.
	_, _ = h.lab.Output(t.Context(), "root", "systemctl", "reset-failed", watchUnit)
	h.root(t, "touch", "-d", "2 years ago", "/var/lib/systemd/timers/stamp-"+watchTimer)
	h.root(t, "systemctl", "start", watchTimer)
	until(t, "the watch to look", func() error {
		// systemd forgets a good run at once, the journal does not.
		if state := h.show(t, watchUnit); looks() == was || state["ActiveState"] == "activating" {
			return fmt.Errorf("%s\n%s", standing(state), h.lastLines(t, watchUnit))
		}
		return nil
	})
	if state := h.show(t, watchUnit); state["Result"] != "success" {
		t.Fatalf("%s\n%s", standing(state), h.lastLines(t, watchUnit))
	}
	return h.posts(t)[before:]
}

// anotherDay forgets what was told: a problem that comes back on one day is over only after a while.
func (h *host) anotherDay(t *testing.T) {
	t.Helper()
	h.root(t, "rm", "-f", "/var/lib/pgbtui/watch/incidents.json")
}

// tells expects one message of a look, with all of these texts, or none.
func (h *host) tells(t *testing.T, texts ...string) {
	t.Helper()
	posts := h.look(t)
	if want := min(len(texts), 1); len(posts) != want {
		t.Fatalf("%d posts, not %d: %+v\n%s", len(posts), want, posts, h.lastLines(t, watchUnit))
	}
	for _, text := range texts {
		if !strings.Contains(posts[0].Text, text) {
			t.Errorf("%q is not in %q", text, posts[0].Text)
		}
	}
}

// watchNoticesADisabledTimer, once, and its return, once.
func (h *host) watchNoticesADisabledTimer(t *testing.T) {
	for _, job := range []string{"production", "shop"} {
		h.root(t, "systemctl", "enable", "--now", "postgres-backup@"+job+".timer")
	}
	if state := h.show(t, watchTimer); state["ActiveState"] != "active" {
		t.Errorf("the watch is %s although backups are on", state["ActiveState"])
	}
	h.look(t) // what the faults before this left, is over
	h.anotherDay(t)
	h.tells(t)
	h.root(t, "systemctl", "disable", "--now", "postgres-backup@shop.timer")
	h.tells(t, "job shop", "postgres-backup@shop.timer is off", "enable --now postgres-backup@shop.timer")
	h.tells(t)
	out, err := h.lab.Output(t.Context(), operator, "pgbtui", "status")
	if err == nil || !strings.Contains(out, "postgres-backup@shop.timer is off") {
		t.Errorf("status: %v\n%s", err, out)
	}
	h.root(t, "systemctl", "enable", "--now", "postgres-backup@shop.timer")
	h.tells(t, "all clear", "job shop")
	h.tells(t)
	h.root(t, "systemctl", "disable", "--now", weekly+".timer")
	h.tells(t, "no restore is tested", weekly+".timer is off", "units install --enable production")
	if out := h.lab.Run(t, operator, "pgbtui", "status", "--job=production"); !strings.Contains(out, weekly+".timer is off") {
		t.Errorf("status does not say that drills are off:\n%s", out)
	}
	h.root(t, "pgbtui", "units", "install", "--enable", "production")
	h.tells(t, "all clear", weekly)
}

// watchNoticesWhatNeverRan: nothing failed, since nothing was ever started.
func (h *host) watchNoticesWhatNeverRan(t *testing.T) {
	h.configure(t, configuration+"  never: {database: shop, instance: db9}\n", secretKey)
	h.tells(t, "job never", "there is no good backup", "postgres-backup@never.timer is off")
	h.tells(t)
	h.configure(t, configuration, secretKey)
	h.tells(t, "are over")
}

// watchNoticesWhatSystemdCallsSuccess: a run that a condition skipped, a masked service, and a bucket that
// is gone is no missing backup.
func (h *host) watchNoticesWhatSystemdCallsSuccess(t *testing.T) {
	h.anotherDay(t)
	h.dropIn(t, shopUnit, "[Unit]\nConditionPathExists=/nonexistent\n")
	h.toldNothing(t, shopUnit, func() { h.root(t, "systemctl", "start", shopUnit) })
	h.tells(t, "job shop", "skipped", "condition")
	h.tells(t)
	h.root(t, "rm", "/etc/systemd/system/"+shopUnit+".d/test.conf")
	h.root(t, "systemctl", "daemon-reload")
	h.succeeds(t, shopUnit, "shop")
	h.tells(t, "all clear")

	h.root(t, "systemctl", "mask", shopUnit)
	h.tells(t, "job shop", "masked")
	h.root(t, "systemctl", "unmask", shopUnit)
	h.tells(t, "all clear")

	h.root(t, "systemctl", "stop", "store.service")
	h.dropIn(t, watchUnit, "[Service]\nEnvironment=AWS_MAX_ATTEMPTS=2\n")
	h.tells(t, "the bucket cannot be read")
	h.tells(t)
	h.root(t, "systemctl", "start", "store.service")
	h.tells(t, "all clear")
}

// deathsBeforeTheProgramAreTold: systemd had no time, no credential, no sandbox for it, and says which.
func (h *host) deathsBeforeTheProgramAreTold(t *testing.T) {
	h.anotherDay(t)
	for _, c := range []struct{ setting, result, status, reason string }{
		{"ExecStartPre=/bin/sleep 60\nTimeoutStartSec=1s", "timeout", "0", "timed out"},
		{"LoadCredential=another:/nonexistent", "exit-code", "243", "243/CREDENTIALS"},
		{"ReadWritePaths=/nonexistent", "exit-code", "226", "226/NAMESPACE"},
		{"ExecStart=\nExecStart=/nonexistent/pgbtui", "exit-code", "203", "203/EXEC"},
	} {
		h.dropIn(t, shopUnit, "[Service]\nRestart=no\n"+c.setting+"\n")
		h.toldOnce(t, shopUnit, func() {
			h.begin(t, shopUnit)
			if last := h.over(t, shopUnit); last["Result"] != c.result || c.status != "0" && last["ExecMainStatus"] != c.status {
				t.Errorf("%s: %s", c.setting, standing(last))
			}
		}, c.reason)
		h.tells(t) // the alert told it
	}
	h.root(t, "rm", "/etc/systemd/system/"+shopUnit+".d/test.conf")
	h.root(t, "systemctl", "daemon-reload")
	h.succeeds(t, shopUnit, "shop")
	h.tells(t, "all clear", "job shop")
	h.endsAreRecorded(t)
}

// aRefusedStartIsTold: where nothing clears the count of starts, systemd refuses the fifth within two hours.
func (h *host) aRefusedStartIsTold(t *testing.T) {
	h.dropIn(t, shopUnit, "[Service]\nExecStopPost=\n")
	h.root(t, "systemctl", "reset-failed", shopUnit)
	h.toldOnce(t, shopUnit, func() {
		for range 4 {
			h.root(t, "systemctl", "start", shopUnit)
		}
		h.refused(t, "root", "systemctl", "start", shopUnit)
	}, "repeated too quickly")
	h.lab.Run(t, operator, "systemctl", "--no-ask-password", "reset-failed", shopUnit)
	h.succeeds(t, shopUnit, "shop")
}

// endsAreRecorded: of each run of the night and the faults, killed ones too.
func (h *host) endsAreRecorded(t *testing.T) {
	t.Helper()
	results := map[string]int{}
	for _, unit := range []string{productionUnit, shopUnit} {
		for _, e := range h.journal(t, operator, "PGBTUI_EVENT=run-ended", "_SYSTEMD_UNIT="+unit) {
			results[e["PGBTUI_RESULT"]]++
		}
	}
	for _, result := range []string{"success", "exit-code", "signal", "timeout"} {
		if results[result] == 0 {
			t.Errorf("no end with result %s is recorded: %v", result, results)
		}
	}
}
