package lab

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/test/need"
)

const (
	// bootBound is for a loaded machine; a lab is usually up within five seconds.
	bootBound = 2 * time.Minute
	// rootBound is for one that has others to make besides; a root usually takes half a minute.
	rootBound = 25 * time.Minute
)

// Start boots a lab for a test and shuts it down when the test ends, also on SIGINT and SIGTERM.
// Without root or PGBTUI_TEST_ALL=1 the test is skipped, see package need.
func Start(t testing.TB, options Options) *Lab {
	t.Helper()
	need.All(t, "a lab (a real systemd)")
	need.Root(t)
	need.Program(t, "systemd-nspawn", "nsenter", "setpriv")
	if options.System.Suite != "" {
		needRoot(t, options.System)
	}
	ctx, cancel := context.WithTimeout(t.Context(), bootBound)
	defer cancel()
	l, err := Boot(ctx, options)
	if err != nil {
		t.Fatal(err)
	}
	stop := onSignal(func() { _ = l.Shutdown() })
	t.Cleanup(func() {
		stop()
		if err := l.Shutdown(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// needRoot has the system's root made apart from the boot, whose bound would not do.
func needRoot(t testing.TB, system System) {
	t.Helper()
	need.Program(t, "mmdebstrap", "unshare")
	ctx, cancel := context.WithTimeout(t.Context(), rootBound)
	defer cancel()
	if _, err := system.Root(ctx); err != nil {
		t.Fatal(err)
	}
}

// onSignal runs end and then dies of the signal, as the caller's parent expects. The function it
// returns takes the arrangement back and waits for its goroutine.
func onSignal(end func()) (stop func()) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if received, ok := <-signals; ok {
			end()
			signal.Reset(received)
			_ = syscall.Kill(os.Getpid(), received.(syscall.Signal))
			select {} // whoever waits for this goroutine waits for the signal to be delivered
		}
	}()
	return func() {
		signal.Stop(signals)
		close(signals)
		<-done
	}
}
