package scratch

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
)

// errGone is the normal end: the drill is over, or was killed.
var errGone = errors.New("the drill released its server")

// Serve is the unit's side of the connection: one server, from the drill's order until the drill lets go.
// dir and socketDir are where the unit has its data and its sockets. It returns an error when there was no
// server, or it ended by itself; the drill has been told.
func Serve(ctx context.Context, conn net.Conn, dir, socketDir string) error {
	// What the server runs has this process's user: it must not read or change its memory.
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("scratch: serve: %w", err)
	}
	defer func() { _ = conn.Close() }()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stopRead := context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Unix(1, 0)) })
	defer stopRead()
	if err := send(conn, roomOf(dir)); err != nil {
		return fmt.Errorf("scratch: serve: %w", err)
	}
	lines := bufio.NewReaderSize(io.LimitReader(conn, maxLine), maxLine)
	wanted, err := readOrder(lines)
	if err != nil {
		return err
	}
	reader := make(chan struct{})
	go func() { // until the drill closes its side, or dies
		defer close(reader)
		_, _ = io.Copy(io.Discard, conn)
		cancel(errGone)
	}()
	defer func() { _ = conn.SetReadDeadline(time.Unix(1, 0)); <-reader }()
	return serve(ctx, conn,
		Options{
			Tools: postgres.Tools{Dir: wanted.BinDir}, Dir: dir, SocketDir: socketDir, Guarded: true, Needs: wanted.Needs,
		})
}

func readOrder(lines *bufio.Reader) (o order, err error) {
	line, err := lines.ReadBytes('\n')
	switch {
	case errors.Is(err, io.EOF) && len(line) == 0:
		return o, errGone // it saw that there is no room
	case err == nil:
		err = json.Unmarshal(line, &o)
	}
	if err != nil {
		return o, fault.New(fault.Usage, "scratch: read the drill's order", "", err)
	}
	return o, nil
}

func serve(ctx context.Context, conn net.Conn, o Options) error {
	server, err := start(ctx, o)
	if err != nil {
		return told(conn, err)
	}
	defer server.Close()
	if err := send(conn,
		report{Ready: &place{Host: server.Host, Port: server.Port, User: server.User, Lacks: server.Lacks}}); err != nil {
		return fmt.Errorf("scratch: serve: %w", err)
	}
	tick := time.NewTicker(roomEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-server.Ended():
			return told(conn, server.Err())
		case <-tick.C:
			if err := send(conn, roomOf(o.Dir)); err != nil {
				return errGone
			}
		}
	}
}

// start names what a unit lacks that shows the drill's programs to nobody.
func start(ctx context.Context, o Options) (*Server, error) {
	if _, err := os.Stat(filepath.Join(o.Tools.Dir, "postgres")); err != nil {
		return nil, fault.New(fault.Refused, "the drill's server: its unit does not see PostgreSQL's programs",
			"Let it see them: BindReadOnlyPaths="+o.Tools.Dir+" in a drop-in of "+ServerUnit+".", err)
	}
	return Start(ctx, o)
}

func told(conn net.Conn, err error) error {
	_ = send(conn, report{Ended: endOf(err)}) // a drill that is gone need not be told
	return err
}

// Gone reports whether Serve ended because its drill did.
func Gone(err error) bool { return errors.Is(err, errGone) }

// roomOf is what a disk has free, for whom the server runs as.
func roomOf(dir string) report {
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		return report{Dir: dir}
	}
	size := int64(fs.Bsize) //nolint:unconvert // the types differ by system
	return report{Dir: dir, Free: int64(fs.Bavail) * size, Size: int64(fs.Blocks) * size}
}
