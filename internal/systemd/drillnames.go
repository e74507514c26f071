package systemd

import (
	"context"
	"strings"
)

// Drills restore a set for a test. They take a whole database's disk and time, so that a job's
// configuration may leave them to people: see config.Drill.
const (
	drillBase       = "postgres-drill"        // of one set
	backupDrillBase = "postgres-backup-drill" // of a job's newest set, by a timer

	drillServerBase = "postgres-drill-server" // a server of a drill, started by a connection
)

// DrillServerSocket is where the drills' servers are had from.
const DrillServerSocket = drillServerBase + ".socket"

// Instances that are never started: they have the settings that all have.
const (
	anyDrillServer = drillServerBase + "@none.service"
	anyDrill       = drillBase + "@none.service"
)

// DrillUnits is what the units give to a drill and to its server.
type DrillUnits struct {
	ServerDir    string // where the server's data goes
	ServerMemory int64  // MemoryMax= in bytes; -1: no limit
	Memory       int64  // the same of the drill
}

// DrillUnits reads them; nil where the units are not installed.
func (b *Bus) DrillUnits(ctx context.Context) (*DrillUnits, error) {
	server, err := b.properties(ctx, anyDrillServer, unitFace, busName+".Service")
	if err != nil || server.text("LoadState") != "loaded" {
		return nil, err
	}
	drill, err := b.properties(ctx, anyDrill, busName+".Service")
	if err != nil {
		return nil, err
	}
	units := &DrillUnits{
		ServerDir: "/var/tmp", ServerMemory: server.amount("MemoryMax"), Memory: drill.amount("MemoryMax"),
	}
	for _, variable := range server.words("Environment") {
		if dir, ok := strings.CutPrefix(variable, "TMPDIR="); ok {
			units.ServerDir = dir
		}
	}
	return units, nil
}

// DrillService is the service that drills the set named id.
func DrillService(id string) (string, error) { return literalUnit(drillBase, id) }

// BackupDrillService is the service that drills the newest set of a job; "" as for BackupService.
func BackupDrillService(job string) string { return jobUnit(backupDrillBase, job, ".service") }

// BackupDrillTimer is the weekly timer of BackupDrillService(job).
func BackupDrillTimer(job string) string { return jobUnit(backupDrillBase, job, ".timer") }
