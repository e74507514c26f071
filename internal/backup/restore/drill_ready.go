package restore

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"

	"codeberg.org/pgbtui/pgbtui/internal/backup/room"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
)

// Whether a host can drill, asked before the first drill has to find out.

// Drillable says where a job's drills take place, or, by code Refused, what keeps this host from it.
// facts are of the source; req says where a private server's data go, or will go, and whether in a unit.
func Drillable(ctx context.Context, job config.Job, facts postgres.Facts, req DrillRequest) (string, error) {
	if s := job.Drill.Server; !s.Private() {
		major, err := majorAt(ctx, postgres.Target{Host: s.Host, Port: s.Port, User: s.User, Database: maintenance})
		if err != nil {
			return "", fmt.Errorf("drill.server: %w", err)
		}
		return "in the server at " + s.Host + lessProof(major, facts.Major()), nil
	}
	tools, err := postgres.FindServer(ctx, job.Postgres.BinDir, facts.Major())
	if err != nil {
		return "", notHere(err)
	}
	dir := existing(cmp.Or(req.Dir, room.SpoolDir(job.SpoolDir)))
	if err := room.Disks(nil).Demand("drill", dir, facts.SizeBytes+clusterBytes, req.remedySpace()); err != nil {
		return "", notHere(err)
	}
	return fmt.Sprintf("in a server of their own, PostgreSQL %d, below %s%s", tools.Major, dir,
		lessProof(tools.Major, facts.Major())), nil
}

func majorAt(ctx context.Context, target postgres.Target) (int, error) {
	server, err := postgres.Connect(ctx, target, 0)
	if err != nil {
		return 0, err
	}
	defer func() { _ = server.Close(ctx) }()
	facts, err := server.Facts(ctx)
	return facts.Major(), err
}

// lessProof is what a drill in a server of another major version leaves open.
func lessProof(here, source int) string {
	if here == source {
		return ""
	}
	return fmt.Sprintf("; that server is PostgreSQL %d and the source is PostgreSQL %d, so drills do not prove a "+
		"restore into the source's version, "+
		"and what fails in them is not recorded. Install postgresql-%d for them, or name a server of that version "+
		"(drill.server)", here, source, source)
}

// existing is dir, or the nearest folder above it that exists: a unit's own is made by its first start.
func existing(dir string) string {
	for dir != "" && dir != "/" {
		if _, err := os.Stat(dir); err == nil {
			break
		}
		dir = filepath.Dir(dir)
	}
	return dir
}
