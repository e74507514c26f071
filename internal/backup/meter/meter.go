// Package meter says how far a run is, times its stages, and ends one in which nothing moves.
package meter

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
)

// Meter watches a run: which stage, how many bytes, how long since the last one. It tells
// Env.Progress every second and ends the run's context when nothing moves for too long.
//
// Its parts do the counting (counter), timing (stages), smoothing (rate) and judging (stillness).
type Meter struct {
	Action, database string
	stallAfter       time.Duration
	tell             func(backup.Progress)

	count  counter
	worked atomic.Int64 // looks that found the server at work; life too, but no byte

	mu     sync.Mutex // of all that follows
	stages stages
	total  int64
	table  func() (string, int64) // what is being copied, and its rows so far
	beside func() int64           // further movement: bytes on their way to the store
	limit  string                 // of what is sent in this stage
	doing  string                 // what the server works on while no byte moves
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

func noTable() (string, int64) { return "", 0 }

// Enter ends the current stage and starts the next. total is the expected raw bytes, or 0.
func (m *Meter) Enter(stage backup.Stage, total int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.stages.enter(stage)
	m.total = total
	m.table = noTable
	m.limit = ""
	m.count.restart()
}

// Limited says what the rest of the stage may send at most, "" without a limit.
func (m *Meter) Limited(to string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.limit = to
}

// Stages is what the stages took, up to now.
func (m *Meter) Stages() []backup.StageTime {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.stages.list()
}

// KeepAlive counts as movement while a step works where no bytes can be seen (an index build, an
// ANALYZE); the step's own program or session failing is what ends it then.
func (m *Meter) KeepAlive() (stop func()) {
	quit := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		everySecond(quit, func(time.Time) bool {
			m.count.pulse()
			return true
		})
	}()
	return func() { close(quit); <-done }
}

// everySecond calls until somebody quits, or the function does not want to be called again.
func everySecond(quit <-chan struct{}, call func(now time.Time) (again bool)) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-quit:
			return
		case now := <-tick.C:
			if !call(now) {
				return
			}
		}
	}
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
	return m.count.moved.Load() + beside()
}

// Write counts and keeps nothing: a meter can stand in an io.MultiWriter or TeeReader.
func (m *Meter) Write(p []byte) (int, error) {
	m.count.add(len(p))
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
	var rate rate
	begin := time.Now()
	still := stillness{moved: m.movement(), worked: m.worked.Load(), movedAt: begin, aliveAt: begin}
	everySecond(ctx.Done(), func(now time.Time) bool {
		still.see(now, m.movement(), m.worked.Load())
		p := m.progress()
		p.Idle = now.Sub(still.movedAt)
		p.Quiet = now.Sub(still.aliveAt)
		p.Rate = rate.next(now, p.Stage, p.Bytes)
		m.tell(p)
		if m.stallAfter > 0 && p.Quiet >= m.stallAfter {
			cancel(stalled(p, m.stallAfter))
			return false
		}
		return true
	})
}

// progress is where the run is, without what only the watching knows.
func (m *Meter) progress() backup.Progress {
	m.mu.Lock()
	defer m.mu.Unlock()
	table, _ := m.table()
	return backup.Progress{
		Action: m.Action, Database: m.database, Stage: m.stages.current, Bytes: m.count.bytes.Load(), Total: m.total,
		Limit: m.limit, Table: table, Doing: m.doing,
	}
}
