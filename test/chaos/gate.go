package chaos

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
)

// gate is the way to PostgreSQL: a proxy on 127.0.0.1 that can let callers wait, like a server
// that is still starting. It stands where the program connects, so that a run can be held before
// it has any lock.
type gate struct {
	listener net.Listener
	target   string
	waiting  atomic.Int64

	mu    sync.Mutex
	open  chan struct{} // closed: callers pass
	ended chan struct{}
	group sync.WaitGroup
}

func newGate(target string) (*gate, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	g := &gate{listener: l, target: target, open: make(chan struct{}), ended: make(chan struct{})}
	close(g.open)
	g.group.Go(g.serve)
	return g, nil
}

func (g *gate) port() string {
	_, port, _ := net.SplitHostPort(g.listener.Addr().String())
	return port
}

// shut lets later callers wait until free.
func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open = make(chan struct{})
}

func (g *gate) free() {
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-g.open:
	default:
		close(g.open)
	}
}

func (g *gate) serve() {
	for {
		caller, err := g.listener.Accept()
		if err != nil {
			return // closed
		}
		g.group.Go(func() { g.pass(caller) })
	}
}

func (g *gate) pass(caller net.Conn) {
	defer caller.Close()
	g.mu.Lock()
	open := g.open
	g.mu.Unlock()
	g.waiting.Add(1)
	select {
	case <-open:
	case <-g.ended:
		return
	}
	g.waiting.Add(-1)
	server, err := net.Dial("tcp", g.target)
	if err != nil {
		return
	}
	defer server.Close()
	both := make(chan struct{}, 2)
	for _, way := range [][2]net.Conn{{server, caller}, {caller, server}} {
		go func() {
			_, _ = io.Copy(way[0], way[1])
			both <- struct{}{}
		}()
	}
	select { // either side's end is the end: a killed client's session must not live on
	case <-both:
	case <-g.ended:
	}
	_, _ = server.Close(), caller.Close()
	<-both
}

func (g *gate) close() {
	close(g.ended)
	g.listener.Close()
	g.group.Wait()
}
