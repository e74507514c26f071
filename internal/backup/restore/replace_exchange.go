package restore

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/lease"
	"codeberg.org/pgbtui/pgbtui/internal/backup/restore/kept"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
)

// exchange is a live database and the one that takes its place: a restored copy, or one that was
// kept. Both ways are the same: looked at in the preflight, looked at again when it comes to it,
// then renamed in one transaction. Nothing is dropped.
type exchange struct {
	server    *postgres.Server // on the maintenance database
	live      postgres.Database
	with      postgres.Database // OID 0: not there yet
	word      string            // what the live one becomes: wordBefore or wordUndone
	terminate bool
	now       func() time.Time
	step      func(postgres.SwapStep) // for tests
}

// exchanged is what became of them.
type exchanged struct {
	kept  string // name of what was live
	ended []postgres.Connection
}

// reserved are databases that every server has, and that somebody has to be connected to.
var reserved = map[string]bool{maintenance: true, "template0": true, "template1": true}

// lockExchange keeps two operators from replacing one database at once. The lock ends with the
// session; that of one that has just ended is waited for. A stranger's does not count: the renaming
// itself looks whether both databases are still those that were looked at.
func lockExchange(ctx context.Context, server *postgres.Server, database string) error {
	for patience := endingTime; ; patience -= endingStep {
		lock, holder, err := server.TryLock(ctx, "replace/"+database)
		if err != nil {
			return err
		}
		if lock != nil && len(lock.Rivals) == 0 {
			return nil
		}
		if lock != nil {
			holder = &lock.Rivals[0]
			if err := lock.Release(ctx); err != nil {
				return err
			}
		}
		if patience <= 0 {
			return fault.New(fault.Temporary,
				fmt.Sprintf("restore: database %q is being replaced by somebody else: %s", database, holder),
				"Wait until it ends: `pgbtui` shows it. "+lease.IfNobody(holder), lease.ErrHeld)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(endingStep):
		}
	}
}

// What a server takes at most to notice that a session has ended.
const (
	endingTime = 3 * time.Second
	endingStep = 100 * time.Millisecond
)

// find looks the live database up. A check that fails says why it can't be replaced.
func (x *exchange) find(ctx context.Context, database string) (*Check, error) {
	wrong := func(detail, remedy string) (*Check, error) {
		c := fails("target", detail, remedy)
		return &c, nil
	}
	if reserved[database] {
		return wrong(fmt.Sprintf("database %q is the server's own", database), "Restore into a new database with --to.")
	}
	live, ok, err := x.server.Database(ctx, database)
	if err != nil {
		return nil, err
	}
	if !ok {
		return wrong(fmt.Sprintf("there is no database %q to be replaced", database),
			"Check the name (`psql -l`), or restore into a new database with --to.")
	}
	x.live = live
	return nil, nil
}

// checks are about who uses the two databases.
func (x *exchange) checks(ctx context.Context) (checks []Check, err error) {
	for _, d := range []postgres.Database{x.live, x.with} {
		if d.OID == 0 {
			continue
		}
		found, err := x.checkUse(ctx, d)
		if err != nil {
			return nil, err
		}
		checks = append(checks, found...)
	}
	return checks, nil
}

func (x *exchange) checkUse(ctx context.Context, d postgres.Database) ([]Check, error) {
	ties, err := x.server.Ties(ctx, d.OID)
	if err != nil {
		return nil, err
	}
	connections, err := x.server.Connections(ctx, d.OID)
	if err != nil {
		return nil, err
	}
	checks := append(checkBackup(d, ties), checkTies(d, ties)...)
	if ties.Backup == nil { // it is one of them
		checks = append(checks, checkConnections(d, connections, x.terminate))
	}
	return checks, nil
}

func checkBackup(d postgres.Database, ties postgres.Ties) []Check {
	if ties.Backup == nil {
		return nil
	}
	c := fails("backup", fmt.Sprintf("a backup of %q is running: %s", d.Name, ties.Backup),
		"Wait until it ends, or cancel it: `pgbtui` shows it. "+lease.IfNobody(ties.Backup))
	c.code = fault.Temporary
	return []Check{c}
}

// checkTies: a prepared transaction is what the server refuses. The others it lets pass, and they
// stay with the database whose name changes.
func checkTies(d postgres.Database, ties postgres.Ties) (checks []Check) {
	if len(ties.Prepared) > 0 {
		checks = append(checks, fails("prepared",
			fmt.Sprintf("%q has prepared transactions: %s", d.Name, quoted(ties.Prepared)),
			"End each in that database with COMMIT PREPARED or ROLLBACK PREPARED."))
	}
	if len(ties.Slots) > 0 {
		checks = append(checks, warns("replication",
			fmt.Sprintf("logical replication slots stay with what is %q now and keep WAL: %s", d.Name, quoted(ties.Slots)),
			"Afterwards set the subscribers up again, and drop the slots with pg_drop_replication_slot."))
	}
	if len(ties.Subscriptions) > 0 {
		checks = append(checks, warns("replication",
			fmt.Sprintf("subscriptions stay active in what is %q now, and those of the other are disabled: %s", d.Name,
				quoted(ties.Subscriptions)),
			"Disable them before (ALTER SUBSCRIPTION … DISABLE), and set them up in the new one afterwards."))
	}
	return checks
}

func checkConnections(d postgres.Database, connections []postgres.Connection, terminate bool) Check {
	detail := fmt.Sprintf("%d to %q: %s", len(connections), d.Name, listed(connections))
	switch {
	case len(connections) == 0:
		return passes("connections", fmt.Sprintf("nobody is connected to %q", d.Name))
	case terminate:
		return warns("connections", detail+"; they will be ended", "")
	}
	return fails("connections", detail, "Stop what is connected, or let --terminate end it.")
}

func listed(connections []postgres.Connection) string {
	return backup.InLine(connections, "; ", func(c postgres.Connection) string {
		who := c.Kind
		if c.User != "" {
			who = fmt.Sprintf("role %q", c.User)
		}
		return fmt.Sprintf("pid %d (%s)", c.PID,
			strings.Join(present(who, quotedOne(c.Application), c.Client, "since "+c.Since.UTC().Format(time.RFC3339)), ", "))
	})
}

func quotedOne(s string) string {
	if s == "" {
		return ""
	}
	return fmt.Sprintf("%q", s)
}

func quoted(names []string) string {
	return backup.InLine(names, ", ", strconv.Quote)
}

// swap looks once more, and does it.
func (x *exchange) swap(ctx context.Context) (exchanged, error) {
	checks, err := x.checks(ctx)
	if err == nil {
		err = refusal("restore", checks)
	}
	if err != nil {
		return exchanged{}, err
	}
	kept, err := x.freeName(ctx)
	if err != nil {
		return exchanged{}, err
	}
	ended, err := x.server.Swap(ctx,
		postgres.Swap{Live: x.live, With: x.with, Keep: kept, Terminate: x.terminate, Step: x.step})
	return exchanged{kept, ended}, err
}

// freeName is what the live database will be called: of this second, or of the next that is free.
func (x *exchange) freeName(ctx context.Context) (string, error) {
	for at := x.now(); ; at = at.Add(time.Second) {
		name := kept.Name(x.live.Name, x.word, at)
		if taken, err := x.server.Exists(ctx, name); err != nil || !taken {
			return name, err
		}
	}
}
