// Package room knows what disks have left, and keeps a reserve free for what else lives on them.
package room

import (
	"context"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"codeberg.org/pgbtui/pgbtui/internal/backup/repeat"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/readable"
)

// Room on disks. The copy of a drill, a spool and a restored database may lie on the disk that a live
// database needs, and a database whose disk is full stops.
//
// Rules: a drill and a spool leave a reserve free, or do not begin; a drill ends when something
// else takes half of the reserve. A restore that would leave less is only told so: whoever restores
// decides what is more urgent.

// Disk is a file system.
type Disk struct {
	ID         unix.Fsid
	Free, Size int64 // bytes
}

// Reserve is what stays free of a disk: a twentieth, but from 1 to 16 GiB.
func (d Disk) Reserve() int64 { return min(max(d.Size/20, 1<<30), 16<<30) }

// Disks tells of the file system of a path. nil asks the kernel; tests give another answer.
type Disks func(path string) (Disk, error)

// Of is the file system that a path is on.
func (of Disks) Of(path string) (Disk, error) {
	if of != nil {
		return of(path)
	}
	var fs unix.Statfs_t
	if err := unix.Statfs(path, &fs); err != nil {
		return Disk{}, err
	}
	block := int64(fs.Bsize) //nolint:unconvert // its type differs by system
	return Disk{ID: fs.Fsid, Free: int64(fs.Bavail) * block, Size: int64(fs.Blocks) * block}, nil
}

// Demand refuses a folder that can't hold what comes and keep its reserve, before hours go into
// filling it.
func (of Disks) Demand(action, dir string, need int64, remedy string) error {
	dir = SpoolDir(dir)
	d, err := of.Of(dir)
	if err != nil {
		return fault.New(fault.Config, action+": look at the folder "+dir, remedy, err)
	}
	if d.Free < need+d.Reserve() {
		return fault.New(fault.NoSpace, fmt.Sprintf(
			"%s: %s has %s free; %s are needed, and %s are kept free for everything else on that disk", action, dir,
			readable.Size(d.Free), readable.Size(need), readable.Size(d.Reserve())), remedy, nil)
	}
	return nil
}

// roomEvery is how often a disk is looked at that is being filled.
const roomEvery = time.Second

// Keep is a context that ends when half of the reserve of dir's disk is gone. stop waits for what
// watches it.
func (of Disks) Keep(ctx context.Context, action, dir, remedy string) (kept context.Context, stop func()) {
	kept, cancel := context.WithCancelCause(ctx)
	end := repeat.Until(kept, roomEvery, func(context.Context) error {
		d, err := of.Of(dir)
		if err != nil || d.Free >= d.Reserve()/2 {
			return nil //nolint:nilerr // the folder itself is not the matter: who writes into it fails with it
		}
		return fault.New(fault.NoSpace, fmt.Sprintf(
			"%s: given up: %s has only %s free, and the reserve is for everything else on that disk", action, dir,
			readable.Size(d.Free)), remedy, nil)
	}, cancel)
	return kept, func() { cancel(nil); end() }
}

// SpoolDir is where large temporary files go.
func SpoolDir(configured string) string {
	if configured == "" {
		return os.TempDir()
	}
	return configured
}
