// The fixture: three databases in three states, two weeks of backups, an old script's object, an
// unfinished run, another host's backup.

package uitest

import (
	"fmt"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
	"codeberg.org/pgbtui/pgbtui/internal/ui"
)

func jobs() []ui.Job {
	var out []ui.Job
	for _, n := range []string{"crm", "ledger", "sales"} {
		out = append(out, ui.Job{
			Name: n, Database: n, Unit: "postgres-backup@" + n + ".service", Prune: "postgres-backup-prune@" + n + ".service",
			CLI:       "systemctl start postgres-backup@" + n + ".service",
			Objective: ui.Objective{Objectives: backup.Objectives{RPO: 26 * time.Hour}, RPOFrom: "of the timer's calendar"},
		})
	}
	return out
}

// New is the fixture at Now.
func New() *World {
	w := &World{now: Now, Fail: map[string]error{}, Names: []string{"crm", "ledger", "postgres", "sales"}}
	w.AllSets = sets()
	w.Checkups = checkups()
	w.AllRuns = []ui.UnitRun{
		{
			Unit: "postgres-backup@crm.service", Action: "backup", Job: "crm", Database: "crm", State: ui.RunFailed,
			Trigger:   "timer",
			StartedAt: Now.Add(-71 * time.Minute), EndedAt: Now.Add(-70 * time.Minute), Attempt: 4, Attempts: 4, Again: true,
			Memory: -1, MemoryHigh: -1,
			Invocation: "5f0c1d9b3e6a4b0f9d2c7a8e1b3f5d70", Detail: "exit 69: s3 could not be reached for 10m",
			Remedy: "Check the route to the bucket, then press b.",
		},
		{
			Unit: "postgres-backup@ledger.service", Action: "backup", Job: "ledger", Database: "ledger", State: ui.RunSkipped,
			Trigger:   "timer",
			StartedAt: Now.Add(-72 * time.Minute), EndedAt: Now.Add(-72 * time.Minute), Memory: -1, MemoryHigh: -1,
			Detail: "ConditionPathExists=/run/postgresql failed",
		},
		{
			Unit: "postgres-backup@sales.service", Action: "backup", Job: "sales", Database: "sales", State: ui.RunOK,
			Trigger:   "timer",
			StartedAt: Now.Add(-72 * time.Minute), EndedAt: Now.Add(-68 * time.Minute), Memory: -1, MemoryHigh: -1,
			Invocation: w.AllSets[0].Manifest.InvocationID,
		},
	}
	w.Past = past(w)
	w.AllTimer = timers()
	w.Entries = entries()
	w.View = ui.ContentsView{
		Extensions: []string{"pgcrypto", "postgis"}, Roles: []string{"app", "reporting"},
		Tables: []ui.TableView{
			{Schema: "public", Name: "customers", Ref: "public.customers", Rows: 120450, Bytes: 48 << 20},
			{Schema: "public", Name: "orders", Ref: "public.orders", Rows: 9845200, Bytes: 1900 << 20},
			{Schema: "public", Name: "order_lines", Ref: "public.order_lines", Rows: 28112004, Bytes: 812 << 20},
			{Schema: "audit", Name: "changes", Ref: "audit.changes", Rows: -1, Bytes: -1},
		}, Others: []ui.TableView{{Schema: "public", Name: "open_orders", Ref: "public.open_orders", Kind: "view"}},
	}
	w.Portion = &restore.Portion{
		Chosen: []restore.Item{{Kind: "TABLE", Schema: "public", Name: "orders"}},
		Brought: []restore.Item{
			{Kind: "TYPE", Schema: "public", Name: "order_state"}, {Kind: "FUNCTION", Schema: "public", Name: "touch()"},
		},
		LeftOut:    []restore.Item{{Kind: "FK CONSTRAINT", Schema: "public", Name: "orders orders_customer_fkey"}},
		FetchBytes: 481 << 20, StoredBytes: 725 << 20,
	}
	w.Checks = []restore.Check{
		{OK: true, Detail: "PostgreSQL 15.18 answers; pg_restore 15.18 fits the archive"},
		{OK: true, Detail: "no database of that name exists"},
		{OK: true, Detail: "41 GiB free in /var/lib/postgresql, 3.4 GiB needed"},
		{
			OK: true, Warn: true, Detail: "the role reporting is missing",
			Remedy: "Restore globals too, or CREATE ROLE reporting.",
		},
	}
	return w
}

// past are runs that the journal remembers: the newest backup of sales, which systemd and the bucket know too, a prune
// of the day before, a backup that a reboot ended, one by hand, and one whose set is gone.
func past(w *World) []ui.UnitRun {
	at := func(unit, action, job string, hours float64, took time.Duration, state ui.RunState) ui.UnitRun {
		start := Now.Add(-time.Duration(hours * float64(time.Hour)))
		return ui.UnitRun{
			Unit: unit + job + ".service", Action: action, Job: job, Database: job, State: state, StartedAt: start,
			EndedAt:    start.Add(took),
			Invocation: invocation(unit+job, start), Memory: -1, MemoryHigh: -1,
		}
	}
	newest := at("postgres-backup@", "backup", "sales", 1.2, 4*time.Minute, ui.RunOK)
	newest.Invocation, newest.Set = w.AllSets[0].Manifest.InvocationID, w.AllSets[0].ID
	lost := at("postgres-backup@", "backup", "crm", 25, 0, ui.RunLost)
	lost.EndedAt = time.Time{}
	byHand := at("postgres-backup@", "backup", "sales", 30, 9*time.Minute, ui.RunOK)
	byHand.Trigger = "operator"
	byHand.Bytes = 725 << 20
	byHand.Set = "20261121T211220Z-0d0d0d"
	failed := at("postgres-backup-drill@", "drill", "crm", 200, 3*time.Minute, ui.RunFailed)
	failed.Detail = "postgres-backup-drill@crm.service ended: exit code, exit status 65: integrity"
	failed.Remedy = "verify the set"
	return []ui.UnitRun{
		newest, at("postgres-backup-prune@", "prune", "sales", 23, 2*time.Second, ui.RunOK), lost, byHand, failed,
	}
}

// invocation is a made-up ID, another for each run.
func invocation(of string, start time.Time) string {
	return fmt.Sprintf("%016x%016x", len(of), start.Unix())
}

func timers() []ui.Timer {
	next := time.Date(2026, 11, 24, 2, 0, 0, 0, time.UTC)
	var five []time.Time
	for i := range 5 {
		five = append(five, next.AddDate(0, 0, i))
	}
	one := func(n string) ui.Timer {
		return ui.Timer{
			Unit: "postgres-backup@" + n + ".timer", Service: "postgres-backup@" + n + ".service", Action: "backup", Job: n,
			Database: n, Enabled: "enabled", Active: true,
			Calendar: []string{"*-*-* 02:00:00 UTC"}, Next: next.Add(4 * time.Minute), Last: Now.Add(-72 * time.Minute),
			Upcoming: five,
			Jitter:   10 * time.Minute, Accuracy: time.Minute, Persistent: true, State: ui.TimerOn,
		}
	}
	off := one("crm")
	off.Enabled = "disabled"
	off.Active = false
	off.Next = time.Time{}
	off.Upcoming = nil
	off.State = ui.TimerOff
	off.Problem = "off"
	off.Remedy = "sudo systemctl enable --now " + off.Unit
	over := one("sales")
	over.Overridden = []string{"/etc/systemd/system/postgres-backup@sales.timer.d/time.conf"}
	return []ui.Timer{off, one("ledger"), over}
}

func set(db, instance string, end time.Time, raw int64) backup.Set {
	start := end.Add(-4 * time.Minute)
	id := start.Format("20060102T150405Z") + "-1a2b3c"
	stored := raw / 4
	m := &backup.Manifest{
		Schema: 1, ID: id, Instance: printable.Name(instance), Database: printable.Name(db), Job: db, StartedAt: start,
		FinishedAt: end, Host: instance, RunID: id,
		InvocationID: invocation(db, start), Trigger: "timer", Tool: "pgbtui 0.1.0",
		Server:     backup.Server{Version: "15.18", VersionNum: 150018, SizeBytes: raw + raw/3, Encoding: "UTF8"},
		DumpClient: "pg_dump (PostgreSQL) 15.18",
		Summary:    backup.Summary{Scanned: true, Tables: 4, Rows: 38077654, LargeObjects: 12, RawBytes: raw},
		Dump: backup.Object{
			Key: "dump.pgc.zst", SizeBytes: stored, SHA256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
			SSE: "AES256",
		},
		Globals: &backup.Object{Key: "globals.sql.zst", SizeBytes: 2100},
		Stages: []backup.StageTime{
			{Stage: backup.StageLock, Seconds: 0.2},
			{Stage: backup.StagePreflight, Seconds: 1.1},
			{Stage: backup.StageGlobals, Seconds: 0.6},
			{Stage: backup.StageDump, Seconds: 231},
			{Stage: backup.StageConfirm, Seconds: 3},
			{Stage: backup.StageCommit, Seconds: 0.3},
		},
	}
	return backup.Set{
		ID: id, Kind: backup.KindNative, Instance: instance, Database: db, FinishedAt: end, StoredSize: stored,
		Dir: instance + "/" + db + "/" + id + "/", Manifest: m, Class: "STANDARD_IA",
	}
}

func proof(s *backup.Set, kind string, level backup.Level, at time.Time, d time.Duration, problem string) {
	s.Proofs = append([]backup.Proof{{
		Schema: 1, Set: s.ID, Kind: kind, Level: level.String(), OK: problem == "", StartedAt: at.Add(-d), FinishedAt: at,
		Host: "db01", Bytes: s.StoredSize, Tables: 4, Rows: 38077654, Error: problem,
	}}, s.Proofs...)
}

func sets() []backup.Set {
	var out []backup.Set
	for i := range 15 {
		end := time.Date(2026, 11, 23, 2, 4, 10, 0, time.UTC).AddDate(0, 0, -i)
		s := set("sales", "db01", end, int64(2900-17*i)<<20)
		switch i {
		case 0:
			proof(&s, "verify", backup.LevelReadable, end.Add(20*time.Minute), 95*time.Second, "")
			s.Proofs[0].NotProven = []string{
				"that it restores into a server: extensions, roles, locales and space are not tried",
			}
		case 1:
			proof(&s, "drill", backup.LevelRestored, end.Add(3*time.Hour), 6*time.Minute, "")
			s.Proofs[0].Drill = &backup.DrillFacts{
				Server: "15.18", Private: true, Owners: 41, Grants: 12, Expectations: 2, Amcheck: true,
			}
			s.Proofs[0].Warnings = []string{"the extension postgis is 3.3.2 here and was 3.3.1"}
		case 2:
			s.Hold = &backup.Hold{By: "anna", Host: "db01", At: end.Add(8 * time.Hour), Reason: "before the migration"}
		case 3:
			s.LockedUntil, s.Signature = Now.AddDate(0, 0, 12), backup.SignatureGood
		case 4:
			s.Manifest.Warnings = []string{"globals: role passwords left out, the dump is not encrypted by us"}
		}
		out = append(out, s)
		if i > 1 {
			c := set("crm", "db01", end.Add(7*time.Minute), int64(430-i)<<20)
			if i == 6 {
				proof(&c, "verify", backup.LevelReadable, end.Add(time.Hour), 9*time.Second, "frame 12: checksum does not match")
			}
			out = append(out, c)
		}
	}
	out = append(out,
		backup.Set{
			ID: "20261121T020000Z-77aa10", Kind: backup.KindIncomplete, Instance: "db01", Database: "ledger",
			FinishedAt: Now.AddDate(0, 0, -2), StoredSize: 18 << 20, Dir: "db01/ledger/20261121T020000Z-77aa10/",
		})
	out = append(out, set("sales", "db02", Now.Add(-9*time.Hour), 2700<<20))
	out = append(out,
		backup.Set{
			ID: "legacy-postgresql_sales_20260801_020000", Kind: backup.KindLegacy, Database: "sales",
			FinishedAt: Now.AddDate(0, -3, -22), StoredSize: 512 << 20, Dir: "postgresql_sales_20260801_020000.backup",
		})
	return out
}

func entries() []ui.Entry {
	var out []ui.Entry
	for i := range 60 {
		e := ui.Entry{
			Cursor: fmt.Sprintf("c%04d", i), Time: Now.Add(time.Duration(i-60) * 70 * time.Second),
			Unit: "postgres-backup@sales.service", Priority: 6,
			Message: fmt.Sprintf("dump: %d%% of 2.8 GiB read", i),
			Fields:  map[string]string{"PGBTUI_DATABASE": "sales", "PGBTUI_STAGE": "dump", "_PID": "4242"},
		}
		switch i % 15 {
		case 7:
			e.Priority, e.Message = 4, "s3: upload part 3: 503 Slow Down; tried again in 2s"
		case 11:
			e.Unit = "postgres-backup@crm.service"
			e.Priority = 3
			e.Message = "backup: dump crm: s3: create upload: dial " +
				"tcp 10.0.0.9:443: i/o timeout"
		case 13:
			e.Priority, e.Message = 5, "backup stored: 725 MiB, SHA-256 9f86d081…"
		}
		out = append(out, e)
	}
	return out
}
