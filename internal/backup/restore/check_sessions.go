package restore

import (
	"context"
	"fmt"
	"runtime"

	"github.com/dustin/go-humanize"
)

// How many sessions a restore uses where nobody said it: as many as the target has cores to spare, so that a real
// restore and a drill take the same time, and one where more would gain nothing or are in somebody's way.

const (
	maxSessions = 8         // of those that nobody asked for
	paysFrom    = 256 << 20 // raw bytes; below, programs start for longer than they save
	spareKept   = 3         // sessions that stay free, beside those of the restore itself
)

// situation is what the number of sessions is decided by.
type situation struct {
	local    bool // this host's cores are the target's
	cores    int
	busy     int // sessions that work in the target
	free     int // sessions that the target would let this role have
	rawBytes int64
	inParts  bool // the dump can be read in parts; else parallel sessions need it on disk
}

// sessions is how many, and why.
func (s situation) sessions() (n int, why string) {
	switch {
	case !s.inParts:
		return 1, "this set has no index, so more would need its raw dump on disk"
	case !s.local:
		return 1, "how many cores the target has is not known, since it is not on this host"
	case s.cores < 2:
		return 1, "the target has one core"
	case s.rawBytes < paysFrom:
		return 1, "for " + humanize.IBytes(uint64(max(0, s.rawBytes))) + " more are not worth it"
	}
	cores := fmt.Sprintf("the target has %d cores", s.cores)
	n = min(s.cores, maxSessions)
	if s.busy > 0 {
		cores += fmt.Sprintf(", and %d other sessions work there now", s.busy)
		n = min(n, s.cores-s.busy)
	}
	if room := s.free - spareKept; room < n {
		n, cores = room, fmt.Sprintf("the target lets this role have %d more sessions", s.free)
	}
	return max(1, n), cores
}

// checkSessions decides, unless somebody said how many.
func (r *restoring) checkSessions(ctx context.Context) ([]Check, error) {
	if r.req.Partial() || r.failing {
		return nil, nil
	}
	spare, err := r.target.server.Spare(ctx)
	if err != nil {
		return nil, err
	}
	if r.req.Jobs > 0 {
		return r.checkAsked(spare.Sessions), nil
	}
	now := situation{
		local: r.target.place.Local, cores: runtime.GOMAXPROCS(0), busy: spare.Busy, free: spare.Sessions,
		rawBytes: r.source.rawBytes(), inParts: r.headless(),
	}
	n, why := now.sessions()
	r.req.Jobs = n
	r.sessions.chosen = true
	return []Check{passes("sessions", fmt.Sprintf("%s: %s", counted(n), why))}, nil
}

func counted(n int) string {
	if n == 1 {
		return "one"
	}
	return fmt.Sprint(n)
}

// checkAsked tells of more sessions than there may be.
func (r *restoring) checkAsked(free int) []Check {
	if r.req.Jobs > 1 && r.req.Jobs >= free {
		return []Check{warns("sessions",
			fmt.Sprintf("%d are asked for, and the target lets this role have %d more now", r.req.Jobs, free),
			"Use fewer with --jobs, or leave it out.")}
	}
	return []Check{passes("sessions", counted(r.req.Jobs)+", as asked for")}
}
