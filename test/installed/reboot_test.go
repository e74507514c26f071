package installed

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/request"
	"codeberg.org/pgbtui/pgbtui/test/lab"
)

// A restore waits for a thaw for hours, and hosts restart: it goes on after that, once, and only if nobody ended it.
func TestARestoreThatWaitsForAThawGoesOnAfterARestartOfTheHost(t *testing.T) {
	h := &host{lab: lab.Start(t, lab.Options{Hostname: "db1"}), held: map[string]bool{}}
	h.copyPrograms(t)
	h.write(t, "/etc/systemd/system/store.service", strings.Replace(storeUnit, " --writer=", " --thaw-after=24h --writer=", 1))
	h.root(t, "systemctl", "add-wants", "multi-user.target", "store.service")
	h.root(t, "systemctl", "start", "store.service")
	h.sql(t, "postgres", "CREATE DATABASE shop TEMPLATE template0")
	h.sql(t, "shop", shop)
	h.root(t, "pgbtui", "units", "install", "--database-role")
	h.addPeople(t)
	configured := strings.Replace(configuration, "  production: {}\n", "", 1)
	configured = strings.Replace(configured, "shop: {drill: {by: hand}}", "shop: {drill: {by: hand}, s3: {storage_class: GLACIER}}", 1)
	h.configure(t, strings.Replace(configured, "alert:\n  slack_webhook: http://127.0.0.1:"+hookPort+webhookPath+"\n", "", 1), secretKey)
	h.root(t, "pgbtui", "units", "install", "--enable", "shop")
	h.succeeds(t, shopUnit, "shop")
	set := h.setsOf(t, "shop")[0].ID

	waits := func(to string) string {
		unit := h.ask(t, to, request.Restore{Set: set, Request: restore.Request{To: to, Thaw: "bulk"}})
		h.waitsForThaw(t, unit)
		return unit
	}
	stopped, killed, goes := waits("stopped"), waits("killed"), waits("goes")
	h.root(t, "systemctl", "stop", stopped)
	h.root(t, "systemctl", "kill", "--signal=KILL", killed)
	h.over(t, killed)
	for _, again := range []func(context.Context) error{h.lab.Reboot, h.lab.CutPower} {
		if err := again(t.Context()); err != nil {
			t.Fatal(err)
		}
		h.waitsForThaw(t, goes)
		for _, unit := range []string{stopped, killed} {
			if state := h.show(t, unit)["ActiveState"]; state != "inactive" {
				t.Errorf("%s, which was ended, is %s after a restart", unit, state)
			}
		}
	}
	if said := h.lastLines(t, goes); !strings.Contains(said, "it goes on waiting until") {
		t.Errorf("nothing says why it runs:\n%s", said)
	}
	h.thaws(t)
	if err := h.lab.Reboot(t.Context()); err != nil { // the first look after it finds the set
		t.Fatal(err)
	}
	untilSeconds(t, goes+" to end", 180, func() error {
		if state := h.show(t, goes); state["ActiveState"] != "inactive" || state["Result"] != "success" {
			return fmt.Errorf("%s", standing(state))
		}
		_, err := h.lab.SQL(t.Context(), "goes", "SELECT 1")
		return err
	})
	if n := h.sql(t, "goes", "SELECT count(*) FROM items"); n != "100" {
		t.Errorf("%s rows were restored", n)
	}
	if n := h.sql(t, "postgres", "SELECT count(*) FROM pg_database WHERE datname IN ('stopped', 'killed')"); n != "0" {
		t.Error("what was ended was restored all the same")
	}
	if left := h.root(t, "find", request.DefaultDir, "-name", "*.waiting"); left != "" {
		t.Errorf("the next start would restore again: %s", left)
	}
}

// waitsForThaw expects that a restore runs and waits for its set.
func (h *host) waitsForThaw(t *testing.T, unit string) {
	t.Helper()
	file := request.DefaultDir + "/" + strings.TrimSuffix(strings.TrimPrefix(unit, "postgres-restore@"), ".service") + ".waiting"
	untilSeconds(t, unit+" to wait for its thaw", 180, func() error {
		state := h.show(t, unit)
		if state["ActiveState"] != "activating" || !strings.Contains(state["StatusText"], "thaw") {
			return fmt.Errorf("%s\n%s", standing(state), h.lastLines(t, unit))
		}
		_, err := h.lab.Output(t.Context(), "root", "test", "-e", file)
		return err
	})
}

// thaws has the store be done with what it thaws.
func (h *host) thaws(t *testing.T) {
	t.Helper()
	h.root(t, "systemctl", "stop", "store.service")
	files, err := filepath.Glob(h.store("keys/*.json"))
	if err != nil {
		t.Fatal(err)
	}
	tomorrow := time.Now().UTC().AddDate(0, 0, 1).Format("2006-01-02")
	dayAfter := time.Now().UTC().AddDate(0, 0, 2).Format("2006-01-02")
	done := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, day := range []string{tomorrow, dayAfter} {
			old := `"Ready":"` + day
			if !strings.Contains(string(text), old) {
				continue
			}
			done++
			now := strings.Replace(string(text), old, `"Ready":"2026-01-01`, 1)
			if err := os.WriteFile(file, []byte(now), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	if done == 0 {
		t.Fatal("nothing is being thawed")
	}
	h.root(t, "systemctl", "start", "store.service")
}

// untilSeconds is until for what takes minutes.
func untilSeconds(t *testing.T, what string, seconds int, done func() error) {
	t.Helper()
	var err error
	for range seconds {
		if err = done(); err == nil {
			return
		}
		time.Sleep(time.Second)
	}
	t.Fatalf("waited for %s: %v", what, err)
}
