package scratch

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
)

// Confined is a private server in a unit of its own, from the drill's side.
type Confined struct {
	Dir              string // of its data, as the unit sees it
	Host, Port, User string // once it is started

	Lacks []string // of what was needed, what it could not have

	socket string
	conn   *net.UnixConn
	ready  chan struct{} // closed when Host is known
	ended  chan struct{} // closed when the unit has let go

	mu         sync.Mutex
	free, size int64
	err        error
}

const remedyUnit = "Install the units again with `sudo pgbtui units install`. Then start the drill's unit."

// Dial has systemd start a unit for one server, and learns where its data will lie. Close gives it back.
func Dial(ctx context.Context, socket string) (*Confined, error) {
	what := "scratch: reach the unit of the drill's server"
	if err := guarded(filepath.Dir(socket)); err != nil {
		return nil, fault.New(fault.Config, what, remedyUnit, err)
	}
	dialed, err := (&net.Dialer{}).DialContext(ctx, "unix", socket)
	if err != nil {
		return nil, fault.New(fault.Unavailable, what, remedyUnit, err)
	}
	c := &Confined{socket: socket, conn: dialed.(*net.UnixConn), ready: make(chan struct{}), ended: make(chan struct{})}
	lines := bufio.NewReaderSize(c.conn, maxLine)
	stop := context.AfterFunc(ctx, func() { _ = c.conn.Close() })
	_ = c.conn.SetReadDeadline(time.Now().Add(helloWait))
	hello, err := readReport(lines)
	_ = c.conn.SetReadDeadline(time.Time{})
	if !stop() || err != nil || hello.Dir == "" {
		_ = c.conn.Close()
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, fault.New(fault.Unavailable, what,
			"Find out why it did not start: `journalctl -u 'postgres-drill-server*'`.", err)
	}
	c.Dir = hello.Dir
	c.free = hello.Free
	c.size = hello.Size
	go c.follow(lines)
	return c, nil
}

// guarded refuses a folder that others may pass: the rows of a whole database come to lie behind it.
func guarded(dir string) error {
	info, err := os.Stat(dir)
	switch {
	case err != nil:
		return err
	case info.Mode().Perm()&0o007 != 0:
		return fmt.Errorf("%s is open to every user of this host (mode %04o)", dir, info.Mode().Perm())
	}
	return nil
}

func readReport(lines *bufio.Reader) (r report, err error) {
	line, err := lines.ReadSlice('\n') // longer than the buffer is an error
	if err == nil {
		err = json.Unmarshal(line, &r)
	}
	return r, err
}

// follow reads what the unit says until it says no more. It owns ready and ended.
func (c *Confined) follow(lines *bufio.Reader) {
	defer close(c.ended)
	for {
		r, err := readReport(lines)
		c.mu.Lock()
		switch {
		case c.err != nil: // the first word counts
		case err != nil:
			c.err = fault.New(fault.Failed, "the drill's server: its unit ended without a word",
				"Look for the out-of-memory killer in `journalctl -u 'postgres-drill-server@*'`, and raise MemoryMax= of "+
					ServerUnit+".", err)
		case r.Ended != nil:
			c.err = r.Ended.err()
		case r.Ready != nil && c.Host == "":
			c.take(r.Ready)
		case r.Size > 0:
			c.free, c.size = r.Free, r.Size
		}
		c.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (c *Confined) take(p *place) {
	if err := p.check(c.socket); err != nil {
		c.err = fault.New(fault.Failed, "the drill's server", "", err)
		_ = c.conn.Close()
		return
	}
	c.Host = p.Host
	c.Port = p.Port
	c.User = p.User
	c.Lacks = p.Lacks
	close(c.ready)
}

// Start has the unit make a cluster with the programs of that folder, and waits until it answers.
func (c *Confined) Start(ctx context.Context, tools postgres.Tools, needs Needs) error {
	if err := send(c.conn, order{BinDir: tools.Dir, Needs: needs.bounded()}); err != nil {
		return fault.New(fault.Unavailable, "scratch: order the drill's server", "", err)
	}
	select {
	case <-c.ready:
		return nil
	case <-c.ended:
		return c.Err()
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(2 * startWait):
		return fault.New(fault.Unavailable,
			fmt.Sprintf("scratch: the unit of the drill's server says nothing after %s", 2*startWait), "", nil)
	}
}

// Room is what the disk of the data has free, and its size, as the unit said last.
func (c *Confined) Room() (free, size int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.free, c.size
}

// Ended is closed when the unit has ended.
func (c *Confined) Ended() <-chan struct{} { return c.ended }

// Err is why the server has ended by itself, or nil while it runs.
func (c *Confined) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Close lets go of the unit, and waits until its server and its data are gone.
func (c *Confined) Close() {
	if err := c.conn.CloseWrite(); err == nil || errors.Is(err, net.ErrClosed) {
		select {
		case <-c.ended:
		case <-time.After(goneWait):
		}
	}
	_ = c.conn.Close()
	<-c.ended
}
