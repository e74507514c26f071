package restore

import (
	"context"
	"fmt"
	"strings"

	"github.com/dustin/go-humanize"
	"golang.org/x/sys/unix"

	"codeberg.org/pgbtui/pgbtui/internal/backup/room"
	"codeberg.org/pgbtui/pgbtui/internal/backup/stored"
)

// Whether there is room, in the spool and on the target's own disks.

func (r *restoring) checkSpool(context.Context) ([]Check, error) {
	if r.req.Jobs <= 1 || r.failing {
		return nil, nil
	}
	if r.headless() {
		return []Check{passes("spool", "not needed: each session reads its tables from the store")}, nil
	}
	if err := r.env.Disks.Demand("restore", r.job.SpoolDir, r.source.rawBytes(), stored.RemedySpool); err != nil {
		return []Check{failsWith("spool", err)}, nil
	}
	return []Check{passes("spool", "there is room for the raw dump")}, nil
}

// targetDisk is one that tablespaces of the target lie on.
type targetDisk struct {
	room.Disk
	spaces []string
}

// checkSpace holds the size that the database had against what is free where it will lie. How
// much of it goes to which tablespace is not known: where several disks are used, they are
// summed, and the database's own alone only warns.
func (r *restoring) checkSpace(ctx context.Context) ([]Check, error) {
	if r.source.set.Manifest == nil || r.source.set.Manifest.Server.SizeBytes <= 0 ||
		r.source.set.Manifest.RawBytes() <= 0 {
		return []Check{
			warns("space", "not known: the set does not say how large the database was",
				"Check the free space of the server yourself."),
		}, nil
	}
	need := r.needBytes()
	needs := humanize.IBytes(uint64(need)) + " needed"
	own, spaces := r.spaces()
	paths, err := r.target.server.Paths(ctx)
	if err != nil {
		return nil, err
	}
	disks, unknown := r.disks(spaces, paths)
	if unknown != "" {
		return []Check{warns("space", "not known: "+unknown+"; "+needs, "Check the free space of the server yourself.")}, nil
	}
	var free, reserve int64
	var told []string
	tight := false
	for _, d := range disks {
		free += d.Free
		reserve += d.Reserve()
		told = append(told, humanize.IBytes(uint64(d.Free))+" free for "+strings.Join(d.spaces, ", "))
		tight = tight || (d.spaces[0] == own && d.Free < need)
	}
	detail := needs + ", " + strings.Join(told, "; ")
	const remedy = "Free space on the server, or restore into another one."
	switch {
	case free < need:
		return []Check{fails("space", detail, remedy)}, nil
	case free-need < reserve && r.rehearses:
		return []Check{
			fails("space", detail+"; "+humanize.IBytes(uint64(reserve))+" are kept free for everything else there", remedy),
		}, nil
	case free-need < reserve:
		return []Check{
			warns("space", detail+": leaves less than "+humanize.IBytes(uint64(reserve))+" for everything else there", remedy),
		}, nil
	case tight:
		return []Check{warns("space", detail+": enough only if the tablespaces share it well", remedy)}, nil
	}
	return []Check{passes("space", detail)}, nil
}

// needBytes is the size that the database had; of a part, the share that its rows have in the dump.
func (r *restoring) needBytes() int64 {
	m := r.source.set.Manifest
	if r.part == nil {
		return m.Server.SizeBytes
	}
	return int64(float64(m.Server.SizeBytes) * float64(r.partBytes()) / float64(m.RawBytes()))
}

// spaces are the tablespaces that the database will use, its own first.
func (r *restoring) spaces() (own string, all []string) {
	own = "pg_default"
	if s := r.settings(); s != nil && s.Tablespace != "" {
		own = s.Tablespace
	}
	all = []string{own}
	if !r.source.listed() {
		return own, all
	}
	_, named, _ := r.needs()
	for _, name := range sorted(named) {
		if name != own {
			all = append(all, name)
		}
	}
	return own, all
}

// disks looks at the paths, each file system once. unknown says why that can't be done.
func (r *restoring) disks(spaces []string, paths map[string]string) (disks []*targetDisk, unknown string) {
	if !r.target.place.Local {
		return nil, fmt.Sprintf("the server is reached over the network (%s)", r.target.place.Host)
	}
	seen := map[unix.Fsid]*targetDisk{}
	for _, name := range spaces {
		path := paths[name]
		if path == "" {
			return nil, fmt.Sprintf("where tablespace %q lies", name)
		}
		d, err := r.env.Disks.Of(path)
		if err != nil {
			return nil, fmt.Sprintf("%s: %s", path, err)
		}
		if seen[d.ID] == nil {
			seen[d.ID] = &targetDisk{Disk: d}
			disks = append(disks, seen[d.ID])
		}
		seen[d.ID].spaces = append(seen[d.ID].spaces, name)
	}
	return disks, ""
}
