package beside

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup/room"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/pitr"
)

// Restore makes a copy of the cluster as it was at the target, which waits there, read-only. When it fails, nothing is
// left of it.
func Restore(ctx context.Context, e *pitr.Engine, o Order, disks room.Disks) (*Copy, Plan, error) {
	c, plan, release, err := restore(ctx, e, o, disks)
	if err != nil {
		return nil, plan, err
	}
	release()
	return c, plan, nil
}

// restore is Restore whose copy is still held.
func restore(
	ctx context.Context, e *pitr.Engine, o Order, disks room.Disks,
) (c *Copy, plan Plan, release func(), err error) {
	if plan, err = Prepare(ctx, e, o, disks); err != nil {
		return nil, plan, nil, err
	}
	o.Target = plan.Target
	if c, release, err = newCopy(e, o, plan); err != nil {
		return nil, plan, nil, err
	}
	kept, stop := disks.Keep(ctx, "pitr: restore beside the live cluster", o.files(),
		"Free space there, or give a folder on another disk by --at.")
	err = c.restore(kept, e, o, plan)
	stop()
	if err != nil {
		err = fmt.Errorf("pitr: restore cluster %s beside: %w", e.Cluster.Name, err)
		err = errors.Join(err, c.remove())
		release()
		return nil, plan, nil, err
	}
	return c, plan, release, nil
}

// newCopy makes the record and the folders of a copy, and locks it.
func newCopy(e *pitr.Engine, o Order, plan Plan) (c *Copy, release func(), err error) {
	role, err := user.LookupId(strconv.FormatUint(uint64(e.Server.UID), 10))
	if err != nil {
		return nil, nil, fault.New(fault.Config, "pitr: the owner of the server's files has no name", "", err)
	}
	now := time.Now().UTC().Truncate(time.Second)
	c = &Copy{
		ID: newID(e.Cluster.Name), Cluster: e.Cluster.Name, Target: o.Target, Set: plan.Set, Timeline: plan.Timeline,
		Made: now, Expires: now.Add(cmp.Or(o.TTL, DefaultTTL)), Drill: o.Drill, Phase: Restoring,
		BinDir: e.Server.BinDir, Major: e.Server.Major, User: role.Username,
	}
	if err := MakeDir(e, o.dir()); err != nil {
		return nil, nil, err
	}
	c.dir = filepath.Join(o.dir(), c.ID)
	c.Data = filepath.Join(o.files(), c.ID)
	const longest = 107 - len("/.s.PGSQL.5432.lock") // sun_path
	if len(c.place().socket()) > longest || strings.ContainsAny(c.dir+c.Data, "\"',\\\n%") {
		return nil, nil, fault.New(fault.Config, "pitr: "+c.dir+" is too long or too strange for a socket's folder",
			"Give a shorter folder of plain letters.", nil)
	}
	err = c.makePlace(e.Server.UID, e.Server.GID)
	if err == nil {
		release, err = c.hold()
	}
	if err == nil {
		err = c.save()
	}
	if err != nil {
		return nil, nil, errors.Join(err, c.remove())
	}
	return c, release, nil
}

// operators may list copies: whose group the folder of all copies has, where there is such a group.
const operators = "pgbtui"

// MakeDir makes the folder of all copies where the installed units have not.
func MakeDir(e *pitr.Engine, dir string) error {
	err := os.Mkdir(dir, 0o750)
	if os.IsExist(err) {
		return nil
	}
	if err == nil && os.Geteuid() == 0 {
		gid := int(e.Server.GID)
		if group, none := user.LookupGroup(operators); none == nil {
			gid, _ = strconv.Atoi(group.Gid) // the system's own number
		}
		err = os.Chown(dir, int(e.Server.UID), gid)
		if err == nil {
			err = os.Chmod(dir, 0o750|os.ModeSetgid) // what is made in it is the operators' to list
		}
	}
	if err != nil {
		return fault.New(fault.NotPermitted, "pitr: make the folder of copies",
			"Run it as root once, or `sudo pgbtui units install`, which makes "+dir+".", err)
	}
	return nil
}

func (c *Copy) restore(ctx context.Context, e *pitr.Engine, o Order, plan Plan) error {
	began := time.Now()
	o.tell("restoring %s into %s", c.Set, c.Data)
	if err := e.Restore(ctx, c.order(), o.Tell); err != nil {
		return err
	}
	c.Reached.FilesSeconds = time.Since(began).Seconds()
	restored, err := ReadControl(ctx, e, c.place().data())
	if err != nil {
		return err
	}
	control := restored.atLeast(plan.control)
	for range 6 { // each setting may be too small once
		if err := c.configure(e, plan, control); err != nil {
			return err
		}
		again, err := c.replay(ctx, e, o)
		if err != nil || len(again) == 0 {
			return err
		}
		o.tell("WAL asks for %s", strings.TrimSpace(strings.ReplaceAll(text(again), "\n", " ")))
		control = control.raise(again)
	}
	return c.errEnded()
}

// order is what the engine is asked for.
func (c *Copy) order() pitr.Restore {
	p := c.place()
	return pitr.Restore{Label: c.Set, Data: p.data(), Tablespaces: p.tablespaces(), Scratch: p.locks()}
}

// atLeast has the greater limits of the two: those of now and those of the base backup.
func (c Control) atLeast(other Control) Control {
	c.MaxConnections = max(c.MaxConnections, other.MaxConnections)
	c.MaxWorkerProcesses = max(c.MaxWorkerProcesses, other.MaxWorkerProcesses)
	c.MaxWALSenders = max(c.MaxWALSenders, other.MaxWALSenders)
	c.MaxPreparedTransactions = max(c.MaxPreparedTransactions, other.MaxPreparedTransactions)
	c.MaxLocksPerTransaction = max(c.MaxLocksPerTransaction, other.MaxLocksPerTransaction)
	return c
}

func (c Control) raise(parameters []parameter) Control {
	for _, p := range parameters {
		n, _ := strconv.Atoi(p.value) // six digits
		switch p.name {
		case "max_connections":
			c.MaxConnections = max(c.MaxConnections, n)
		case "max_worker_processes":
			c.MaxWorkerProcesses = max(c.MaxWorkerProcesses, n)
		case "max_wal_senders":
			c.MaxWALSenders = max(c.MaxWALSenders, n)
		case "max_prepared_transactions":
			c.MaxPreparedTransactions = max(c.MaxPreparedTransactions, n)
		case "max_locks_per_transaction":
			c.MaxLocksPerTransaction = max(c.MaxLocksPerTransaction, n)
		}
	}
	return c
}

// configure writes the copy's settings. What ALTER SYSTEM of the source had set is kept for people, and not used.
func (c *Copy) configure(e *pitr.Engine, plan Plan, control Control) error {
	p := c.place()
	auto := filepath.Join(p.data(), "postgresql.auto.conf")
	if sources := filepath.Join(p.dir, "source-auto.conf"); !exists(sources) {
		if err := os.Rename(auto, sources); err != nil && !os.IsNotExist(err) {
			return fmt.Errorf("pitr: put the source's settings aside: %w", err)
		}
	}
	settings := serverSettings(p, c.ID, control, plan.Libraries)
	settings = append(settings, recoverySettings(plan.Stop, plan.Timeline, c.restoreCommand(e))...)
	for _, file := range []struct{ path, text string }{
		{auto, ""},
		{p.config(), text(settings)},
		{p.hba(), hbaText},
		{p.ident(), ""},
		{filepath.Join(p.data(), "recovery.signal"), ""},
	} {
		if err := writeOwned(e, file.path, file.text); err != nil {
			return err
		}
	}
	// Of a source that was a standby itself.
	_ = os.Remove(filepath.Join(p.data(), "standby.signal"))
	return nil
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// restoreCommand is what the server runs for each segment. The server expands %f and %p, and hands it to a shell.
func (c *Copy) restoreCommand(e *pitr.Engine) string {
	words := slices.Clone(e.FetchCommand(c.order()))
	for i, word := range words {
		words[i] = "'" + strings.ReplaceAll(strings.ReplaceAll(word, "%", "%%"), "'", `'\''`) + "'"
	}
	return strings.Join(words, " ") + ` %f "%p"`
}

// replay starts the server and waits until it has stopped at its target. again are settings that were too small; the
// server is then ended.
func (c *Copy) replay(ctx context.Context, e *pitr.Engine, o Order) (again []parameter, err error) {
	_ = os.Remove(c.place().log())
	ended, err := c.startServer(e)
	if err != nil {
		return nil, err
	}
	o.tell("replaying WAL to %s", o.Target)
	told := time.Now()
	for {
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-ended:
			if again = c.raised(); len(again) > 0 {
				return again, nil
			}
			return nil, c.errEnded()
		case <-time.After(100 * time.Millisecond):
		}
		if again = c.raised(); len(again) > 0 {
			c.stopServer()
			return again, nil
		}
		seen, err := c.See(ctx)
		if err != nil || !seen.Running {
			continue // it is starting: consistency comes before the first session
		}
		if o.Watch != nil {
			o.Watch(seen)
		}
		if line := c.stopped(); seen.Paused && line != "" {
			c.Reached.LSN = seen.LSN
			c.Reached.Commit = seen.Commit
			c.Reached.Log = line
			c.Phase = Ready
			if err := c.save(); err != nil {
				return nil, err
			}
			return nil, c.freeLocked(ctx, o)
		}
		if time.Since(told) > 30*time.Second {
			told = time.Now()
			o.tell("replayed to %s, %s", seen.LSN, serverTime(seen.Commit))
		}
	}
}

// remove ends whatever works on a copy and takes all of it away, the record last.
func (c *Copy) remove() error {
	c.stopServer()
	p := c.place()
	err := errors.Join(os.RemoveAll(p.data()), os.RemoveAll(p.tablespaces()))
	if c.Data != c.dir {
		err = errors.Join(err, os.RemoveAll(c.Data))
	}
	if err == nil {
		err = os.RemoveAll(c.dir)
	}
	if err != nil {
		return fault.New(fault.NotPermitted, "pitr: remove copy "+c.ID,
			"Run it as root or as the owner of the server's files, where "+c.Data+" may be written to.", err)
	}
	return nil
}
