package integration

import (
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/backup/verify"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
	"codeberg.org/pgbtui/pgbtui/test/badwire"
)

// overWire moves the world's program behind a proxy that breaks on order.
func (w *world) overWire(t *testing.T) *badwire.Proxy {
	t.Helper()
	wire := badwire.Start(t, strings.TrimPrefix(w.store.Endpoint, "http://"))
	o := w.options(t, w.store.AccessKey, w.store.SecretKey)
	o.Endpoint, o.IdleTimeout = "http://"+wire.Addr(), 500*time.Millisecond
	b, err := s3.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	w.env.Bucket = b
	return wire
}

func TestARestoreOverAWireThatBreaksAtHalfIsWholeAllTheSame(t *testing.T) {
	w, set := smallSet.world(t)
	wire := w.overWire(t)
	half := badwire.Fault{Way: badwire.Down, After: set.Manifest.Dump.SizeBytes / 2, Times: 1}
	for _, half.Kind = range []badwire.Kind{badwire.Reset, badwire.Close, badwire.HalfClose, badwire.Stall} {
		wire.Break(half)
		to := "wire_" + strings.ReplaceAll(string(half.Kind), "-", "_")
		restored, err := restore.Run(t.Context(), w.job, w.env, set, restore.Request{To: to}, nil)
		if err != nil || !restored.Compared || wire.Struck() != 1 {
			t.Errorf("%s: %+v, %v, struck %d times", half.Kind, restored, err, wire.Struck())
		}
	}
}

func TestARestoreOverAWireThatAlwaysBreaksNamesWhatItLeaves(t *testing.T) {
	w, set := smallSet.world(t)
	wire := w.overWire(t)
	wire.Break(badwire.Fault{Kind: badwire.Reset, Way: badwire.Down, After: 20_000})
	_, err := restore.Run(t.Context(), w.job, w.env, set, restore.Request{To: "wire_never"}, nil)
	wantCode(t, err, fault.Unavailable)
	if text := err.Error() + fault.Remedy(err); w.exists(t, "wire_never") && !strings.Contains(text, "wire_never") {
		t.Errorf("the unfinished database is not named: %s", text)
	}
	wire.Mend()
	if failure := w.find(t, set.ID).LastFailure(); failure != nil {
		t.Errorf("a broken wire was recorded against the set: %+v", failure)
	}
}

func TestABackupOverAWireThatBreaksIsWhole(t *testing.T) {
	pg, small := smallDatabase(t)
	for _, way := range []badwire.Way{badwire.Up, badwire.Down} {
		w := newWorldOn(t, pg, small)
		wire := w.overWire(t)
		// Each time a new connection has carried so much: in a part, in an answer.
		wire.Break(badwire.Fault{Kind: badwire.Reset, Way: way, After: map[badwire.Way]int64{badwire.Up: partBytes / 2, badwire.Down: 1500}[way], Times: 4})
		set := w.find(t, w.run(t).Manifest.ID)
		if wire.Struck() == 0 {
			t.Error("nothing was broken")
		}
		wire.Mend()
		if _, err := verify.Whole(t.Context(), w.job, w.env, set, nil); err != nil {
			t.Error(err)
		}
		w.recovers(t) // the answer with an upload's id may have been the one that broke
	}
}
