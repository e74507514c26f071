package restore

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/postgres"
)

// What extensions need besides their package: some want to be loaded when the server starts, and pg_cron is for one
// database of a server.

const (
	cron         = "pg_cron"
	cronDatabase = "cron.database_name"
)

// checkExtensions is asked before anything is created; missing are those that are not installed.
func (r *restoring) checkExtensions(ctx context.Context, missing, wanted []string) (Check, error) {
	const name = "extensions"
	if len(missing) > 0 || len(wanted) == 0 {
		return needCheck(name, missing, "Install the packages that bring them (e.g. postgresql-contrib).", false), nil
	}
	late, err := r.target.server.NotPreloaded(ctx, wanted)
	if err != nil {
		return Check{}, err
	}
	if len(late) > 0 {
		return r.notCreated(fmt.Sprintf("the server does not load at its start what they need: %s", strings.Join(late, ", ")),
			"Add it to shared_preload_libraries of the server that is restored into, and restart it."), nil
	}
	if !slices.Contains(wanted, cron) {
		return passes(name, "all there"), nil
	}
	bound, err := r.target.server.Bound(ctx)
	if err != nil {
		return Check{}, err
	}
	database, known := bound[cronDatabase]
	switch {
	case !known:
		return warns(name,
			fmt.Sprintf("%s can only be created in the database that %s names, which this role may not see", cron, cronDatabase),
			""), nil
	case database != r.req.To:
		return r.notCreated(fmt.Sprintf(
			"%s can only be created in database %q, which the server's %s names, and the copy is %q",
			cron, database, cronDatabase, r.req.To),
			r.remedyBound(database)), nil
	case r.looking:
		return warns(name,
			"all there; the jobs of "+cron+" run as soon as they are restored, unless "+
				"cron.launch_active_jobs is off (from 1.6 on)",
			""), nil
	}
	return passes(name, "all there"), nil
}

// notCreated stops a restore, unless it is to go on past what cannot be created.
func (r *restoring) notCreated(detail, remedy string) Check {
	if r.req.KeepGoing {
		return warns("extensions", detail, "")
	}
	if r.rehearses {
		remedy = "Remove drill.server, so that drills have a server of their own, which gets what extensions need."
		return fails("extensions", detail, remedy)
	}
	return fails("extensions", detail, strings.TrimSuffix(remedy, ".")+", or restore everything else with --keep-going.")
}

func (r *restoring) remedyBound(database string) string {
	if r.req.Replace != "" {
		return fmt.Sprintf(
			"Rename the live database and restore with --to %[2]s: a database with %[1]s cannot be replaced by renaming.",
			cron, database)
	}
	return postgres.RemedyBound
}
