package journal

import (
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/test/need"
)

// record is one entry to be written, without its addresses.
type record map[string]string

// epoch is the time of a test journal's first entry; entry n is n seconds later.
var epoch = time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)

const (
	bootID     = "11111111111111111111111111111111"
	invocation = "22222222222222222222222222222222"
)

// from is an entry that journald saw come from a unit.
func from(unit, message string, more ...string) record {
	return with(record{"_SYSTEMD_UNIT": unit, "_PID": "4711", "PRIORITY": "6", "MESSAGE": message}, more)
}

// about is an entry that systemd wrote about a unit.
func about(unit, message string, more ...string) record {
	return with(record{"_SYSTEMD_UNIT": "init.scope", "UNIT": unit, "_PID": "1", "PRIORITY": "6", "MESSAGE": message}, more)
}

func with(r record, more []string) record {
	for _, m := range more {
		name, value, _ := strings.Cut(m, "=")
		r[name] = value
	}
	return r
}

// writer appends to a real journal file, through systemd-journal-remote.
type writer struct {
	dir   string
	stdin io.WriteCloser
	cmd   *exec.Cmd
	n     int
}

func newWriter(t testing.TB) *writer {
	t.Helper()
	program := need.Program(t, "/lib/systemd/systemd-journal-remote")
	w := &writer{dir: t.TempDir()}
	w.cmd = exec.Command(program, "--output="+filepath.Join(w.dir, "system.journal"), "-")
	var err error
	if w.stdin, err = w.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := w.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.close(t) })
	return w
}

func (w *writer) append(t testing.TB, records ...record) {
	t.Helper()
	var b strings.Builder
	for _, r := range records {
		at := epoch.Add(time.Duration(w.n) * time.Second)
		w.n++
		fmt.Fprintf(&b, "__REALTIME_TIMESTAMP=%d\n__MONOTONIC_TIMESTAMP=%d\n_BOOT_ID=%s\n", at.UnixMicro(), w.n, bootID)
		fields := make([]field, 0, len(r))
		for name, value := range r {
			fields = append(fields, field{name, value})
		}
		sort.Slice(fields, func(i, j int) bool { return fields[i].name < fields[j].name })
		b.Write(encode(fields))
		b.WriteByte('\n')
	}
	if _, err := io.WriteString(w.stdin, b.String()); err != nil {
		t.Fatal(err)
	}
}

func (w *writer) close(t testing.TB) {
	t.Helper()
	if w.cmd == nil {
		return
	}
	w.stdin.Close()
	if err := w.cmd.Wait(); err != nil {
		t.Errorf("systemd-journal-remote: %v", err)
	}
	w.cmd = nil
}

// journalOf is a directory with a finished journal file of records.
func journalOf(t testing.TB, records ...record) (dir string) {
	t.Helper()
	w := newWriter(t)
	w.append(t, records...)
	w.close(t)
	return w.dir
}

// openDir opens the journal in dir, "" for this machine's, until the test ends.
func openDir(t *testing.T, dir string) *Reader {
	t.Helper()
	r, err := Open(t.Context(), Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

func messages(entries []Entry) []string {
	out := []string{}
	for _, e := range entries {
		out = append(out, e.Message)
	}
	return out
}
