// Package meter says how far a run is, times its stages, and ends one in which nothing moves.
package meter

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// Meter watches a run: which stage, how many bytes, how long since the last one. It tells
// Env.Progress every second and ends the run's context when nothing moves for too long.
type Meter struct {
	Action, database string
	stallAfter       time.Duration
	tell             func(backup.Progress)

	mu      sync.Mutex
	table   func() (string, int64) // what is being copied, and its rows so far
	beside  func() int64           // further movement: bytes on their way to the store
	stage   backup.Stage
	started time.Time
	total   int64
	times   []backup.StageTime
	doing   string // what the server works on while no byte moves

	bytes atomic.Int64 // raw bytes of this stage
	moved atomic.Int64 // anything that shows life; only compared

	worked atomic.Int64 // looks that found the server at work; life too, but no byte
}

// New is a meter of an action on a database. tell may be nil; stallAfter 0 never ends a run.
func New(action, database string, stallAfter time.Duration, tell func(backup.Progress)) *Meter {
	if tell == nil {
		tell = func(backup.Progress) {}
	}
	return &Meter{
		Action: action, database: database, stallAfter: stallAfter, tell: tell,
		table: noTable, beside: func() int64 { return 0 },
	}
}

// Enter ends the current stage and starts the next. total is the expected raw bytes, or 0.
func (m *Meter) Enter(stage backup.Stage, total int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.times = m.withCurrent()
	m.stage = stage
	m.started = time.Now()
	m.total = total
	m.table = noTable
	m.bytes.Store(0)
	m.moved.Add(1)
}

// withCurrent is the stages so far, the current one as if it ended now.
func (m *Meter) withCurrent() []backup.StageTime {
	if m.stage == "" {
		return m.times
	}
	return append(m.times[:len(m.times):len(m.times)], backup.StageTime{
		Stage: m.stage, StartedAt: m.started.UTC().Truncate(time.Millisecond),
		Seconds: time.Since(m.started).Round(time.Millisecond).Seconds(),
	})
}

// Stages is what the stages took, up to now.
func (m *Meter) Stages() []backup.StageTime {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.withCurrent()
}

func noTable() (string, int64) { return "", 0 }

// KeepAlive counts as movement while a step works where no bytes can be seen (an index build, an
// ANALYZE); the step's own program or session failing is what ends it then.
func (m *Meter) KeepAlive() (stop func()) {
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-quit:
				return
			case <-tick.C:
				m.moved.Add(1)
			}
		}
	}()
	return func() { close(quit); <-done }
}

// WatchTable says where to ask for the table that is being copied.
func (m *Meter) WatchTable(current func() (table string, rows int64)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.table = current
}

// WatchMoved says where to ask for movement that passes no meter. A slow uplink moves bytes long
// after the last one came from pg_dump.
func (m *Meter) WatchMoved(moved func() int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.beside = moved
}

func (m *Meter) movement() int64 {
	m.mu.Lock()
	beside := m.beside
	m.mu.Unlock()
	return m.moved.Load() + beside()
}

func (m *Meter) add(n int) {
	m.bytes.Add(int64(n))
	m.moved.Add(int64(n))
}

// Write counts and keeps nothing: a meter can stand in an io.MultiWriter or TeeReader.
func (m *Meter) Write(p []byte) (int, error) {
	m.add(len(p))
	return len(p), nil
}

// Follow owns the watching goroutine. The returned context ends with a fault when the run
// stalls; stop ends the watching and waits for it.
func (m *Meter) Follow(parent context.Context) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(parent)
	done := make(chan struct{})
	go func() {
		defer close(done)
		m.watch(ctx, cancel)
	}()
	return ctx, func() { cancel(nil); <-done }
}

func (m *Meter) watch(ctx context.Context, cancel context.CancelCauseFunc) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	var rate rate
	lastMoved, lastTime := m.movement(), time.Now()
	lastWorked, lifeTime := m.worked.Load(), lastTime
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			if moved := m.movement(); moved != lastMoved {
				lastMoved = moved
				lastTime = now
				lifeTime = now
			}
			if worked := m.worked.Load(); worked != lastWorked {
				lastWorked, lifeTime = worked, now
			}
			idle := now.Sub(lastTime)
			p := m.look(idle)
			p.Quiet = now.Sub(lifeTime)
			p.Rate = rate.next(now, p.Stage, p.Bytes)
			m.tell(p)
			if m.stallAfter > 0 && p.Quiet >= m.stallAfter {
				cancel(m.stalled(p))
				return
			}
		}
	}
}

func (m *Meter) look(idle time.Duration) backup.Progress {
	m.mu.Lock()
	defer m.mu.Unlock()
	table, _ := m.table()
	return backup.Progress{
		Action: m.Action, Database: m.database, Stage: m.stage, Bytes: m.bytes.Load(), Total: m.total,
		Table: table, Idle: idle, Doing: m.doing,
	}
}

// ErrStalled is in the chain of the error that ends a stalled run.
var ErrStalled = fault.New(fault.Unavailable, "nothing moved", "", nil)

func (m *Meter) stalled(p backup.Progress) error {
	what := fmt.Sprintf("%s: no byte moved for %s in stage %s", m.Action, m.stallAfter, p.Stage)
	if p.Table != "" {
		what += fmt.Sprintf(", at table %s", p.Table)
	}
	if p.Doing != "" {
		what += ", " + p.Doing
	}
	return fault.New(fault.Unavailable, what,
		"Check the server for locks and load, and the network to the store. Raise stall_after if this is normal.", ErrStalled)
}

// rate smooths bytes per second over some seconds.
type rate struct {
	stage backup.Stage
	at    time.Time
	bytes int64
	value float64
}

func (r *rate) next(now time.Time, stage backup.Stage, bytes int64) float64 {
	if stage != r.stage || bytes < r.bytes {
		*r = rate{stage: stage, at: now, bytes: bytes}
		return 0
	}
	if seconds := now.Sub(r.at).Seconds(); seconds > 0 {
		fresh := float64(bytes-r.bytes) / seconds
		if r.value == 0 {
			r.value = fresh
		}
		r.value += (fresh - r.value) / 4
		r.at, r.bytes = now, bytes
	}
	return r.value
}
