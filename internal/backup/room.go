package backup

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/dustin/go-humanize"
	"golang.org/x/sys/unix"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// Room on disks. The copy of a drill, a spool and a restored database may lie on the disk that a live
// database needs, and a database whose disk is full stops.
//
// Rules: a drill and a spool leave a reserve free, or do not begin; a drill ends when something
// else takes half of the reserve. A restore that would leave less is only told so: whoever restores
// decides what is more urgent.

// disk is a file system.
type disk struct {
	id         unix.Fsid
	free, size int64 // bytes
}

// reserve is what stays free of a disk: a twentieth, but from 1 to 16 GiB.
func (d disk) reserve() int64 { return min(max(d.size/20, 1<<30), 16<<30) }

// disks tells of the file system of a path. nil asks the kernel; tests give another answer.
type disks func(path string) (disk, error)

func (of disks) disk(path string) (disk, error) {
	if of != nil {
		return of(path)
	}
	var fs unix.Statfs_t
	if err := unix.Statfs(path, &fs); err != nil {
		return disk{}, err
	}
	return disk{fs.Fsid, int64(fs.Bavail) * int64(fs.Bsize), int64(fs.Blocks) * int64(fs.Bsize)}, nil //nolint:unconvert // sizes of real disks; the types differ by system
}

// demand refuses a folder that can't hold what comes and keep its reserve, before hours go into
// filling it.
func (of disks) demand(action, dir string, need int64, remedy string) error {
	dir = spoolDir(dir)
	d, err := of.disk(dir)
	if err != nil {
		return fault.New(fault.Config, action+": look at the folder "+dir, remedy, err)
	}
	if d.free < need+d.reserve() {
		return fault.New(fault.NoSpace, fmt.Sprintf("%s: %s has %s free; %s are needed, and %s stay free for what else lives on that disk", action, dir,
			humanize.IBytes(uint64(d.free)), humanize.IBytes(uint64(need)), humanize.IBytes(uint64(d.reserve()))), remedy, nil)
	}
	return nil
}

// roomEvery is how often a disk is looked at that is being filled.
const roomEvery = time.Second

// keep is a context that ends when half of the reserve of dir's disk is gone. stop waits for what
// watches it.
func (of disks) keep(ctx context.Context, action, dir, remedy string) (kept context.Context, stop func()) {
	kept, cancel := context.WithCancelCause(ctx)
	end := watch(kept, roomEvery, func(context.Context) error {
		d, err := of.disk(dir)
		if err != nil || d.free >= d.reserve()/2 {
			return nil //nolint:nilerr // the folder itself is not the matter: who writes into it fails with it
		}
		return fault.New(fault.NoSpace, fmt.Sprintf("%s: given up: %s has only %s free, and the reserve is for what else lives on that disk", action, dir,
			humanize.IBytes(uint64(d.free))), remedy, nil)
	}, cancel)
	return kept, func() { cancel(nil); end() }
}

// spoolDir is where large temporary files go.
func spoolDir(configured string) string {
	if configured == "" {
		return os.TempDir()
	}
	return configured
}
