// Package lab boots a real systemd in seconds, as root, without a container engine: the machine's
// own root file system (or that of a newer Debian, see System) copy-on-write under an overlay, and
// systemd-nspawn with a private network.
// journald, D-Bus, logind, polkit and Debian's own PostgreSQL service run in it as they would on
// a database host. It is for tests and for `make demo`.
//
// Rules: nothing of the machine's own state starts in a lab (units, clusters, fstab), and nothing
// a lab writes reaches the machine. A lab ends with Shutdown and leaves no process, mount,
// directory or cgroup; what a killed owner left is removed by the next Boot. Labs run side by
// side: each has its own directory, cgroup, machine ID and network.
package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"
)

// Options of a lab. The zero value is a host named db1 with an empty PostgreSQL cluster.
type Options struct {
	Hostname     string // default "db1"
	NoPostgreSQL bool   // leave the cluster out: a second less
	System       System // default: the machine's own
}

// Lab is a booted machine. Its methods may be called from several goroutines.
type Lab struct {
	name   string // unique on this machine
	dir    string // everything of the lab on the real disk
	lock   *os.File
	groups []string // cgroup directories
	mounts []string // in the order they were made

	options Options // what it was booted with

	nspawn *exec.Cmd
	exited chan struct{} // closed when nspawn has been waited for
	leader int           // the lab's PID 1, as the machine counts

	shutdown    sync.Once
	shutdownErr error
}

// Boot starts a lab and returns when it is ready: systemd has finished starting, D-Bus answers
// and, unless left out, PostgreSQL accepts connections. ctx bounds the boot (and the making of the
// system's root), not the lab's life. It needs root and systemd-nspawn.
func Boot(ctx context.Context, options Options) (*Lab, error) {
	if os.Geteuid() != 0 {
		return nil, errors.New("lab: boot: only root can mount and unshare")
	}
	if _, err := exec.LookPath("systemd-nspawn"); err != nil {
		return nil, fmt.Errorf("lab: boot: %w (Debian package systemd-container)", err)
	}
	if options.Hostname == "" {
		options.Hostname = "db1"
	}
	system, err := options.System.Root(ctx)
	if err != nil {
		return nil, err
	}
	base, err := baseDir()
	if err != nil {
		return nil, err
	}
	if err := removeLeftovers(base); err != nil {
		return nil, err
	}
	l, err := claim(base)
	if err != nil {
		return nil, err
	}
	l.options = options
	if err := l.start(ctx, system, options); err != nil {
		return nil, errors.Join(fmt.Errorf("lab: boot %s: %w", l.name, err), l.consoleTail(), l.Shutdown())
	}
	return l, nil
}

func (l *Lab) start(ctx context.Context, system string, options Options) error {
	if err := l.buildTree(system, options.Hostname); err != nil {
		return err
	}
	if err := l.makeGroups(); err != nil {
		return err
	}
	if err := l.spawn(options.System); err != nil {
		return err
	}
	if err := l.findLeader(ctx); err != nil {
		return err
	}
	if err := l.waitSystem(ctx); err != nil {
		return err
	}
	if options.NoPostgreSQL {
		return nil
	}
	return l.createCluster(ctx)
}

// Name is the lab's machine name, unique on this machine.
func (l *Lab) Name() string { return l.name }

// Root is the lab's root directory as the machine sees it. /run, /tmp and /dev of the running lab
// are file systems of its own and do not show below it.
func (l *Lab) Root() string { return filepath.Join(l.dir, "root") }

// poll calls done every 100 ms until it returns nil, ctx ends or the lab dies; its last error is
// part of the answer.
func (l *Lab) poll(ctx context.Context, what string, done func() error) error {
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for {
		err := done()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w: %w", what, ctx.Err(), err)
		case <-l.exited:
			return fmt.Errorf("wait for %s: the lab ended: %w", what, err)
		case <-ticker.C:
		}
	}
}
