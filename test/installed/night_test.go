package installed

import (
	"fmt"
	"strings"
	"testing"
)

// Nights that do not begin as they should: the timer fires, and something is not there, stands
// still, was used up or is dated wrong.

const shopTimer = "postgres-backup@shop.timer"

// cluster is the unit of the lab's server.
func (h *host) cluster(t *testing.T) string {
	t.Helper()
	return strings.TrimSpace(h.root(t, "sh", "-c", "systemctl list-units --all --plain --no-legend 'postgresql@*' | cut -d' ' -f1"))
}

// missesTheNight lets shop's timer find, at once, that it missed a run. Its drop-in is gone with the test.
func (h *host) missesTheNight(t *testing.T) {
	t.Helper()
	h.dropIn(t, shopTimer, "[Timer]\nRandomizedDelaySec=0\n")
	h.root(t, "systemctl", "enable", shopTimer)
	h.root(t, "systemctl", "stop", shopTimer)
	h.root(t, "touch", "-d", "2 days ago", "/var/lib/systemd/timers/stamp-"+shopTimer)
	h.resetFailed(t)
	h.root(t, "systemctl", "start", shopTimer)
}

// waitsForALateDatabase: the server is down when the timer fires, and for longer than the run waits for it. It
// is tried again by itself; the night is made up for once, and nobody is told.
func (h *host) waitsForALateDatabase(t *testing.T) {
	h.configure(t, strings.Replace(configuration, "keep:", "connect_wait: 1s\nkeep:", 1), secretKey)
	h.dropIn(t, shopUnit, "[Service]\nRestartSec=1s\n")
	sets := len(h.setsOf(t, "shop"))
	h.toldNothing(t, shopUnit, func() {
		server := h.cluster(t)
		h.root(t, "systemctl", "stop", server)
		h.missesTheNight(t)
		h.waitsForItsRetry(t, shopUnit, "69")
		h.root(t, "systemctl", "start", server)
		h.ends(t, shopUnit, "success", "0")
	})
	now := h.setsOf(t, "shop")
	if len(now) != sets+1 {
		t.Fatalf("%d sets before, %d after", sets, len(now))
	}
	if m := h.details(t, now[0].ID).Manifest; m.Trigger != "timer" {
		t.Errorf("trigger %q", m.Trigger)
	}
	h.tidy(t, "shop")
	h.root(t, "systemctl", "disable", "--now", shopTimer)
	h.configure(t, configuration, secretKey)
}

// nothingHoldsTheNightUp: systemd does not believe a record by which the timer last fired in ten days from
// now; the watch tells of it until the next run has set it right. And systemd counts starts by hand as
// tries, of which it allows four in two hours: good ones are taken off the count. (The timer runs all the
// time: it keeps the unit loaded, and with it the count.)
func (h *host) nothingHoldsTheNightUp(t *testing.T) {
	stamp := "/var/lib/systemd/timers/stamp-" + shopTimer
	h.root(t, "systemctl", "stop", shopTimer)
	h.root(t, "touch", "-d", "10 days", stamp)
	h.root(t, "systemctl", "start", shopTimer)
	if lines := h.lastLines(t, shopTimer); !strings.Contains(lines, "is in the future") {
		t.Errorf("systemd says nothing of it: %s", lines)
	}
	h.tells(t, "job shop", shopTimer+" says that it last fired in the future", "sudo touch "+stamp)
	if out, err := h.lab.Output(t.Context(), operator, "pgbtui", "status"); err == nil || !strings.Contains(out, "last fired in the future") {
		t.Errorf("status: %v\n%s", err, out)
	}

	h.dropIn(t, shopTimer, "[Timer]\nOnCalendar=*-*-* *:*:0/5 UTC\nAccuracySec=100ms\nRandomizedDelaySec=0\n")
	h.root(t, "systemctl", "restart", shopTimer)
	for range 5 {
		h.root(t, "systemctl", "start", shopUnit)
	}
	byHand := h.setsOf(t, "shop")[0].ID
	until(t, "the timer's own run", func() error {
		newest := h.setsOf(t, "shop")[0].ID
		if trigger := h.details(t, newest).Manifest.Trigger; newest == byHand || trigger != "timer" {
			return fmt.Errorf("%s by %s\n%s", newest, trigger, h.lastLines(t, shopUnit))
		}
		return nil
	})
	h.root(t, "systemctl", "stop", shopTimer)
	h.over(t, shopUnit)
	h.root(t, "rm", "/etc/systemd/system/"+shopTimer+".d/test.conf")
	h.root(t, "systemctl", "daemon-reload")
	h.root(t, "systemctl", "start", shopTimer)
	h.tidy(t, "shop")
	h.tells(t, "all clear", "job shop")
}
