package badwire

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// line is one connection through the proxy.
type line struct {
	client, server *net.TCPConn
	orders         *orders
	once           sync.Once
	over           chan struct{}
	stalled        atomic.Bool
}

// errBroken ends a direction of which the line is broken.
var errBroken = errors.New("badwire: broken on order")

// carry copies both ways until both are at their end.
func (l *line) carry() {
	var both sync.WaitGroup
	both.Go(func() { l.copy(Up, l.server, l.client) })
	both.Go(func() { l.copy(Down, l.client, l.server) })
	both.Wait()
	l.end()
}

func (l *line) end() {
	l.once.Do(func() {
		close(l.over)
		_ = l.client.Close()
		_ = l.server.Close()
	})
}

// copy ends a direction in order at its source's end, and the whole line on any error.
func (l *line) copy(way Way, to, from *net.TCPConn) {
	buf := make([]byte, 32<<10)
	var passed int64
	for {
		n, err := from.Read(buf)
		for chunk := buf[:n]; len(chunk) > 0; {
			k := l.upToFault(way, passed, int64(len(chunk)))
			if _, err := to.Write(chunk[:k]); err != nil {
				l.end()
				return
			}
			passed, chunk = passed+k, chunk[k:]
			if len(chunk) == 0 {
				break
			}
			rest, err := l.strike(way, to, chunk)
			if err != nil {
				return
			}
			passed, chunk = passed+int64(len(chunk)-len(rest)), rest
		}
		if err != nil {
			if to.CloseWrite() != nil || l.stalled.Load() { // nothing moves any more: whoever left ends it
				l.end()
			}
			return
		}
	}
}

// upToFault is how many of n bytes may pass before it is the fault's turn.
func (l *line) upToFault(way Way, passed, n int64) int64 {
	after, ordered := l.orders.after(way)
	if !ordered || passed > after {
		return n // a fault strikes a connection once
	}
	return min(n, after-passed)
}

// strike breaks the line before the first byte of chunk. It returns what is left of chunk where the line goes on.
func (l *line) strike(way Way, to *net.TCPConn, chunk []byte) ([]byte, error) {
	f, turn := l.orders.strike(way)
	if !turn {
		return chunk, nil
	}
	switch f.Kind {
	case Reset:
		_ = l.client.SetLinger(0)
		_ = l.server.SetLinger(0)
		l.end()
	case Close:
		l.end()
	case HalfClose:
		_ = to.CloseWrite()
	case Stall:
		l.stalled.Store(true)
		<-l.over
	case Trickle:
		return l.trickle(to, chunk, f.Bytes)
	}
	return nil, errBroken
}

func (l *line) trickle(to *net.TCPConn, chunk []byte, n int) ([]byte, error) {
	n = min(n, len(chunk))
	for i := range n {
		select {
		case <-l.over:
			return nil, errBroken
		case <-time.After(pause):
		}
		if _, err := to.Write(chunk[i : i+1]); err != nil {
			l.end()
			return nil, errBroken
		}
	}
	return chunk[n:], nil
}
