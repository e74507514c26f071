package restore

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres/archive"
)

// drillOf is a drill that has not begun.
func drillOf(req DrillRequest) *drilling {
	set := &backup.Set{ID: "20261122T020000Z-1a2b3c", Kind: backup.KindNative, Database: "d", Manifest: &backup.Manifest{}}
	return newDrilling(config.Job{Database: "d"}, backup.Env{Log: slog.New(slog.DiscardHandler), Now: time.Now}, set, req, nil)
}

func TestADrillOutsideOfAUnitIsRefusedUnlessTheSetIsTrusted(t *testing.T) {
	for _, c := range []struct {
		uid        int
		unconfined bool
		want       fault.Code
	}{{uid: 0, want: fault.OK}, {uid: 1000, want: fault.Refused}, {uid: 1000, unconfined: true, want: fault.OK}} {
		d := drillOf(DrillRequest{Unconfined: c.unconfined})
		err := d.trusted(c.uid)
		if fault.CodeOf(err) != c.want || err != nil && !strings.Contains(fault.Remedy(err), "systemctl start postgres-drill@"+d.source.set.ID) {
			t.Errorf("%+v: %v, remedy %q", c, err, fault.Remedy(err))
		}
	}
}

// deadServer has ended by itself.
type deadServer struct{}

func (deadServer) Ended() <-chan struct{} { return nil }
func (deadServer) Err() error             { return fault.New(fault.Failed, "killed", "", nil) }
func (deadServer) Close()                 {}

func TestAServerThatWasKilledIsToldWithTheLargestRow(t *testing.T) {
	d := drillOf(DrillRequest{})
	d.source.contents = &backup.Contents{Archive: &archive.Archive{
		Entries: []archive.Entry{{DumpID: 1, Desc: "TABLE DATA", Namespace: "public", Tag: "t"}},
		Data:    []archive.Data{{DumpID: 1, LargestRow: 900 << 20}},
	}}
	d.scene = scene{deadServer{}}
	err := d.nameRow(fault.New(fault.Failed, "drill: the private server", "raise MemoryMax=", nil))
	if err == nil || !strings.Contains(err.Error(), "the largest row of the set, in public.t, has 900 MiB") || !strings.Contains(fault.Remedy(err), "MemoryMax=") {
		t.Errorf("%v, remedy %q", err, fault.Remedy(err))
	}
}
