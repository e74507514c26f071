package chaos

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"codeberg.org/pgbtui/pgbtui/test/pgtest"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// Racers is how many runs start at once.
const Racers = 20

const exitHeld = 75

// Race lets runs of one job start at once, and holds the one that got the lock until all others
// have ended: exactly one may commit, the others give way with 75. With two hosts, half of them
// run under another host's name against another server, into the same folder: only the lease is
// between them.
func (l *Lab) Race(ctx context.Context, hosts int) (cell *Cell, err error) {
	cell = &Cell{Name: fmt.Sprintf("%d runs on %d host(s)", Racers, hosts), Next: true}
	w, err := l.newWorld(ctx, worldOptions{})
	if err != nil {
		return cell, err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	if hosts > 1 {
		other, err := l.otherHost(w)
		if err != nil {
			return cell, err
		}
		defer other.Close()
	}
	free := make(chan struct{})
	w.hold(func(op s3server.Op, _ *http.Request) *s3server.Fault {
		if op == s3server.OpCompleteMultipart {
			<-free
		}
		return nil
	})
	codes, err := w.race(ctx, hosts, func() { close(free) })
	if err != nil {
		return cell, err
	}
	if codes[exitOK] != 1 || codes[exitHeld] != Racers-1 {
		cell.violated("exit codes and their number: %v\n%s", codes, w.said())
	}
	left := w.look(ctx, cell)
	if len(left.committed) != 1 || left.uploads > 0 || len(left.unfinished) > 0 || left.leaseHeld {
		cell.violated("%d sets, %d uploads, unfinished %q, lease held %t", len(left.committed), left.uploads, left.unfinished, left.leaseHeld)
	}
	return cell, nil
}

// race starts them all, frees the last one that is left, and counts exit codes.
func (w *World) race(ctx context.Context, hosts int, free func()) (map[int]int, error) {
	var mu sync.Mutex
	codes, ended := map[int]int{}, 0
	var group sync.WaitGroup
	var errs []error
	for i := range Racers {
		p, err := w.startOn(ctx, i%hosts)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		group.Go(func() {
			p.wait()
			mu.Lock()
			defer mu.Unlock()
			codes[p.code()]++
			if ended++; ended == Racers-1 {
				free()
			}
		})
	}
	if len(errs) > 0 {
		free()
	}
	group.Wait()
	return codes, errors.Join(errs...)
}

// otherHost is a second server with a database of the same name, and a configuration for it.
func (l *Lab) otherHost(w *World) (*pgtest.Server, error) {
	other, err := pgtest.Open(pgtest.Options{})
	if err != nil {
		return nil, err
	}
	for database, sql := range map[string]string{"postgres": "CREATE DATABASE " + quote(w.database)} {
		if err := other.TryExec(database, sql); err != nil {
			other.Close()
			return nil, err
		}
	}
	raw, err := os.ReadFile(w.configFile())
	if err == nil {
		err = errors.Join(other.TryExec(w.database, smallData),
			os.WriteFile(w.otherConfig(), []byte(strings.Replace(string(raw), `"port":"`+w.gate.port()+`"`, `"port":"`+other.Port+`"`, 1)), 0o600))
	}
	return other, err
}

func (w *World) otherConfig() string { return filepath.Join(w.dir, "other-host.yaml") }

// startOn is start on this host, 0, or on the other one: another configuration and, for root,
// another name of the machine.
func (w *World) startOn(ctx context.Context, host int) (*process, error) {
	if host == 0 {
		return w.start(ctx)
	}
	p := w.command(ctx, w.lab.program, "--headless", "--config", w.otherConfig())
	if os.Geteuid() == 0 {
		p = w.command(ctx, "/bin/sh", "-c", `echo otherhost >/proc/sys/kernel/hostname && exec "$0" "$@"`, w.lab.program, "--headless", "--config", w.otherConfig())
		p.cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWUTS
	}
	return p, w.run(p)
}

// leaseOver bounds the wait for a lease of three minutes to run out.
const leaseOver = 6 * time.Minute

// Pause stops a run with its work done but the manifest, lets a run on another host wait until the
// lease is over and take its place, and lets the first go on: it must not commit.
func (l *Lab) Pause(ctx context.Context) (cell *Cell, err error) {
	cell = &Cell{Name: "a holder paused beyond its lease", Next: true}
	w, err := l.newWorld(ctx, worldOptions{})
	if err != nil {
		return cell, err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	other, err := l.otherHost(w)
	if err != nil {
		return cell, err
	}
	defer other.Close()
	paused, err := w.start(ctx)
	if err != nil {
		return cell, err
	}
	free := make(chan struct{})
	m := Moment{hold: func(w *World) error {
		w.hold(func(op s3server.Op, _ *http.Request) *s3server.Fault {
			if op == s3server.OpCompleteMultipart {
				<-free
			}
			return nil
		})
		return nil
	}, reached: asked(s3server.OpCompleteMultipart, "")}
	return cell, errors.Join(m.hold(w), w.overtake(ctx, cell, m, paused, free))
}

func (w *World) overtake(ctx context.Context, cell *Cell, m Moment, paused *process, free chan struct{}) error {
	if !m.await(ctx, w, paused) {
		close(free)
		return errors.Join(errors.New("the first run did not come to its upload's end"), paused.kill())
	}
	w.hook.Store(nil)
	if err := paused.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	close(free)
	second, err := w.untilFree(ctx)
	if err != nil {
		return err
	}
	if err := paused.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		return err
	}
	if !paused.within(time.Minute) {
		cell.violated("the paused run does not end")
		return paused.kill()
	}
	if second != exitOK || paused.code() == exitOK || paused.code() == exitWarnings {
		cell.violated("the second ended with %d, the paused one with %d: %s", second, paused.code(), w.said())
	}
	if left := w.look(ctx, cell); len(left.committed) != 1 || left.uploads > 0 {
		cell.violated("%d sets, %d uploads", len(left.committed), left.uploads)
	}
	return nil
}

// untilFree runs on the other host again and again, as a timer would, until it is not refused.
func (w *World) untilFree(ctx context.Context) (code int, err error) {
	for deadline := time.Now().Add(leaseOver); time.Now().Before(deadline) && ctx.Err() == nil; time.Sleep(5 * time.Second) {
		p, err := w.startOn(ctx, 1)
		if err != nil {
			return 0, err
		}
		if p.wait(); p.code() != exitHeld {
			return p.code(), nil
		}
	}
	return exitHeld, ctx.Err()
}
