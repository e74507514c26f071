package installed

import (
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/request"
)

// The restore wizard, as an operator uses it whom PostgreSQL does not let in: what it shows of the
// server is what the unit found.

func (h *host) consoleRestoresOneTable(t *testing.T) {
	s := h.open(t, operator)
	s.sees(t, "✓ OK    production")
	s.keys(t, "R")
	s.sees(t, "WHAT COMES BACK, AND WHERE TO")
	s.keys(t, "Down", "Enter")
	s.sees(t, "private.ledger", "1,234")
	s.keys(t, "/")
	s.sees(t, "enter keeps") // what comes in one packet with the slash is taken for a paste
	s.keys(t, "-l", "ledger")
	s.keys(t, "Enter")
	s.sees(t, "filter: ledger")
	s.keys(t, "j", "Space")
	s.sees(t, "[x]   private.ledger")
	s.keys(t, "Enter")
	s.sees(t, "NAME OF THE NEW DATABASE")
	s.keys(t, "C-u")
	s.keys(t, "-l", "one table")
	s.keys(t, "Enter")
	s.sees(t, "OPTIONS")
	s.keys(t, "Enter")
	s.sees(t, "all passed", "Fetches", "by ranges", "table private.ledger", "Same as")
	s.keys(t, "Tab")
	s.sees(t, "[ Restore ]")
	s.keys(t, "Enter")
	s.sees(t, "✓ OK", "rows compared: 1 table, 1,234 rows", "Fetched")
	if found := h.sql(t, "one table", "SELECT string_agg(relname, ' ') FROM pg_class WHERE relkind = 'r' AND relnamespace::regnamespace::text !~ '^(pg_|information)'"); found != "ledger" {
		t.Errorf("tables in the copy: %s", found)
	}
	if left := h.root(t, "find", request.DefaultDir, "-name", "check-*"); left != "" {
		t.Errorf("the checks left %s", left)
	}
}

func (h *host) consoleReplaces(t *testing.T) {
	count := func() string { return h.sql(t, "shop", "SELECT count(*) FROM items") }
	h.sql(t, "shop", "DELETE FROM items WHERE id > 10")
	h.connectsTill(t)
	s := h.open(t, operator)
	s.sees(t, "✓ OK    production", "shop")
	s.keys(t, "Down", "R")
	s.sees(t, "WHAT COMES BACK, AND WHERE TO", "shop,")
	s.keys(t, "Up", "Enter")
	s.sees(t, "WHICH DATABASE IS REPLACED")
	s.keys(t, "Enter")
	s.sees(t, "OPTIONS", "Connections")
	s.keys(t, "Enter")
	s.sees(t, "REPLACE THE LIVE DATABASE shop ON db1", "FAIL connections", `"till"`, "(a check failed)")
	s.keys(t, "-l", "shop")
	s.keys(t, "Enter")
	s.sees(t, "enter: a check failed")
	s.keys(t, "Tab")
	s.sees(t, "are ENDED in the end", "enter: replace", "WARN connections")
	s.keys(t, "Enter")
	s.sees(t, "✓ OK", "rows compared: 1 table, 100 rows", "shop_before_", "1 connection ended")
	if n := count(); n != "100" {
		t.Errorf("%s rows after the replacement", n)
	}
	s.keys(t, "U")
	s.sees(t, "PUT BACK WHAT WAS LIVE BEFORE IN THE PLACE OF shop", "type its name", "takes its place")
	s.keys(t, "-l", "shop")
	s.sees(t, "enter: put back")
	s.keys(t, "Enter")
	s.sees(t, "✓ OK", "putting back of shop", "shop is what shop_before_", "shop_undone_")
	if n := count(); n != "10" {
		t.Errorf("%s rows after it was put back", n)
	}
	h.sql(t, "shop", "INSERT INTO items SELECT i, 'item ' || i FROM generate_series(11, 100) AS i")
	for _, action := range []string{"swap", "replace"} {
		found := false
		for _, e := range h.journal(t, operator, "PGBTUI_EVENT=operator-action", "PGBTUI_TARGET=shop", "PGBTUI_OPERATOR="+operator) {
			found = found || e["PGBTUI_FROM"] == "192.0.2.7" && len(e["PGBTUI_ACTION"]) >= len(action) && e["PGBTUI_ACTION"][:len(action)] == action
		}
		if !found {
			t.Errorf("no audit line says who asked for %s from where", action)
		}
	}
}
