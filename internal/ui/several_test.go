package ui_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/ui"
	"codeberg.org/pgbtui/pgbtui/internal/ui/uitest"
)

// TestEachDatabaseThatIsFoundHasARowOfItsOwn: which databases a job has is known once the sets are.
func TestEachDatabaseThatIsFoundHasARowOfItsOwn(t *testing.T) {
	o := uitest.New().Options()
	job := o.Jobs[0]
	job.Name, job.Database, job.Several = "all", "", true
	job.Whose = backup.Whose{Job: "all"}
	o.Jobs = []ui.Job{job}
	o.JobsIn = func(sets []backup.Set) []ui.Job {
		var jobs []ui.Job
		for i := range sets {
			name := sets[i].Database
			if name == "" || slices.ContainsFunc(jobs, func(j ui.Job) bool { return j.Database == name }) {
				continue
			}
			one := job
			one.Database = name
			one.Subject = "all/" + name
			if name == "sales" {
				one.GoneSince = time.Date(2026, 11, 1, 2, 0, 0, 0, time.UTC)
			}
			jobs = append(jobs, one)
		}
		return jobs
	}
	d := ui.Drive(t, o, 120, 40)
	d.Fed().Until("gone from the server since 2026-11-01")
	if strings.Count(d.View(), "gone from the server") != 1 {
		t.Errorf("one database is gone:\n%s", d.View())
	}
	d.Press("b").Until("All databases of job all are backed up")
}
