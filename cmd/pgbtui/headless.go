package main

import (
	"context"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/dump"
	"codeberg.org/pgbtui/pgbtui/internal/backup/retention"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// headless makes one backup. A run that made a set but has warnings exits with 3.
func (p *program) headless(ctx context.Context, f rootFlags) error {
	p.duty = writer
	job, err := p.job(f.job)
	if err == nil {
		err = p.adoptPassword()
	}
	if err != nil {
		return err
	}
	signer, err := p.signer(job)
	if err != nil {
		return err
	}
	env, stop, err := p.runEnv(ctx, job)
	if err != nil {
		return err
	}
	defer stop()
	env.StateDir = p.getenv("STATE_DIRECTORY") // systemd's; a run by hand leaves the memory to the units
	result, err := dump.Run(ctx, job, env, dump.RunOptions{ID: backup.NewID(p.now()), AcceptEmpty: f.acceptEmpty, Signer: signer})
	if err != nil {
		return logged(err)
	}
	if p.json {
		if err := p.printJSON(jsonRun{Schema: jsonSchema, Set: setJSON(&backup.Set{
			ID: result.Manifest.ID, Kind: backup.KindNative, Instance: string(result.Manifest.Instance), Database: string(result.Manifest.Database),
			FinishedAt: result.Manifest.FinishedAt, StoredSize: result.Manifest.StoredBytes(), Dir: result.Folder,
			Manifest: result.Manifest, Class: result.Manifest.Dump.StorageClass,
		}, nil), Deleted: deletedIDs(result.Deleted), Warnings: result.Warnings}); err != nil {
			return err
		}
	}
	if len(result.Warnings) > 0 {
		return exitWith(fault.Warnings)
	}
	return nil
}

func deletedIDs(decisions []retention.Decision) []string {
	ids := []string{}
	for _, d := range decisions {
		ids = append(ids, d.Set.ID)
	}
	return ids
}
