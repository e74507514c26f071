package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/dump"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/doctor"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
)

// What `config check` asks for a job of several databases: which a run would find now, and whether each can be dumped.

// namedDatabases is as many as a line names.
const namedDatabases = 20

// checkSeveral tries each database that a run would find now. first is one of them, by which the bucket is tried.
func checkSeveral(ctx context.Context, job config.Job) (found []jsonFinding, first config.Job, facts *postgres.Facts) {
	quick := job
	quick.ConnectWait = 0
	names, err := dump.Parts(ctx, quick, backup.Env{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return []jsonFinding{finding("postgresql", "", err)}, job, nil
	}
	first = job.Part(names[0])
	shown := names[:min(len(names), namedDatabases)]
	detail := fmt.Sprintf("found now: %d: %s", len(names), strings.Join(shown, ", "))
	if len(shown) < len(names) {
		detail += ", …"
	}
	found = append(found, finding(job.PartKind()+"s", detail, nil))
	if job.Tenants() { // all in one database
		of, text, err := doctor.Server(ctx, first)
		if err == nil {
			facts = &of
		}
		return append(found, finding("postgresql", text, err)), first, facts
	}
	var wrong []error
	for _, name := range names {
		of, text, err := doctor.Server(ctx, job.On(name))
		if err != nil {
			wrong = append(wrong, fmt.Errorf("database %s: %w", name, err))
			continue
		}
		if facts == nil || of.SizeBytes > facts.SizeBytes { // the largest is what a drill has to hold
			facts = &of
			detail = text
		}
	}
	return append(found, finding("postgresql", detail+", the largest of them", errors.Join(wrong...))), first, facts
}
