package doctor_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/doctor"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/watch"
)

const root = "../.."

func TestThePageHasEveryCheckAndNoOther(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(root, "docs/troubleshooting.md"))
	if err != nil {
		t.Fatal(err)
	}
	var want, have []string
	for _, c := range doctor.Catalogue() {
		want = append(want, c.ID)
	}
	for _, line := range strings.Split(string(page), "\n") {
		if cells := strings.Split(line, "|"); len(cells) == 4 {
			for _, m := range regexp.MustCompile("`((?:postgresql|s3|bucket|units)\\.[a-z.-]+)`").FindAllStringSubmatch(cells[2], -1) {
				have = append(have, m[1])
			}
		}
	}
	slices.Sort(want)
	slices.Sort(have)
	if !slices.Equal(want, have) {
		t.Errorf("the catalogue has\n%q, the page\n%q", want, have)
	}
}

func TestEveryCheckSaysWhyAndWhereMoreIs(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range doctor.Catalogue() {
		if seen[c.ID] || !slices.Contains(doctor.Areas(), c.Area()) || !strings.HasSuffix(c.Why, ".") {
			t.Errorf("%+v", c)
		}
		seen[c.ID] = true
		file, anchor, _ := strings.Cut(c.Docs, "#")
		page, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			t.Errorf("%s: %v", c.ID, err)
			continue
		}
		if anchor != "" && !slices.Contains(headings(string(page)), anchor) {
			t.Errorf("%s: %s has no heading %s", c.ID, file, anchor)
		}
	}
}

// headings are the anchors of a page.
func headings(page string) (all []string) {
	for _, line := range strings.Split(page, "\n") {
		if title, ok := strings.CutPrefix(line, "#"); ok {
			title = strings.ToLower(strings.TrimLeft(title, "# "))
			title = regexp.MustCompile("[^a-z0-9 -]").ReplaceAllString(title, "")
			all = append(all, strings.ReplaceAll(title, " ", "-"))
		}
	}
	return all
}

func report(results ...doctor.Result) doctor.Report {
	var r doctor.Report
	for i, result := range results {
		c := doctor.Catalogue()[i]
		r.Findings = append(r.Findings, doctor.Finding{ID: c.ID, Area: c.Area(), Result: result, Seen: "shell", From: doctor.FromShell})
	}
	return r
}

func TestTheExitCodeIsThatOfTheWorst(t *testing.T) {
	for _, c := range []struct {
		r    doctor.Report
		want fault.Code
	}{
		{report(), fault.OK},
		{report(doctor.OK), fault.OK},
		{report(doctor.OK, doctor.Unknown), fault.Warnings},
		{report(doctor.Warn, doctor.OK), fault.Warnings},
		{report(doctor.Unknown, doctor.Fail, doctor.Warn), fault.Failed},
	} {
		if got := c.r.Code(); got != c.want {
			t.Errorf("%+v: %d", c.r, got)
		}
	}
}

// Backups run in the unit: what it saw counts, unless it could not look.
func TestTheUnitsWordCountsWhereItCouldLook(t *testing.T) {
	for _, c := range []struct {
		shell, unit, want doctor.Result
		from              string
		differ            bool
	}{
		{doctor.OK, doctor.OK, doctor.OK, doctor.FromUnit, false},
		{doctor.OK, doctor.Fail, doctor.Fail, doctor.FromUnit, true},
		{doctor.Fail, doctor.OK, doctor.OK, doctor.FromUnit, true},
		{doctor.Fail, doctor.Unknown, doctor.Fail, doctor.FromShell, true},
		{doctor.Unknown, doctor.OK, doctor.OK, doctor.FromUnit, true},
		{doctor.Unknown, doctor.Unknown, doctor.Unknown, doctor.FromShell, false},
	} {
		r, unit := report(c.shell), report(c.unit)
		unit.Invocation = "abc"
		unit.Findings[0].Seen = "unit"
		r.Merge(unit)
		f := r.Findings[0]
		if f.Result != c.want || f.From != c.from || (f.Other != nil) != c.differ || r.Invocation != "abc" {
			t.Errorf("%+v: %+v", c, f)
		}
	}
	r := report()
	r.Merge(report(doctor.Warn))
	if len(r.Findings) != 1 || r.Findings[0].From != doctor.FromUnit {
		t.Errorf("what the unit alone looked at is lost: %+v", r.Findings)
	}
}

func TestAProblemOfTheWatchLeadsToAKnownCheck(t *testing.T) {
	for _, kind := range []watch.Kind{
		watch.KindClock, watch.KindBucket, watch.KindLoss, watch.KindDrill, watch.KindTimer, watch.KindMissed, watch.KindUnit,
		watch.KindSystemd, watch.KindChannel,
	} {
		if check := doctor.Explains(kind); check == "" || !doctor.KnownCheck(check) {
			t.Errorf("%s leads to %q", kind, check)
		}
	}
	if check := doctor.Explains(watch.KindNew); check != "" {
		t.Errorf("a new database leads to %q", check)
	}
}
