package badwire

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"
)

// pause is between the bytes of a trickle.
const pause = 5 * time.Millisecond

// Proxy stands between clients and one server, until the test's end.
type Proxy struct {
	listener net.Listener
	target   string
	orders   orders
	ended    chan struct{}
	group    sync.WaitGroup

	mu    sync.Mutex
	lines map[*line]struct{}
	count int
}

// Start listens on a free port of 127.0.0.1 for connections to target, a HOST:PORT.
func Start(t testing.TB, target string) *Proxy {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{listener: listener, target: target, ended: make(chan struct{}), lines: map[*line]struct{}{}}
	p.group.Go(p.serve)
	t.Cleanup(p.close)
	return p
}

// Addr is where clients connect, HOST:PORT.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Break puts a fault in force, instead of any other. Connections that are open end, so that its bytes are
// counted from the first one of a connection.
func (p *Proxy) Break(f Fault) {
	p.orders.set(&f)
	p.hangUp()
}

// Mend ends the fault, and the connections that it has in its grip.
func (p *Proxy) Mend() {
	p.orders.set(nil)
	p.hangUp()
}

// Struck is how many connections have met the fault that is in force.
func (p *Proxy) Struck() int {
	p.orders.mu.Lock()
	defer p.orders.mu.Unlock()
	return p.orders.struck
}

// Connections is how many there were.
func (p *Proxy) Connections() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.count
}

func (p *Proxy) close() {
	close(p.ended)
	_ = p.listener.Close()
	p.hangUp()
	p.group.Wait()
}

func (p *Proxy) hangUp() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.lines {
		l.end()
	}
}

func (p *Proxy) serve() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return // closed
		}
		server, err := new(net.Dialer).DialContext(context.Background(), "tcp", p.target)
		if err != nil {
			_ = client.Close()
			continue
		}
		l := &line{client: client.(*net.TCPConn), server: server.(*net.TCPConn), orders: &p.orders, over: make(chan struct{})}
		if !p.add(l) {
			return
		}
		p.group.Go(func() {
			l.carry()
			p.mu.Lock()
			defer p.mu.Unlock()
			delete(p.lines, l)
		})
	}
}

// add is false when the proxy has ended meanwhile.
func (p *Proxy) add(l *line) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.ended:
		l.end()
		return false
	default:
	}
	p.lines[l] = struct{}{}
	p.count++
	return true
}
