package meter

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/backuptest"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// ended is why the runs of these tests end.
var ended = fault.New(fault.Terminated, "terminated", "", nil)

func TestAMeterEndsARunThatStandsStillAndNoOther(t *testing.T) {
	for name, c := range map[string]struct {
		move func(m *Meter, second int)
		ends bool
	}{
		"nothing moves":           {func(*Meter, int) {}, true},
		"a byte now and then":     {func(m *Meter, s int) { m.count.add(b2i(s%9 == 0)) }, false},
		"the store takes bytes":   {func(m *Meter, s int) { m.WatchMoved(func() int64 { return int64(s / 9) }) }, false},
		"one that stops moving":   {func(m *Meter, s int) { m.count.add(b2i(s < 20)) }, true},
		"stages that do not move": {func(m *Meter, s int) { m.Enter(backup.StageCommit, 0) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var book backuptest.Told
				m := New("backup", "d", 10*time.Second, book.Add)
				m.Enter(backup.StageDump, 1000)
				m.WatchTable(func() (string, int64) { return "public.orders", 5 })
				ctx, stop := m.Follow(t.Context())
				defer stop()
				for s := range 60 {
					c.move(m, s)
					time.Sleep(time.Second)
				}
				if (ctx.Err() != nil) != c.ends {
					t.Fatalf("ended: %v", context.Cause(ctx))
				}
				if !c.ends {
					return
				}
				err := backup.CauseOf(ctx, errors.New("a consequence"))
				if !errors.Is(err, ErrStalled) || fault.CodeOf(err) != fault.Unavailable || !strings.Contains(err.Error(), "public.orders") {
					t.Error(err)
				}
			})
		})
	}
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func TestAMeterTellsStageRateAndIdleTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var book backuptest.Told
		m := New("backup", "d", 0, book.Add) // 0: never a stall
		_, stop := m.Follow(t.Context())
		time.Sleep(500 * time.Millisecond) // so that no write and no look fall on the same instant
		m.Enter(backup.StageDump, 1000)
		m.Limited("30 MB/s")
		for range 10 {
			_, _ = m.Write(make([]byte, 50))
			time.Sleep(time.Second)
		}
		synctest.Wait()
		if p := book.Last(); p.Stage != backup.StageDump || p.Bytes != 500 || p.Percent() != 50 || p.Rate < 40 || p.Rate > 60 || p.Idle > time.Second {
			t.Errorf("%+v", p)
		}
		time.Sleep(30 * time.Second)
		synctest.Wait()
		if p := book.Last(); p.Idle < 29*time.Second || !strings.Contains(p.Status(), "no byte for") ||
			!strings.Contains(p.Status(), ", sending at most 30 MB/s, ") {
			t.Errorf("%+v: %s", p, p.Status())
		}
		m.Enter(backup.StageCommit, 0)
		time.Sleep(2 * time.Second)
		stop()
		if p := book.Last(); p.Stage != backup.StageCommit || p.Bytes != 0 || p.Rate != 0 || p.Percent() != -1 ||
			p.Limit != "" {
			t.Errorf("after the change of stage: %+v", p)
		}
		stages := m.Stages()
		if len(stages) != 2 || stages[0].Seconds != 40 || stages[1].Stage != backup.StageCommit || stages[1].Seconds != 2 {
			t.Errorf("stages %+v", stages)
		}
		time.Sleep(time.Second)
		if again := m.Stages(); again[1].Seconds != 3 {
			t.Errorf("asking ended the stage: %+v", again)
		}
	})
}

func TestKeepAliveCountsAsMovementUntilItIsStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := New("restore", "d", 5*time.Second, nil)
		m.Enter(backup.StageFinish, 0)
		ctx, stop := m.Follow(t.Context())
		defer stop()
		end := m.KeepAlive()
		time.Sleep(time.Minute)
		if ctx.Err() != nil {
			t.Fatal("an index build was taken for a stall")
		}
		end()
		time.Sleep(10 * time.Second)
		if ctx.Err() == nil {
			t.Fatal("the stall after it went unnoticed")
		}
	})
}

func TestTheCauseOfACancellationWinsOverItsConsequences(t *testing.T) {
	m := New("backup", "d", time.Hour, nil)
	parent, cancel := context.WithCancelCause(t.Context())
	ctx, stop := m.Follow(parent)
	cancel(ended)
	if err := backup.CauseOf(ctx, errors.New("broken pipe")); fault.CodeOf(err) != fault.Terminated {
		t.Error(err)
	}
	stop()
	if err := backup.CauseOf(t.Context(), ended); err != ended { //nolint:errorlint // the very same
		t.Error(err)
	}
}
