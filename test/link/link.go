// Package link is a TCP proxy for tests and benchmarks that is as slow as a network far away: what passes arrives half
// a round trip later, and each connection has a rate of its own.
//
// It loses nothing and breaks nothing: test/badwire does. It knows no protocol, so it stands before a store as well as
// before a PostgreSQL server.
package link

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"
)

// Options say how slow a link is. Zero values are as fast as the machine.
type Options struct {
	RTT            time.Duration // until an answer can arrive, and until a connection stands
	BytesPerSecond int64         // of each connection, in each direction
}

// Link is one proxy. Close it when done.
type Link struct {
	listener         net.Listener
	network, address string // of what lies behind it
	options          Options

	ctx    context.Context // of all connections
	cancel context.CancelFunc
	group  sync.WaitGroup
}

// Open makes a link from a free port of 127.0.0.1 to an address, such as "tcp" and "127.0.0.1:5432", or "unix" and the
// path of a socket.
func Open(network, address string, o Options) (*Link, error) {
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	l := &Link{listener: listener, network: network, address: address, options: o}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	l.group.Go(l.accept)
	return l, nil
}

// Start is Open until the test's end.
func Start(t testing.TB, network, address string, o Options) *Link {
	t.Helper()
	l, err := Open(network, address, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

// Addr is HOST:PORT of the near end.
func (l *Link) Addr() string { return l.listener.Addr().String() }

// Close ends all connections and waits for that.
func (l *Link) Close() {
	l.cancel()
	_ = l.listener.Close()
	l.group.Wait()
}

func (l *Link) accept() {
	for {
		near, err := l.listener.Accept()
		if err != nil {
			return
		}
		l.group.Go(func() { l.join(near) })
	}
}

// join carries both directions of one connection until both have ended.
func (l *Link) join(near net.Conn) {
	defer func() { _ = near.Close() }()
	if !wait(l.ctx, time.Now().Add(l.options.RTT)) {
		return
	}
	far, err := new(net.Dialer).DialContext(l.ctx, l.network, l.address)
	if err != nil {
		return
	}
	defer func() { _ = far.Close() }()
	stop := context.AfterFunc(l.ctx, func() {
		_ = near.Close()
		_ = far.Close()
	})
	defer stop()
	var ways sync.WaitGroup
	ways.Go(func() { l.options.carry(l.ctx, far, near) })
	ways.Go(func() { l.options.carry(l.ctx, near, far) })
	ways.Wait()
}
