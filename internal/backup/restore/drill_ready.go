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
		server, err := postgres.Connect(ctx, postgres.Target{Host: s.Host, Port: s.Port, User: s.User, Database: maintenance}, 0)
		if err != nil {
			return "", fmt.Errorf("drill.server: %w", err)
		}
		_ = server.Close(ctx)
		return "in the server at " + s.Host, nil
	}
	tools, err := postgres.FindServer(ctx, job.Postgres.BinDir, facts.Major())
	if err != nil {
		return "", notHere(err)
	}
	dir := existing(cmp.Or(req.Dir, room.SpoolDir(job.SpoolDir)))
	if err := room.Disks(nil).Demand("drill", dir, facts.SizeBytes+clusterBytes, req.remedySpace()); err != nil {
		return "", notHere(err)
	}
	return fmt.Sprintf("in a server of their own, PostgreSQL %d, below %s", tools.Major, dir), nil
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
