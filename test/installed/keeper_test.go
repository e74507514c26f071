package installed

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

// Backups whose key may not delete, and a timer with a key that may.

const (
	pruneTimer = "postgres-backup-prune@shop.timer"
	pruneUnit  = "postgres-backup-prune@shop.service"
	keeperFile = "/etc/pgbtui/secret/keeper"
)

func (h *host) has(t *testing.T, database, id string) bool {
	t.Helper()
	for _, set := range h.setsOf(t, database) {
		if set.ID == id {
			return true
		}
	}
	return false
}

// checks is `config check` as the backups' user.
func (h *host) checks(t *testing.T, texts ...string) {
	t.Helper()
	out, err := h.lab.Output(t.Context(), "pgbtui", "pgbtui", "config", "check")
	for _, text := range texts {
		if !strings.Contains(out, text) {
			t.Errorf("config check does not say %q: %v\n%s", text, err, out)
		}
	}
}

func (h *host) keeperDeletes(t *testing.T) {
	h.root(t, "systemctl", "enable", "--now", "postgres-backup@shop.timer")
	h.keepsByTimer(t)
	defer h.configure(t, configuration, secretKey)
	monthOld := h.forges(t, "shop", h.setsOf(t, "shop")[0].ID, time.Now().AddDate(0, 0, -40))
	h.checks(t, "FAIL timers: nothing is deleted, although keep.by is timer: "+pruneTimer+" is off", "--enable-prune shop")

	h.succeeds(t, shopUnit, "shop")
	if !h.has(t, "shop", monthOld) {
		t.Fatal("a backup deleted, and its key may not")
	}
	h.dropIn(t, pruneTimer, "[Timer]\nRandomizedDelaySec=0\n")
	h.root(t, "touch", "-d", "2 days ago", "/var/lib/systemd/timers/stamp-"+pruneTimer)
	h.root(t, "pgbtui", "units", "install", "--enable-prune", "shop")
	until(t, "the keeper to delete", func() error {
		if h.has(t, "shop", monthOld) {
			return errors.New("it is still there")
		}
		return nil
	})
	h.ends(t, pruneUnit, "success", "0")
	h.checks(t, "ok   timers: on")

	// A keeper that may not delete either fails, is told, and turns no backup red.
	monthOld = h.forges(t, "shop", h.setsOf(t, "shop")[0].ID, time.Now().AddDate(0, 0, -41))
	h.secret(t, keeperFile, profile(writerKey, writerSecret))
	h.toldOnce(t, pruneUnit, func() {
		h.begin(t, pruneUnit)
		h.ends(t, pruneUnit, "exit-code", "77")
	}, "not permitted")
	h.toldNothing(t, shopUnit, func() { h.succeeds(t, shopUnit, "shop") })
	if !h.has(t, "shop", monthOld) {
		t.Error("it is gone although nobody could delete it")
	}
	h.root(t, "systemctl", "disable", "--now", pruneTimer)
}

// keepsByTimer gives everybody a key that may not delete, and root one that may, which is handed to the keeper's unit.
func (h *host) keepsByTimer(t *testing.T) {
	t.Helper()
	config := strings.Replace(configuration, "shop: {drill", "shop: {keep: {last: 1, min_good: 1, by: timer}, drill", 1)
	h.configure(t, config, secretKey)
	if err := h.lab.WriteFile(credentialsFile, profile(writerKey, writerSecret), 0o640); err != nil {
		t.Fatal(err)
	}
	h.secret(t, keeperFile, credentials(secretKey))
}

// secret is a file that root alone reads.
func (h *host) secret(t *testing.T, file, text string) {
	t.Helper()
	h.root(t, "mkdir", "-p", "-m", "0700", "/etc/pgbtui/secret")
	if err := h.lab.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = h.lab.Output(context.Background(), "root", "rm", "-f", file) })
}
