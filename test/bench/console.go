package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"github.com/creack/pty"

	"codeberg.org/pgbtui/pgbtui/test/proc"
)

// The console on a pty that answers nothing, as a person meets it: how long after the start of the process the first
// whole frame is there, how long after a key the first byte of what it changed, and what a minute costs in which
// nobody does anything. The console's world is a configuration of two jobs, no systemd to ask, and a store that
// nobody is at: what the screens wait for comes later than all of that.

const (
	consoleStarts = 20
	consoleKeys   = 60
	lastOfFrame   = "all keys" // in the last line of every frame
	idleMinute    = time.Minute
)

// consoleFound is what was seen. ran is the process's own CPU until its first frame; waited is how long its threads
// were ready and other processes had the processors.
type consoleFound struct {
	frames, keys []time.Duration
	ran, waited  []time.Duration
	idleBytes    int // in a minute
}

// measureConsole needs no database and no store.
func measureConsole(ctx context.Context, o options) (found *consoleFound, err error) {
	dir, err := os.MkdirTemp(o.dir, "pgbtui-bench-console")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := build(ctx, dir); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "config.yaml"), []byte(consoleConfig), 0o600); err != nil {
		return nil, err
	}
	found = &consoleFound{}
	say("starting the console %d times", consoleStarts)
	for range consoleStarts {
		if err := found.start(ctx, dir); err != nil {
			return nil, err
		}
	}
	say("pressing %d keys, then waiting for a minute", consoleKeys)
	return found, found.use(ctx, dir, o.idle)
}

const consoleConfig = `instance: bench
s3: {bucket: bench, endpoint: "http://127.0.0.1:9", region: us-east-1}
jobs:
  sales: {database: sales}
  shop: {database: shop}
`

// start measures one start until the first whole frame.
func (f *consoleFound) start(ctx context.Context, dir string) error {
	began := time.Now()
	c, err := openConsole(ctx, dir)
	if err != nil {
		return err
	}
	defer c.end()
	at, err := c.wait(func(text []byte) bool { return bytes.Contains(text, []byte(lastOfFrame)) })
	if err != nil {
		return err
	}
	ran, waited := proc.Scheduled(c.cmd.Process.Pid)
	f.frames = append(f.frames, at.Sub(began))
	f.ran, f.waited = append(f.ran, ran), append(f.waited, waited)
	return nil
}

// use presses keys on a console that has settled, and then leaves it alone.
func (f *consoleFound) use(ctx context.Context, dir string, idle time.Duration) error {
	c, err := openConsole(ctx, dir)
	if err != nil {
		return err
	}
	defer c.end()
	if _, err := c.wait(func(text []byte) bool { return bytes.Contains(text, []byte(lastOfFrame)) }); err != nil {
		return err
	}
	time.Sleep(3 * time.Second) // what it asked for at its start has failed
	for i := range consoleKeys {
		time.Sleep(150*time.Millisecond + time.Duration(i%17)*time.Millisecond) // no beat of the renderer's
		before := c.bytes()
		pressed := time.Now()
		if _, err := c.tty.Write([]byte{"25"[i%2]}); err != nil { // two tabs
			return err
		}
		at, err := c.wait(func(text []byte) bool { return len(text) > before })
		if err != nil {
			return err
		}
		f.keys = append(f.keys, at.Sub(pressed))
	}
	if _, err := c.tty.Write([]byte("1")); err != nil {
		return err
	}
	time.Sleep(3 * time.Second)
	before := c.bytes()
	time.Sleep(idle)
	f.idleBytes = c.bytes() - before
	return nil
}

// onPty is a console on a pty, and everything that it wrote.
type onPty struct {
	cmd  *exec.Cmd
	tty  *os.File
	more chan struct{} // something came
	done chan struct{} // nothing comes any more

	mu   sync.Mutex
	text []byte
	last time.Time // when the newest bytes came
}

func openConsole(ctx context.Context, dir string) (*onPty, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(dir, "pgbtui"), "--config", filepath.Join(dir, "config.yaml"))
	cmd.Env = []string{
		"TERM=xterm-256color", "LANG=C.UTF-8", "HOME=" + dir, "PATH=" + os.Getenv("PATH"),
		"AWS_ACCESS_KEY_ID=bench", "AWS_SECRET_ACCESS_KEY=bench-bench", "AWS_MAX_ATTEMPTS=1", "DBUS_SYSTEM_BUS_ADDRESS=unix:path=" + dir + "/none",
	}
	tty, err := pty.StartWithSize(cmd, &pty.Winsize{Cols: 80, Rows: 24})
	if err != nil {
		return nil, err
	}
	c := &onPty{cmd: cmd, tty: tty, more: make(chan struct{}, 1), done: make(chan struct{})}
	go c.read()
	return c, nil
}

func (c *onPty) read() {
	defer close(c.done)
	buf := make([]byte, 64<<10)
	for {
		n, err := c.tty.Read(buf)
		at := time.Now()
		c.mu.Lock()
		c.text, c.last = append(c.text, buf[:n]...), at
		c.mu.Unlock()
		select {
		case c.more <- struct{}{}:
		default:
		}
		if err != nil {
			return
		}
	}
}

func (c *onPty) bytes() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.text)
}

// wait is when what has come was enough.
func (c *onPty) wait(enough func(text []byte) bool) (time.Time, error) {
	give := time.NewTimer(30 * time.Second)
	defer give.Stop()
	for {
		c.mu.Lock()
		ok, at, text := enough(c.text), c.last, c.text
		c.mu.Unlock()
		if ok {
			return at, nil
		}
		select {
		case <-c.more:
		case <-c.done:
			return at, fmt.Errorf("the console ended: %q", text)
		case <-give.C:
			return at, fmt.Errorf("the console does not go on behind %q", text)
		}
	}
}

// end kills it: how it leaves is not what is measured.
func (c *onPty) end() {
	_ = c.cmd.Process.Kill()
	_ = c.cmd.Wait()
	_ = c.tty.Close()
	<-c.done
}
