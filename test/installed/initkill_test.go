package installed

import (
	"bufio"
	"context"
	"io"
	"slices"
	"strings"
	"testing"
)

// What interrupts init: a kill between any two steps, Ctrl+C, a second one beside it.

// strip makes the host one without a trace of pgbtui again, and its store an empty one.
func (h *host) strip(t *testing.T) {
	t.Helper()
	h.root(t, "pgbtui", "units", "uninstall")
	h.root(t, "sh", "-c", "rm -rf /etc/pgbtui /var/lib/pgbtui /etc/systemd/system/postgres-*.d /var/lib/systemd/timers/stamp-postgres-*")
	h.sql(t, "postgres", "DROP OWNED BY pgbtui")
	h.sql(t, "postgres", "DROP ROLE pgbtui")
	h.root(t, "sh", "-c", "systemctl stop store && rm -rf /var/lib/store && systemctl daemon-reload && systemctl start store")
	h.isUntouched(t)
}

// killedAt runs init until it says one of some things, and kills it there; false when it ended before.
func (h *host) killedAt(t *testing.T, moments []string, argv ...string) (said string, killed bool) {
	t.Helper()
	ctx, kill := context.WithCancel(t.Context())
	defer kill()
	cmd := h.lab.Command(ctx, "root", argv...)
	out, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for !killed && lines.Scan() {
		said += lines.Text() + "\n"
		heard := func(moment string) bool { return strings.Contains(lines.Text(), moment) }
		if killed = slices.ContainsFunc(moments, heard); killed {
			kill()
		}
	}
	_, _ = io.Copy(io.Discard, out)
	if err := cmd.Wait(); err == nil && killed {
		t.Logf("it was faster than the kill at %q", moments[0])
	}
	return said, killed
}

// interruptedAt sends init what Ctrl+C does when it says something, and reads it to its end. (A terminal would send it
// to the way into the lab as well.)
func (h *host) interruptedAt(t *testing.T, moment string, argv ...string) (said string, err error) {
	t.Helper()
	cmd := h.lab.Command(t.Context(), "root", argv...)
	out, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		said += lines.Text() + "\n"
		if strings.Contains(lines.Text(), moment) {
			h.root(t, "pkill", "-INT", "-f", "^pgbtui init ")
		}
	}
	return said, cmd.Wait()
}

func (h *host) initIsKilledAnywhere(t *testing.T) {
	argv := initBy("--encryption", "new", "--databases", "shop,crm,billing")
	moments := []string{
		"trying the bucket", "units, users and polkit rule", "role pgbtui: reads", "secret/writer", "secret/reader", "secret/age-identity",
		"config.yaml", "enabled ", "first backup:", "first drill:",
	}
	// A kill takes a moment, and what was done meanwhile is not said again: then the next moment that is said counts.
	for i := range moments {
		if said, killed := h.killedAt(t, moments[i:], argv...); !killed {
			t.Errorf("it came to none of %q:\n%s", moments[i:], said)
		}
	}
	said, err := h.interruptedAt(t, "first drill:", argv...)
	if err == nil || !strings.Contains(err.Error(), "exit status 130") {
		t.Errorf("after Ctrl+C: %v", err)
	}
	if !strings.Contains(said, "Not finished. This run left:") || !strings.Contains(said, "nothing new") {
		t.Errorf("it does not say what it leaves:\n%s", said)
	}
	second := h.talk(t, argv...)
	second.sees("first drill:") // started by it, or by the one before and waited for
	if code, said := h.refused(t, "root", argv...); code != 75 || !strings.Contains(said, "another init is running") {
		t.Errorf("a second one: exit %d\n%s", code, said)
	}
	if err := <-second.done; err != nil {
		t.Fatalf("%v\n%s", err, second.said())
	}
	if !strings.Contains(second.said(), "Protected now: billing, crm, shop.") || !strings.Contains(second.said(), "Database postgres is left out") {
		t.Error(second.said())
	}
	h.isProtected(t, "billing", "crm", "shop")
	config := h.root(t, "cat", configFile)
	identity := h.root(t, "cat", "/etc/pgbtui/secret/age-identity")
	_, public, _ := strings.Cut(identity, "public key: ")
	if public, _, _ = strings.Cut(public, "\n"); public == "" || !strings.Contains(config, public) {
		t.Errorf("the configuration does not have the key %q:\n%s", public, config)
	}
	if left := h.root(t, "find", "/etc/pgbtui", "/etc/systemd/system", "-name", ".pgbtui-*"); left != "" {
		t.Errorf("half written files are left: %s", left)
	}
	h.strip(t)
}
