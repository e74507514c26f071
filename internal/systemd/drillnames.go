package systemd

// Drills restore a set for a test. They take a whole database's disk and time, so that a job's
// configuration may leave them to people: see config.Drill.
const (
	drillBase       = "postgres-drill"        // of one set
	backupDrillBase = "postgres-backup-drill" // of a job's newest set, by a timer
)

// DrillService is the service that drills the set named id.
func DrillService(id string) (string, error) { return literalUnit(drillBase, id) }

// BackupDrillService is the service that drills the newest set of a job; "" as for BackupService.
func BackupDrillService(job string) string { return jobUnit(backupDrillBase, job, ".service") }

// BackupDrillTimer is the weekly timer of BackupDrillService(job).
func BackupDrillTimer(job string) string { return jobUnit(backupDrillBase, job, ".timer") }
