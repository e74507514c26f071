package restore

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup/room"
	"codeberg.org/pgbtui/pgbtui/internal/backup/stored"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
	"codeberg.org/pgbtui/pgbtui/internal/postgres/scratch"
)

// Where a drill takes place: in a server of its own, or in a fresh database of a server that the
// configuration names. Nothing that exists there is ever changed.

// scene is the server of a drill. The zero value is a named server, which is not ours to end.
type scene struct{ private privateServer }

// privateServer is a server of the drill's own: a process of this one, or a unit.
type privateServer interface {
	Ended() <-chan struct{}
	Err() error // why it ended by itself
	Close()
}

// dying is how long a private server may take to end after one of its processes was killed.
const dying = 10 * time.Second

// blame says what an error of a drill is worth: when the private server ended by itself, every
// other complaint is a consequence, and says nothing of the set.
func (s scene) blame(err error) error {
	if s.private == nil || err == nil {
		return err
	}
	if fault.CodeOf(err) == fault.Unavailable {
		select {
		case <-s.private.Ended():
		case <-time.After(dying):
		}
	}
	if died := s.private.Err(); died != nil {
		return fmt.Errorf("drill: %w", died)
	}
	return err
}

// open finds the programs and makes room for the copy.
func (d *drilling) open(ctx context.Context) (scene, error) {
	if s := d.job.Drill.Server; !s.Private() {
		d.target.at = config.Postgres{Host: s.Host, Port: s.Port, User: s.User, BinDir: d.target.at.BinDir}
		d.doesNotProve("that the roles are in the set's globals: a named server has its own")
		return scene{}, nil
	}
	tools, err := stored.Tools(ctx, d.target.at.BinDir, d.source.set, postgres.FindServer)
	if err != nil {
		return scene{}, notHere(err)
	}
	stop := d.meter.KeepAlive()
	defer stop()
	if d.drill.Unit != "" {
		return d.openUnit(ctx, tools)
	}
	return d.openProcess(ctx, tools)
}

// openUnit has the server in a unit of its own, which can reach nothing.
func (d *drilling) openUnit(ctx context.Context, tools postgres.Tools) (_ scene, err error) {
	server, err := scratch.Dial(ctx, d.drill.Unit)
	if err != nil {
		return scene{}, err
	}
	d.drill.Dir = server.Dir
	ours := d.source.keptDir
	d.env.Disks = func(path string) (room.Disk, error) { // its disks are not ours to see
		if path == ours {
			return room.Disks(nil).Of(path)
		}
		free, size := server.Room()
		return room.Disk{Free: free, Size: size}, nil
	}
	if err = d.env.Disks.Demand("drill", server.Dir, d.roomBytes(), d.drill.remedySpace()); err != nil {
		err = notHere(err)
	} else {
		err = server.Start(ctx, tools, d.needsOfStart(ctx))
	}
	if err != nil {
		server.Close()
		return scene{}, err
	}
	d.lacks(server.Lacks)
	d.inPrivate(config.Postgres{Host: server.Host, Port: server.Port, User: server.User, BinDir: tools.Dir})
	return scene{server}, nil
}

// openProcess has the server run as another user than this one, or as this one where that is wanted: what
// the set's owners wrote then has this user's rights.
func (d *drilling) openProcess(ctx context.Context, tools postgres.Tools) (scene, error) {
	if err := d.trusted(os.Geteuid()); err != nil {
		return scene{}, err
	}
	if err := d.env.Disks.Demand("drill", d.dir(), d.roomBytes(), d.drill.remedySpace()); err != nil {
		return scene{}, notHere(err)
	}
	server, err := scratch.Start(ctx,
		scratch.Options{Tools: tools, Dir: d.dir(), SocketDir: d.drill.SocketDir, Needs: d.needsOfStart(ctx)})
	if err != nil {
		return scene{}, err
	}
	d.lacks(server.Lacks)
	d.inPrivate(config.Postgres{Host: server.Host, Port: server.Port, User: server.User, BinDir: tools.Dir})
	return scene{server}, nil
}

// trusted refuses a user who has something to lose. For root the server runs as somebody who has not.
func (d *drilling) trusted(uid int) error {
	if uid == 0 || d.drill.Unconfined {
		return nil
	}
	return fault.New(fault.Refused, "drill: what the owners of the database wrote would run with the rights of this user",
		"Start the unit, whose server can reach nothing, with `systemctl start postgres-drill@"+d.source.set.ID+
			"`. Or, if you trust everybody who "+
			"could create a table there, add --unconfined.", nil)
}

// inPrivate makes a private server the one that is restored into. Whoever wrote what it runs may have
// taken it over by then, so it is offered nothing to log in with.
func (d *drilling) inPrivate(at config.Postgres) {
	d.facts.Private, d.target.noSecrets = true, true
	d.target.at = at
}

// dir is where a private server's files go.
func (d *drilling) dir() string {
	if d.drill.Dir != "" {
		return d.drill.Dir
	}
	return room.SpoolDir(d.job.SpoolDir)
}

// notHere refuses what this host cannot drill at all: no try at another time can mend that, a person can.
func notHere(err error) error {
	if code := fault.CodeOf(err); code != fault.Refused && code != fault.NoSpace {
		return err
	}
	remedy := strings.TrimSuffix(fault.Remedy(err), ".")
	return fault.New(fault.Refused, "drill: this host cannot drill", remedy+". "+remedyNotHere, err)
}

// remedyNotHere is for whoever cannot or will not mend it.
const remedyNotHere = "Or name a server that drills may use (drill.server), or leave them to another host " +
	"or to people (drill.by: hand): `sudo pgbtui units install --enable JOB` then switches its timer off."

// remedySpace says how the server gets another disk.
func (r DrillRequest) remedySpace() string {
	if r.Unit != "" {
		return remedyUnitSpace
	}
	return remedyDrillSpace
}

const remedyUnitSpace = "Free space, or give the drill's server a larger disk by a drop-in of " + scratch.ServerUnit +
	" (TMPDIR= and BindPaths=, docs/verification.md#drills)."

const remedyDrillSpace = "Free space, or set spool_dir to a larger disk; the unit needs ReadWritePaths= for it."

// clusterBytes is an empty cluster with its write-ahead log at its largest.
const clusterBytes = 256 << 20

// roomBytes is what the copy may need. The source's size has its bloat, which makes up for what a
// load needs on the way.
func (d *drilling) roomBytes() int64 {
	if m := d.source.set.Manifest; m != nil {
		return max(m.Server.SizeBytes, m.RawBytes()) + clusterBytes
	}
	return 4*d.source.set.StoredSize + clusterBytes // of the old script, compressed
}

// dropTime bounds the removal of a copy from a named server.
const dropTime = 20 * time.Second

// clear removes every trace.
func (d *drilling) clear(ctx context.Context) {
	if d.scene.private != nil {
		d.scene.private.Close()
		return
	}
	if !d.result.created {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), dropTime)
	defer cancel()
	if err := d.drop(ctx, d.req.To); err != nil {
		d.warn(fmt.Sprintf("database %s is left on the drill's server, the next drill tries again: %v", d.req.To, err))
	}
}

func (d *drilling) drop(ctx context.Context, name string) error {
	s, err := postgres.Connect(ctx, d.target.database(maintenance), 0)
	if err != nil {
		return err
	}
	defer func() { _ = s.Close(ctx) }()
	return s.DropOwn(ctx, name)
}

// drillPrefix begins the names of a drill's databases.
const drillPrefix = "pgbtui_drill_"

var drillDatabase = regexp.MustCompile(`^` + drillPrefix + `\d{8}t\d{6}z_[0-9a-f]{6}$`)

// claim holds the name of the copy on a named server for as long as this session lives, and drops
// the copies of drills that were killed: those whose names nobody holds.
func (d *drilling) claim(ctx context.Context) error {
	if lock, _, err := d.target.server.TryLock(ctx, d.req.To); err != nil || lock == nil {
		return fault.New(fault.Temporary, "drill: the name "+d.req.To+" is taken", "Try again.", err)
	}
	names, err := d.target.server.Databases(ctx)
	if err != nil {
		return err
	}
	for _, name := range names {
		if name == d.req.To || !drillDatabase.MatchString(name) {
			continue
		}
		lock, _, err := d.target.server.TryLock(ctx, name)
		if err != nil || lock == nil {
			continue // it lives
		}
		if len(lock.Rivals) > 0 { // it lives too, behind a stranger's lock
			_ = lock.Release(ctx)
			continue
		}
		if err := d.target.server.DropOwn(ctx, name); err != nil {
			d.warn(fmt.Sprintf("database %s of an earlier drill is left: %v", name, err))
		}
		_ = lock.Release(ctx)
	}
	return nil
}
