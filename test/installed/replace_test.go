package installed

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/request"
)

// An operator without root puts a set in the place of a live database, and takes it back.

func (h *host) operatorReplaces(t *testing.T) {
	set := h.setsOf(t, "shop")[0].ID
	count := func() string { return h.sql(t, "shop", "SELECT count(*) FROM items") }
	h.sql(t, "shop", "DELETE FROM items WHERE id > 10")
	h.connectsTill(t)

	unit := h.ask(t, "busy", request.Restore{Set: set, Request: restore.Request{Replace: "shop", Confirm: "shop"}})
	h.ends(t, unit, "exit-code", "4")
	if said := h.lastLines(t, unit); !strings.Contains(said, `"till"`) || !strings.Contains(said, `database "shop" is as it was`) {
		t.Error(said)
	}
	unit = h.ask(t, "replace", request.Restore{Set: set, Request: restore.Request{Replace: "shop", Confirm: "shop", Terminate: true}})
	h.ends(t, unit, "success", "0")
	if n := count(); n != "100" {
		t.Errorf("%s rows after the replacement\n%s", n, h.lastLines(t, unit))
	}
	h.auditedAs(t, unit, "replace")

	// Started once more, the unit finds no request: what was written since is safe.
	h.root(t, "systemctl", "start", "--no-block", unit)
	h.ends(t, unit, "exit-code", "66")

	unit = h.ask(t, "back", request.Restore{Swap: "shop", Request: restore.Request{Confirm: "shop", Terminate: true}})
	h.ends(t, unit, "success", "0")
	if n := count(); n != "10" {
		t.Errorf("%s rows after it was taken back\n%s", n, h.lastLines(t, unit))
	}
	h.auditedAs(t, unit, "swap")
	h.sql(t, "shop", "INSERT INTO items SELECT i, 'item ' || i FROM generate_series(11, 100) AS i")
}

// connectsTill leaves somebody connected to shop.
func (h *host) connectsTill(t *testing.T) {
	t.Helper()
	connected := h.lab.Command(t.Context(), "postgres", "psql", "-XAtqc", "SET application_name = 'till'; SELECT pg_sleep(3600)", "shop")
	if err := connected.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connected.Wait() })
	until(t, "a connection", func() error {
		if h.sql(t, "postgres", "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'till'") != "1" {
			return errors.New("not yet")
		}
		return nil
	})
}

// ask writes a request as the operator and starts its unit as the operator.
func (h *host) ask(t *testing.T, id string, r request.Restore) (unit string) {
	t.Helper()
	r.By, r.At = operator, time.Now().UTC()
	if r.Set != "" && r.ManifestSHA256 == "" {
		r = h.whole(t, r, r.Set)
	}
	wish, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	write := h.lab.Command(t.Context(), operator, "sh", "-c", "umask 027; cat >"+request.DefaultDir+"/"+id+".json")
	write.Stdin = strings.NewReader(string(wish))
	if out, err := write.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	unit = "postgres-restore@" + id + ".service"
	h.lab.Run(t, operator, "systemctl", "start", "--no-block", unit)
	return unit
}

// whole names the set of a request by its address and by what show says of it.
func (h *host) whole(t *testing.T, r request.Restore, set string) request.Restore {
	t.Helper()
	var seen struct {
		Set            struct{ ID, Instance, Database string }
		ManifestSHA256 string
	}
	h.pgbtuiJSON(t, &seen, "show", set)
	r.Set, r.Instance, r.Database = seen.Set.ID, seen.Set.Instance, seen.Set.Database
	r.ManifestSHA256 = seen.ManifestSHA256
	return r
}

func (h *host) auditedAs(t *testing.T, unit, action string) {
	t.Helper()
	audit := h.journal(t, operator, "PGBTUI_EVENT=operator-action", "_SYSTEMD_UNIT="+unit)
	if len(audit) != 1 || audit[0]["PGBTUI_OPERATOR"] != operator || audit[0]["PGBTUI_FROM"] != "request" || audit[0]["PGBTUI_ACTION"] != action || audit[0]["PGBTUI_TARGET"] != "shop" {
		t.Errorf("the audit line: %v", audit)
	}
}
