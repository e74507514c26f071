package installed

import "testing"

// A set in an archive class: the console refuses to restore it, thaws it by the tier that is chosen, and restores it.
func (h *host) consoleThaws(t *testing.T) {
	const plain, archived = "shop: {drill: {by: hand}}", "shop: {drill: {by: hand}, s3: {storage_class: GLACIER}}"
	h.root(t, "sed", "-i", "s/"+plain+"/"+archived+"/", configFile)
	h.succeeds(t, shopUnit, "shop")
	h.root(t, "sed", "-i", "s/"+archived+"/"+plain+"/", configFile)
	set := h.setsOf(t, "shop")[0].ID

	s := h.openFiltered(t, "archive:archived")
	s.keys(t, "R")
	s.sees(t, "WHAT COMES BACK, AND WHERE TO")
	s.keys(t, "Enter")
	s.sees(t, "NAME OF THE NEW DATABASE")
	s.keys(t, "Enter")
	s.sees(t, "OPTIONS", "it is archived")
	s.keys(t, "Enter")
	s.sees(t, "a check failed")
	s.hangUp(t)

	s = h.openFiltered(t, "archive:archived")
	s.keys(t, "T")
	s.sees(t, "Thaw a backup of shop", "> standard: price not known", "y, then enter")
	s.keys(t, "Left")
	s.sees(t, "> bulk: price not known, in 5 to 12 hours", "--tier bulk")
	s.keys(t, "y")
	s.keys(t, "Enter")
	s.sees(t, "asked for: "+set)
	s.hangUp(t)

	s = h.openFiltered(t, "archive:thawed")
	s.keys(t, "R")
	s.sees(t, "WHAT COMES BACK, AND WHERE TO")
	s.keys(t, "Enter")
	s.sees(t, "NAME OF THE NEW DATABASE")
	s.keys(t, "C-u")
	s.keys(t, "-l", "shop thawed")
	s.keys(t, "Enter")
	s.sees(t, "OPTIONS")
	s.keys(t, "Enter")
	s.sees(t, "all passed")
	s.keys(t, "Tab")
	s.sees(t, "[ Restore ]")
	s.keys(t, "Enter")
	s.sees(t, "✓ OK", "rows compared: 1 table, 100 rows")
	if n := h.sql(t, "shop thawed", "SELECT count(*) FROM items"); n != "100" {
		t.Errorf("%s rows were restored", n)
	}
	s.hangUp(t)
	h.succeeds(t, shopUnit, "shop") // what comes next begins with a set that is not archived
}

// openFiltered starts the console on the list of backups that a filter leaves.
func (h *host) openFiltered(t *testing.T, filter string) *session {
	t.Helper()
	s := h.open(t, operator)
	s.sees(t, "✓ OK    production")
	s.keys(t, "2")
	s.sees(t, "BACKUPS")
	s.keys(t, "/")
	s.sees(t, "enter keeps") // what comes in one packet with the slash is taken for a paste
	s.keys(t, "-l", filter)
	s.keys(t, "Enter")
	s.sees(t, "filter: "+filter, "shop")
	return s
}
