// The journal through the program journalctl: one short process for each look, one long one
// that wakes a follower.
//
// Rules: arguments only, no shell; a look is ended by closing its pipe and killing it; cursors
// are passed as inclusive and the cursor's own entry is dropped here, since --after-cursor
// drops an entry too many when the cursor's own does not match.

package journal

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"
)

type journalctl struct {
	dir   string
	waker *waker // nil until the first wait
}

func (j *journalctl) arguments(more ...string) []string {
	args := []string{"--no-pager", "--quiet"}
	if j.dir != "" {
		args = append(args, "--directory="+j.dir)
	}
	return append(args, more...)
}

func (j *journalctl) scan(ctx context.Context, sc scan, visit func(Entry) bool) error {
	args := j.arguments("--output=json", "--all")
	switch {
	case sc.from != "":
		args = append(args, "--cursor="+sc.from)
	case !sc.start.IsZero() && sc.older:
		args = append(args, "--until="+atMicro(sc.start))
	case !sc.start.IsZero():
		args = append(args, "--since="+atMicro(sc.start))
	}
	if sc.older {
		args = append(args, "--reverse")
	}
	for i, alternative := range sc.matches {
		if i > 0 {
			args = append(args, "+")
		}
		args = append(args, alternative...)
	}
	first := true
	return run(ctx, args, func(line []byte) bool {
		e, ok := parseEntry(line)
		if !ok || first && e.Cursor == sc.from {
			first = false
			return true
		}
		first = false
		return visit(e)
	})
}

func atMicro(t time.Time) string {
	return fmt.Sprintf("@%d.%06d", t.Unix(), t.Nanosecond()/1000)
}

func (j *journalctl) unitNames(ctx context.Context) ([]string, error) {
	var names []string
	for _, field := range []string{"_SYSTEMD_UNIT", "UNIT"} {
		err := run(ctx, j.arguments("--field="+field), func(line []byte) bool {
			names = append(names, string(bytes.TrimSuffix(line, []byte("\n"))))
			return true
		})
		if err != nil {
			return nil, err
		}
	}
	return names, nil
}

func (j *journalctl) wait(ctx context.Context) (changed bool, err error) {
	if j.waker == nil {
		// With one old line the waker speaks as soon as it listens: what was written
		// before that is found by the look that this causes.
		j.waker = startWaker(ctx, j.arguments("--follow", "--lines=1", "--output=json", "--output-fields=_BOOT_ID"))
		return true, nil
	}
	select {
	case err, open := <-j.waker.changed:
		if !open {
			return false, errors.New("journal: wait: journalctl ended")
		}
		return err == nil, err
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

func (j *journalctl) close() error {
	if j.waker != nil {
		j.waker.stop()
		j.waker = nil
	}
	return nil
}

// waker runs `journalctl --follow` and says that lines came, not which.
type waker struct {
	changed chan error // nil: something was written; closed at the end
	cancel  context.CancelFunc
}

func startWaker(ctx context.Context, args []string) *waker {
	ctx, cancel := context.WithCancel(ctx)
	w := &waker{changed: make(chan error, 1), cancel: cancel}
	go func() {
		defer close(w.changed)
		err := run(ctx, args, func([]byte) bool {
			select {
			case w.changed <- nil:
			default: // the last change is not yet seen
			}
			return true
		})
		if err != nil && ctx.Err() == nil {
			w.changed <- err
		}
	}()
	return w
}

// stop ends the process and waits for it.
func (w *waker) stop() {
	w.cancel()
	for range w.changed {
	}
}

// A line of journalctl's output beyond maxLine loses its middle, so that it is maxLine bytes
// long; its last lineTail bytes stay.
const (
	maxLine  = 16 << 20
	lineTail = 64 << 10
)

// run starts journalctl and hands out its lines until visit returns false.
func run(ctx context.Context, args []string, visit func(line []byte) bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cmd := exec.CommandContext(ctx, "journalctl", args...)
	cmd.WaitDelay = 5 * time.Second
	var complaint tail
	cmd.Stderr = &complaint
	out, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("journal: start journalctl: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("journal: start journalctl: %w", err)
	}
	stopped, err := eachLine(out, visit)
	if stopped || err != nil {
		cancel()
	}
	waitErr := cmd.Wait()
	switch {
	case stopped:
		return nil
	case context.Cause(ctx) != nil && err == nil:
		return ctx.Err()
	case err != nil:
		return fmt.Errorf("journal: read journalctl: %w", err)
	case waitErr != nil:
		return fmt.Errorf("journal: journalctl: %w: %s", waitErr, strings.TrimSpace(string(complaint)))
	}
	return nil
}

// eachLine reports whether visit ended the reading.
func eachLine(r io.Reader, visit func([]byte) bool) (stopped bool, err error) {
	in := bufio.NewReaderSize(r, lineTail)
	var line []byte
	for {
		part, err := in.ReadSlice('\n')
		if over := len(line) + len(part) - maxLine; over > 0 {
			end := line[len(line)-lineTail:]
			line = append(line[:len(line)-lineTail], end[min(over, lineTail):]...)
		}
		line = append(line, part...)
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if len(line) > 0 && !visit(line) {
			return true, nil
		}
		if errors.Is(err, io.EOF) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		line = line[:0]
	}
}

// tail keeps the last bytes written to it.
type tail []byte

func (t *tail) Write(p []byte) (int, error) {
	const keep = 2 << 10
	*t = append(*t, p...)
	*t = (*t)[max(0, len(*t)-keep):]
	return len(p), nil
}
