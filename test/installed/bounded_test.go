package installed

import (
	"context"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/request"
)

// What an operator's request means, and what it may not do: another host's set of the same ID, roles of a
// superuser, rows into a live database twice.
func (h *host) requestsAreBounded(t *testing.T) {
	set := h.setsOf(t, "shop")[0].ID
	own := h.whole(t, request.Restore{}, set)
	h.root(t, "forger", "plant", "shop", set)
	t.Cleanup(func() {
		if _, err := h.lab.Output(context.Background(), "root", "forger", "remove", "shop", set, stranger); err != nil {
			t.Error(err)
		}
	})
	planted := h.whole(t, request.Restore{}, stranger+"/shop/"+set)
	h.meansItsOwnSet(t, own, planted)
	h.mapsNobodyToASuperuser(t, own)
	h.putsRowsInOnce(t, own)

	own.To, own.NoOwner = "shop_bare", true
	h.ends(t, h.ask(t, "bare", own), "success", "0")
	if owner := h.sql(t, "shop_bare", "SELECT pg_get_userbyid(relowner) FROM pg_class WHERE relname = 'items'"); owner != "pgbtui_restored" {
		t.Errorf("what came without its owner belongs to %s", owner)
	}
}

func (h *host) meansItsOwnSet(t *testing.T, own, planted request.Restore) {
	t.Helper()
	verify := "postgres-verify@" + own.Set + ".service"
	h.lab.Run(t, operator, "systemctl", "start", verify)
	var seen shown
	h.pgbtuiJSON(t, &seen, "show", own.Set, "--instance", own.Instance)
	if len(seen.Proofs) == 0 || seen.Proofs[0].Kind != "verify" || !seen.Proofs[0].OK {
		t.Errorf("the unit proved another set: %+v", seen.Proofs)
	}
	h.pgbtuiJSON(t, &seen, "show", planted.Set, "--instance", planted.Instance)
	if len(seen.Proofs) != 0 {
		t.Errorf("the unit proved the planted set: %+v", seen.Proofs)
	}
	swapped := own
	swapped.ManifestSHA256 = planted.ManifestSHA256
	for id, c := range map[string]struct {
		r         request.Restore
		code, why string
	}{
		"strange":   {planted, "4", `a set of another instance, "` + stranger + `"`},
		"exchanged": {swapped, "65", "is not the one that was asked for"},
		"half":      {request.Restore{Set: own.Set, Database: "shop", ManifestSHA256: own.ManifestSHA256}, "4", "address is not whole"},
	} {
		c.r.To = "shop_planted"
		unit := h.ask(t, id, c.r)
		h.ends(t, unit, "exit-code", c.code)
		if said := h.lastLines(t, unit); !strings.Contains(said, c.why) {
			t.Errorf("%s is refused without its reason %q:\n%s", id, c.why, said)
		}
	}
	if n := h.sql(t, "postgres", "SELECT count(*) FROM pg_database WHERE datname = 'shop_planted'"); n != "0" {
		t.Error("a database was made of a planted set")
	}
}

func (h *host) mapsNobodyToASuperuser(t *testing.T, own request.Restore) {
	t.Helper()
	own.To, own.Roles = "shop_mapped", map[string]string{"clerk": "postgres"}
	unit := h.ask(t, "mapped", own)
	h.ends(t, unit, "exit-code", "4")
	if said := h.lastLines(t, unit); !strings.Contains(said, `"postgres" is a superuser`) {
		t.Error(said)
	}
}

func (h *host) putsRowsInOnce(t *testing.T, own request.Restore) {
	t.Helper()
	h.sql(t, "shop", "TRUNCATE items")
	own.To, own.DataOnly = "shop", true
	own.Tables = []string{"items"}
	h.ends(t, h.ask(t, "unsure", own), "exit-code", "4")
	if n := h.sql(t, "shop", "SELECT count(*) FROM items"); n != "0" {
		t.Errorf("%s rows that nobody confirmed", n)
	}
	own.Confirm = "shop"
	unit := h.ask(t, "rows", own)
	h.ends(t, unit, "success", "0")
	h.auditedAs(t, unit, "rows into")
	h.sql(t, "shop", "TRUNCATE items")
	h.root(t, "systemctl", "start", "--no-block", unit)
	h.ends(t, unit, "exit-code", "66")
	if n := h.sql(t, "shop", "SELECT count(*) FROM items"); n != "0" {
		t.Errorf("started again, the unit put %s rows in once more", n)
	}
	h.sql(t, "shop", "INSERT INTO items SELECT i, 'item ' || i FROM generate_series(1, 100) AS i")
}
