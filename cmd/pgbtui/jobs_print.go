package main

import (
	"strings"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/printable"
	"codeberg.org/pgbtui/pgbtui/internal/readable"
)

type jsonJobs struct {
	Schema    int             `json:"schema"`
	Jobs      []jsonJobRow    `json:"jobs"`
	Uncovered []jsonUncovered `json:"uncovered"`
	Notes     []string        `json:"notes"`
}

type jsonJobRow struct {
	Job      string     `json:"job"`
	Database string     `json:"database"`
	Tenant   string     `json:"tenant,omitempty"` // the schema
	Timer    string     `json:"timer"`
	Calendar []string   `json:"calendar"`
	NextAt   *time.Time `json:"nextAt"`
	Last     string     `json:"last"`
	LastAt   *time.Time `json:"lastAt"`
	NewestAt *time.Time `json:"newestAt"`
	Proof    string     `json:"proof"`
	Problems int        `json:"problems"`
	Gone     bool       `json:"gone"`
	Partial  string     `json:"partial,omitempty"` // what the newest set does not hold
}

type jsonUncovered struct {
	Database string `json:"database"`
	Host     string `json:"host"`
	Port     string `json:"port"`
}

func printJobs(to *streams, out jsonJobs, wide bool, now time.Time) error {
	if to.json {
		return to.printJSON(out)
	}
	all := table{
		rows:  [][]string{{"JOB", "DATABASE", "CALENDAR", "NEXT RUN", "NEWEST", "PROVEN", "LAST RUN"}},
		spare: []string{"CALENDAR", "PROVEN", "NEXT RUN"},
		folds: true,
	}
	for i := range out.Jobs {
		all.rows = append(all.rows, out.Jobs[i].cells(now))
	}
	if err := all.write(to.text(), to.columns(wide)); err != nil {
		return err
	}
	if len(out.Uncovered) > 0 {
		to.printf("\n")
	}
	for _, u := range out.Uncovered {
		to.sayf("no job backs up database %s%s: add one, or name it in exclude at the top of the configuration\n",
			printable.Text(u.Database), serverText(u))
	}
	for _, note := range out.Notes {
		to.sayf("note: %s\n", printable.Text(note))
	}
	return nil
}

// serverText is the server of a database, where the configuration names one.
func serverText(u jsonUncovered) string {
	if u.Host == "" {
		return ""
	}
	where := " of " + u.Host
	if u.Port != "" {
		where += " port " + u.Port
	}
	return printable.Text(where)
}

func (j *jsonJobRow) cells(now time.Time) []string {
	cells := []string{
		printable.Text(j.Job), printable.Text(placeText(j.Database, j.Tenant)), printable.Text(strings.Join(j.Calendar,
			", ")), "", "none",
		j.Proof, printable.Text(j.Last),
	}
	switch {
	case j.NextAt != nil:
		cells[3] = "in " + readable.Age(j.NextAt.Sub(now))
	case j.Timer != "":
		cells[3] = j.Timer
	}
	if j.NewestAt != nil {
		cells[4] = readable.Age(now.Sub(*j.NewestAt)) + " old"
	}
	if j.Partial != "" {
		cells[4] += ", PARTIAL"
	}
	if j.LastAt != nil {
		cells[6] += ", " + readable.Age(now.Sub(*j.LastAt)) + " ago"
	}
	if j.Gone {
		cells[6] = strings.TrimPrefix(cells[6]+"; the database is gone", "; ")
	}
	if j.Problems > 0 {
		cells[6] = strings.TrimPrefix(cells[6]+"; see `pgbtui status`", "; ")
	}
	for i := range cells {
		if cells[i] == "" {
			cells[i] = "-"
		}
	}
	return cells
}
