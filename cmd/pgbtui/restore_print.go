package main

import (
	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
	"codeberg.org/pgbtui/pgbtui/internal/readable"
)

type jsonRestore struct {
	Schema   int                `json:"schema"`
	Set      string             `json:"set"`
	Database string             `json:"database"`
	Tenant   string             `json:"tenant,omitempty"` // the schema of it
	Kept     string             `json:"kept,omitempty"`
	Ended    int                `json:"ended,omitempty"` // connections
	Compared bool               `json:"compared"`
	Tables   int                `json:"tables"`
	Rows     int64              `json:"rows"`
	Seconds  float64            `json:"seconds"`
	Created  []string           `json:"created,omitempty"` // roles and tablespaces
	Notes    []string           `json:"notes,omitempty"`
	Stages   []backup.StageTime `json:"stages"`
	Portion  *restore.Portion   `json:"portion,omitempty"`
	Fetched  *int64             `json:"fetchedBytes,omitempty"` // of the stored dump

	Unmade      []postgres.Unmade `json:"unmade,omitempty"`
	UnmadeMore  int               `json:"unmadeMore,omitempty"`
	Differences []jsonDifference  `json:"differences,omitempty"`
}

// jsonDifference is a table whose rows are not those of the dump.
type jsonDifference struct {
	Schema   string `json:"schema"`
	Table    string `json:"table"`
	Dumped   int64  `json:"dumped"`
	Restored int64  `json:"restored"`
}

type jsonChecks struct {
	Schema int             `json:"schema"`
	OK     bool            `json:"ok"`
	Checks []restore.Check `json:"checks"`

	Portion *restore.Portion `json:"portion,omitempty"`
}

func printChecks(to *streams, checks []restore.Check, portion *restore.Portion) error {
	ok := true
	for _, c := range checks {
		ok = ok && c.OK
	}
	if to.json {
		if err := to.printJSON(jsonChecks{Schema: jsonSchema, OK: ok, Checks: checks, Portion: portion}); err != nil {
			return err
		}
	} else {
		for _, c := range checks {
			mark := "ok  "
			switch {
			case !c.OK:
				mark = "FAIL"
			case c.Warn:
				mark = "warn"
			}
			to.sayf("%s %-12s %s\n", mark, c.Name, printable.Text(c.Detail))
			if c.Remedy != "" {
				to.sayf("     %-12s %s\n", "", printable.Text(c.Remedy))
			}
		}
		if portion != nil {
			printPortion(to, portion)
		}
	}
	if !ok {
		return exitWith(fault.Refused)
	}
	return nil
}

func restoredJSON(set string, r *restore.Restored) jsonRestore {
	out := jsonRestore{
		Schema: jsonSchema, Set: set, Database: r.Database, Tenant: r.Schema,
		Kept: r.Kept, Ended: r.Ended, Compared: r.Compared,
		Tables: r.Tables, Rows: r.Rows, Seconds: r.Seconds, Created: r.Globals, Notes: r.Notes, Stages: r.Stages,
		Portion: r.Portion, Unmade: r.Unmade, UnmadeMore: r.UnmadeMore,
	}
	for _, d := range r.Differences {
		out.Differences = append(out.Differences, jsonDifference{
			Schema: d.Schema, Table: d.Table, Dumped: d.Want, Restored: d.Got,
		})
	}
	if r.Portion != nil {
		out.Fetched = &r.Fetched
	}
	return out
}

func printRestored(to *streams, set string, r *restore.Restored) error {
	if to.json {
		return to.printJSON(restoredJSON(set, r))
	}
	what := ""
	if r.Portion != nil {
		what = "a part of "
	}
	if r.Schema != "" {
		what = "schema " + printable.Text(r.Schema) + " of "
	}
	to.sayf("restored %s%s into database %s in %.1fs\n", what, set, printable.Text(r.Database), r.Seconds)
	if r.Portion != nil {
		printPortion(to, r.Portion)
		to.sayf("  fetched %s of %s\n", readable.Size(r.Fetched), readable.Size(r.Portion.StoredBytes))
	}
	if r.Compared {
		to.sayf("  rows compared: %d tables, %d rows, all as dumped\n", r.Tables, r.Rows)
	}
	if r.Kept != "" {
		printKept(to, r.Kept, r.Ended, r.WayBack())
	}
	printUnmade(to, r)
	for _, n := range r.Notes {
		to.sayf("  note: %s\n", printable.Text(n))
	}
	return nil
}

// printUnmade lists what a restore that went on left out.
func printUnmade(to *streams, r *restore.Restored) {
	for _, object := range r.Unmade {
		to.sayf("  NOT restored: %s\n", printable.Text(object.String()))
	}
	if r.UnmadeMore > 0 {
		to.sayf("  NOT restored: %d more\n", r.UnmadeMore)
	}
	for _, d := range r.Differences {
		to.sayf("  rows differ: %s.%s has %d, dumped were %d\n",
			printable.Text(d.Schema), printable.Text(d.Table), d.Got, d.Want)
	}
}

// printPortion lists what a part brings, brings along and leaves out.
func printPortion(to *streams, s *restore.Portion) {
	for _, list := range []struct {
		title string
		items []restore.Item
	}{
		{"chosen", s.Chosen},
		{"comes along", s.Brought},
		{"left out", s.LeftOut},
	} {
		for _, item := range list.items {
			to.sayf("  %-11s %s\n", list.title, printable.Text(item.String()))
		}
	}
}
