package s3

import (
	"sync"
	"time"
)

// A limit on what is sent. It is held where bytes leave, so that it counts what is sent again, and TLS; all connections
// of a bucket share it, and each takes its turn for a little at once: none starves, so the store sees bytes on all of
// them. What is received is not limited: a restore is never made slower.

const (
	// turnBytes is what a connection sends at one turn.
	turnBytes = 16 << 10
	// freeBytes is up to how much is sent without waiting for a turn, and counted: requests that have no body, such as
	// those of a lease, and the end of one.
	freeBytes = 4 << 10
	// catchUp is how much of a pause may be made up for, so that a host that wakes us late does not lower the limit.
	catchUp = 50 * time.Millisecond
)

// limiter shares a rate among connections. nil is no limit.
type limiter struct {
	bytesPerSecond int64

	mu   sync.Mutex
	free time.Time // when all that was given out is sent
}

func newLimiter(bytesPerSecond int64) *limiter {
	if bytesPerSecond <= 0 {
		return nil
	}
	return &limiter{bytesPerSecond: bytesPerSecond}
}

// take gives out n bytes, and says how long from now on they have to wait for their turn.
func (l *limiter) take(n int, now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if earliest := now.Add(-catchUp); l.free.Before(earliest) {
		l.free = earliest
	}
	turn := l.free
	seconds := float64(n) / float64(l.bytesPerSecond)
	l.free = turn.Add(time.Duration(seconds * float64(time.Second)))
	return turn.Sub(now)
}
