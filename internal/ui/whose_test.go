package ui_test

import (
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/ui"
	"codeberg.org/pgbtui/pgbtui/internal/ui/uitest"
)

// tiers are two jobs of one database, and one whose instance is another: it backs up over the network.
func tiers(w *uitest.World, o *ui.Options) {
	fine(w, o)
	at := func(ago time.Duration, instance, database, job string) backup.Set {
		end := uitest.Now.Add(-ago)
		return backup.Set{
			ID: end.Format("20060102T150405Z") + "-0000ff", Kind: backup.KindNative, Instance: instance, Database: database, Job: job,
			FinishedAt: end, Manifest: &backup.Manifest{StartedAt: end, FinishedAt: end},
		}
	}
	here := w.AllSets[0].Instance
	w.AllSets = []backup.Set{
		at(time.Hour, here, "analytics", "hourly"), at(2*time.Hour, "db2", "crm", "crm"), at(20*24*time.Hour, here, "analytics", "weekly"),
		at(30*24*time.Hour, here, "analytics", "retired"),
	}
	job := func(name, instance, database string, beside ...string) ui.Job {
		return ui.Job{
			Name: name, Instance: instance, Database: database, Whose: backup.Whose{Job: name, Beside: beside},
			Unit: "postgres-backup@" + name + ".service", Objective: ui.Objective{Objectives: backup.Objectives{RPO: 26 * time.Hour}, RPOFrom: "of the configuration"},
		}
	}
	o.Jobs = []ui.Job{job("crm", "db2", "crm"), job("hourly", here, "analytics", "weekly"), job("weekly", here, "analytics", "hourly")}
	w.AllTimer, w.AllRuns = nil, nil
	for _, name := range []string{"crm", "hourly", "weekly"} {
		w.AllTimer = append(w.AllTimer, ui.Timer{
			Unit: "postgres-backup@" + name + ".timer", Service: "postgres-backup@" + name + ".service", Action: "backup", Job: name, Database: "analytics",
			Enabled: "enabled", Active: true, Next: uitest.Now.Add(time.Hour), State: ui.TimerOn,
		})
	}
	w.AllTimer[2].State, w.AllTimer[2].Active = ui.TimerOff, false
}

func TestTwoJobsOfOneDatabaseAreTwoRowsAndEachIsJudgedByItsOwnSets(t *testing.T) {
	d, _ := open(t, tiers)
	ready(d).Until("analytics (weekly)").Until("newest good backup is 20d old")
	for _, line := range strings.Split(plain(d), "\n") {
		switch {
		case strings.Contains(line, "analytics (hourly)") && (strings.Contains(line, "LATE") || strings.Contains(line, "timer is off")):
			t.Errorf("the hourly job is blamed: %s", line)
		case strings.Contains(line, "crm") && (strings.Contains(line, "LATE") || strings.Contains(line, "no good backup")):
			t.Errorf("a job of another instance is judged by none of its sets: %s", line)
		}
	}
	if v := plain(d); !strings.Contains(v, "analytics (hourly)") || !strings.Contains(v, "4 backups") || strings.Contains(v, "of other hosts") {
		t.Errorf("%s", v)
	}
	d.Type("2")
	d.Until("(retired)")
	if v := plain(d); !strings.Contains(v, "analytics (weekly)") || !strings.Contains(v, "analytics (retired)") || strings.Contains(v, "@db2") {
		t.Errorf("rows do not say whose they are:\n%s", v)
	}
	d.Type("3")
	d.Until("backup of job hourly")
	if v := plain(d); strings.Contains(v, "backup of analytics") || !strings.Contains(v, "backup of crm") {
		t.Errorf("runs do not say whose they are:\n%s", v)
	}
}
