package integration

import (
	"strings"
	"sync/atomic"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/backup/room"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// roomFor makes every disk one of 100 GiB, of which so much is free.
func (w *world) roomFor(free int64) (now *atomic.Int64) {
	now = &atomic.Int64{}
	now.Store(free)
	w.env.Disks = func(string) (room.Disk, error) { return room.Disk{Free: now.Load(), Size: 100 << 30}, nil }
	return now
}

const reserveOf100GiB = 5 << 30

func TestADrillThatWouldTouchTheReserveDoesNotBegin(t *testing.T) {
	w, set := smallSet.world(t)
	w.store.ForgetRequests()
	need := set.Manifest.Server.SizeBytes + 256<<20 // an empty cluster
	w.roomFor(need + reserveOf100GiB - 1)
	_, err := restore.Drill(t.Context(), w.job, w.env, set, restore.DrillRequest{Dir: drillFolder(t), Unconfined: true}, nil)
	wantCode(t, err, fault.Refused)
	if n := len(w.store.Requests(s3server.OpGetObject)); n != 0 || !strings.Contains(err.Error(), "5.0 GiB are kept free") {
		t.Errorf("%v, %d reads", err, n)
	}
	w.roomFor(need + reserveOf100GiB)
	if _, err := restore.Drill(t.Context(), w.job, w.env, set, restore.DrillRequest{Dir: drillFolder(t), Unconfined: true}, nil); err != nil {
		t.Error(err)
	}
	// A named server may be the live one.
	w.roomFor(set.Manifest.Server.SizeBytes + reserveOf100GiB - 1)
	w.job.Drill.Server = config.DrillServer{Host: w.pg.Host, Port: w.pg.Port, User: w.pg.User}
	_, err = restore.Drill(t.Context(), w.job, w.env, set, restore.DrillRequest{Unconfined: true}, nil)
	wantCode(t, err, fault.Refused)
	if !strings.Contains(err.Error(), "5.0 GiB are kept free") {
		t.Error(err)
	}
}

func TestADrillEndsWhenSomethingElseTakesTheReserve(t *testing.T) {
	w, set := smallSet.world(t)
	free := w.roomFor(50 << 30)
	w.atFirst(s3server.OpGetObject, backup.DumpName, func() *s3server.Fault {
		free.Store(reserveOf100GiB/2 - 1)
		return &s3server.Fault{Kind: s3server.Stall} // without the look at the disk it would hang here
	})
	dir := drillFolder(t)
	_, err := restore.Drill(t.Context(), w.job, w.env, set, restore.DrillRequest{Dir: dir, Unconfined: true}, nil)
	wantCode(t, err, fault.NoSpace)
	if len(privateServers(dir)) != 0 || len(w.find(t, set.ID).Proofs) != 0 {
		t.Errorf("it left a server or evidence: %v", err)
	}
}

func TestARestoreThatWouldTouchTheReserveIsToldSoAndASpoolIsRefused(t *testing.T) {
	w, set := smallSet.world(t)
	req := restore.Request{To: w.job.Instance + "_copy"}
	w.roomFor(set.Manifest.Server.SizeBytes + reserveOf100GiB)
	if c := w.check(t, set, req, "space"); !c.OK || c.Warn {
		t.Errorf("%+v", c)
	}
	w.roomFor(set.Manifest.Server.SizeBytes + reserveOf100GiB - 1)
	if c := w.check(t, set, req, "space"); !c.OK || !c.Warn || !strings.Contains(c.Detail, "leaves less than 5.0 GiB") {
		t.Errorf("%+v", c)
	}
	req.Jobs = 2
	if c := w.check(t, set, req, "spool"); !c.OK || c.Warn {
		t.Errorf("a spool that nobody needs: %+v", c)
	}
	set = w.withoutIndex(t, set)
	w.roomFor(set.Manifest.Dump.RawBytes + reserveOf100GiB - 1)
	if c := w.check(t, set, req, "spool"); c.OK || !strings.Contains(c.Detail, "are kept free") {
		t.Errorf("%+v", c)
	}
}
