package installed

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
)

// Runs as systemd sees them, and the store as its disk shows it.

const (
	productionUnit = "postgres-backup@production.service"
	shopUnit       = "postgres-backup@shop.service"
)

// show is some properties of a unit.
func (h *host) show(t *testing.T, unit string) map[string]string {
	t.Helper()
	found := map[string]string{}
	for line := range strings.Lines(h.root(t, "systemctl", "show", unit)) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
			found[name] = value
		}
	}
	return found
}

func standing(unit map[string]string) string {
	return fmt.Sprintf("%s/%s, result %s, status %s, %s restarts: %s", unit["ActiveState"], unit["SubState"], unit["Result"],
		unit["ExecMainStatus"], unit["NRestarts"], unit["StatusText"])
}

// resetFailed clears the counts of starts. A pattern may match nothing, and a unit that it matched may be gone before
// systemctl comes to it, which newer ones call an error.
func (h *host) resetFailed(t *testing.T) {
	t.Helper()
	h.root(t, "sh", "-c", "systemctl reset-failed 'postgres-*' || systemctl reset-failed 'postgres-*'")
}

// begin starts a service and does not wait for it.
func (h *host) begin(t *testing.T, unit string) {
	t.Helper()
	h.resetFailed(t)
	h.root(t, "systemctl", "start", "--no-block", unit)
}

// over waits until a service is neither running nor about to be tried again.
func (h *host) over(t *testing.T, unit string) map[string]string {
	t.Helper()
	var last map[string]string
	until(t, unit+" to end", func() error {
		last = h.show(t, unit)
		if state := last["ActiveState"]; state != "failed" && state != "inactive" || last["Job"] != "" {
			return fmt.Errorf("%s", standing(last))
		}
		return nil
	})
	return last
}

// ends waits for the end and expects that result and exit status.
func (h *host) ends(t *testing.T, unit, result, status string) map[string]string {
	t.Helper()
	last := h.over(t, unit)
	if last["Result"] != result || last["ExecMainStatus"] != status {
		t.Errorf("%s ended as %s, expected %s and %s\n%s", unit, standing(last), result, status, h.lastLines(t, unit))
	}
	return last
}

func (h *host) lastLines(t *testing.T, unit string) string {
	t.Helper()
	return h.root(t, "journalctl", "--no-pager", "-n", "15", "-o", "short-precise", "-u", unit)
}

// hold waits until a run that was not held before is in the middle of its upload, and stops its
// pg_dump there.
func (h *host) hold(t *testing.T) {
	t.Helper()
	for range 10 * patience {
		parts, _ := filepath.Glob(h.store("uploads/*/[0-9]*.json"))
		for _, part := range parts {
			if upload := filepath.Dir(part); !h.held[upload] {
				h.held[upload] = true
				h.root(t, "pkill", "-STOP", "-x", "pg_dump")
				return
			}
		}
		time.Sleep(pace / 10) // a dump is over in a second
	}
	t.Fatalf("no run uploads: %s\n%s", standing(h.show(t, productionUnit)), h.lastLines(t, productionUnit))
}

// release lets pg_dump go on.
func (h *host) release(t *testing.T) {
	t.Helper()
	h.root(t, "pkill", "-CONT", "-x", "pg_dump")
}

func (h *host) store(path string) string {
	return filepath.Join(h.lab.Root(), "var/lib/store/backups", path)
}

// object is the text of one object in the store.
func (h *host) object(t *testing.T, key string) string {
	t.Helper()
	files, err := filepath.Glob(h.store("keys/*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		var o struct {
			Key      string
			Segments []struct{ File string }
		}
		if text, err := os.ReadFile(file); err != nil || json.Unmarshal(text, &o) != nil || o.Key != key {
			continue
		}
		text, err := os.ReadFile(h.store("data/" + o.Segments[0].File))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	t.Fatalf("there is no object %s", key)
	return ""
}

// tidy expects what must hold after every fault: no open upload, the lease given up, and nothing
// incomplete but what abandoned runs left, which retention lets go when it is a day old.
func (h *host) tidy(t *testing.T, database string) {
	t.Helper()
	if open, _ := filepath.Glob(h.store("uploads/*")); len(open) > 0 {
		t.Errorf("open uploads: %q", open)
	}
	incomplete := 0
	for _, set := range h.sets(t) {
		if set.Kind == string(backup.KindIncomplete) {
			incomplete++
		} else if !set.Good {
			t.Errorf("not good: %+v", set)
		}
	}
	if incomplete != h.abandoned {
		t.Errorf("%d incomplete sets, %d abandoned runs", incomplete, h.abandoned)
	}
	if lease := h.object(t, "postgresql/db1/"+database+"/lease.json"); !strings.Contains(lease, `"released":true`) {
		t.Errorf("the lease is still held: %s", lease)
	}
}

// listed is what is read here of `pgbtui list --json`.
type listed struct {
	ID, Kind, Database, Proof string
	Good                      bool
}

func (h *host) sets(t *testing.T) []listed {
	t.Helper()
	var list struct{ Sets []listed }
	h.pgbtuiJSON(t, &list, "list")
	return list.Sets
}

// setsOf are the good sets of a database, newest first.
func (h *host) setsOf(t *testing.T, database string) (found []listed) {
	t.Helper()
	for _, set := range h.sets(t) {
		if set.Database == database && set.Good {
			found = append(found, set)
		}
	}
	return found
}

// shown is what is read here of `pgbtui show --json`.
type shown struct {
	Manifest backup.Manifest
	Proofs   []backup.Proof
	Tables   []struct {
		Schema, Name string
		Rows         *int64
	}
}

func (h *host) details(t *testing.T, id string) (s shown) {
	t.Helper()
	h.pgbtuiJSON(t, &s, "show", id)
	return s
}
