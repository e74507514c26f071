package postgres

import (
	"context"
	"errors"
	"io"
	"os/exec"
	"strconv"
	"testing"
	"time"
)

func TestManySmallWritesAreReadInFewPieces(t *testing.T) {
	const writes, writeBytes = 5000, 4096
	p := startProgram(t, t.Context(), "dd", "if=/dev/zero", "bs="+strconv.Itoa(writeBytes), "count="+strconv.Itoa(writes))
	if p.pause == 0 {
		t.Skip("SKIPPED: the kernel grants this user no pipe of 1 MiB (/proc/sys/fs/pipe-user-pages-soft)")
	}
	reads, total := 0, 0
	for b := make([]byte, 256<<10); ; reads++ {
		n, err := p.Read(b)
		total += n
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Wait(); err != nil {
		t.Fatal(err)
	}
	if total != writes*writeBytes {
		t.Errorf("read %d of %d bytes", total, writes*writeBytes)
	}
	if reads > writes/10 {
		t.Errorf("%d writes took %d reads", writes, reads)
	}
}

func TestAReadThatWaitsEndsWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	p := startProgram(t, ctx, "sleep", "600")
	ended := make(chan error, 1)
	go func() {
		_, err := p.Read(make([]byte, 1))
		ended <- err
	}()
	time.AfterFunc(50*time.Millisecond, cancel)
	if err := <-ended; !errors.Is(err, io.EOF) {
		t.Errorf("read = %v", err)
	}
	if err := p.Wait(); err == nil {
		t.Error("a cancelled program counts as ended well")
	}
}

func startProgram(t *testing.T, ctx context.Context, name string, args ...string) *Process {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatal(err)
	}
	p, err := start(ctx, command{path: path, args: args})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}
