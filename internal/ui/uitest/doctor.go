package uitest

import (
	"context"

	"codeberg.org/pgbtui/pgbtui/internal/ui"
)

// What doctor finds in the world.

// Examine implements ui.Doctor.
func (w *World) Examine(_ context.Context, only string, inUnit bool) (ui.Examination, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.Examined = append(w.Examined, only)
	exam := ui.Examination{Notice: "nothing from the unit: it is not installed"}
	if inUnit {
		exam.Notice = ""
	}
	for _, c := range w.Checkups {
		if only != "" && c.ID != only {
			continue
		}
		if !inUnit {
			c.From, c.Other = "shell", ""
		}
		exam.Checks = append(exam.Checks, c)
	}
	return exam, w.fail("doctor")
}

// Report implements ui.Doctor.
func (w *World) Report(context.Context) (string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return "/home/ops/pgbtui-doctor-20261123.txt", w.fail("report")
}

// checkups are one of each result, and of each area.
func checkups() []ui.Checkup {
	return []ui.Checkup{
		{
			Job: "sales", Database: "sales", ID: "postgresql.bugs", Result: ui.CheckWarn, From: "unit",
			Docs:  "docs/versions.md",
			Tried: "look for version 15.18 in the list of bugs that lose or damage data",
			Seen:  "indexes of TOAST tables may miss rows after REINDEX CONCURRENTLY (fixed in 15.20)",
			Why:   "A backup keeps what the server lost or damaged before it.", Remedy: "Update the server to 15.20 or newer.",
		},
		{
			Job: "sales", Database: "sales", ID: "postgresql.reach", Result: ui.CheckOK, From: "unit",
			Docs:  "docs/troubleshooting.md",
			Tried: "log in to database sales as a backup does", Seen: "PostgreSQL 15.18, 2.9 GiB",
			Why: "A run that does not reach the server makes no backup.", Other: "FAIL: role ops does not exist",
		},
		{
			Job: "sales", Database: "sales", ID: "s3.writer.put", Result: ui.CheckFail, From: "unit",
			Docs:  "docs/iam.md#writer",
			Tried: "put at s3://backups/ with the writer's key",
			Seen:  "s3: put postgresql/db01/sales/trial: AccessDenied (HTTP 403)",
			Why:   "Each set ends with a manifest that is put.", Remedy: "Add this statement to the policy of the writer's key.",
			Statement: `{"Sid":"WriterOwnFolder","Effect":"Allow","Action":["s3:PutObject"],` +
				`"Resource":["arn:aws:s3:::backups/postgresql/db01/*"]}`,
		},
		{
			Job: "sales", Database: "sales", ID: "s3.keeper.delete", Result: ui.CheckUnknown, From: "shell",
			Docs:  "docs/iam.md#keeper",
			Tried: "not tried", Seen: "the keeper's key may be in a file that this user cannot look for",
			Why:    "Retention deletes what no rule keeps.",
			Remedy: "Run `sudo pgbtui doctor`, which is given every key.",
		},
		{
			Job: "sales", Database: "sales", ID: "bucket.versioning", Result: ui.CheckOK, From: "shell",
			Docs:  "docs/retention.md",
			Tried: "ask for versioning and object lock", Seen: "versioning is on",
			Why: "Without versions, whoever may write can overwrite a set, and nothing is left of it.",
		},
	}
}
