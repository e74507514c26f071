package systemd

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// shorten makes a job's time-out one that a test can wait for.
func shorten(t *testing.T, job string) string {
	t.Helper()
	unit := BackupService(job)
	dropIn := filepath.Join(unitDir, unit+".d", "short.conf")
	text := "[Service]\nTimeoutStartSec=2s\nRestart=no\n"
	if err := errors.Join(os.MkdirAll(filepath.Dir(dropIn), 0o755), os.WriteFile(dropIn, []byte(text), 0o644)); err != nil {
		t.Fatal(err)
	}
	return unit
}

// rootLongRunsLiveWhileTheyMove: one lasts more than three times TimeoutStartSec= and ends well, since
// it moves; the other stops moving at once, and is ended when its extension is over. Both at a time.
func rootLongRunsLiveWhileTheyMove(t *testing.T) {
	bus, ctx := inside(t)
	moving, standing := shorten(t, "moves7then5"), shorten(t, "moves0then5")
	if err := bus.reload(ctx); err != nil {
		t.Fatal(err)
	}
	stalled, err := bus.Start(ctx, standing)
	if err != nil {
		t.Fatal(err)
	}
	u, got := start(ctx, t, bus, moving)
	if got.State != RunOK || u.Service.ExitedAt.Sub(u.Service.StartedAt) < 6*time.Second {
		t.Errorf("the moving run: %+v, from %s to %s", got, u.Service.StartedAt, u.Service.ExitedAt)
	}
	u, got, err = bus.Wait(ctx, stalled, nil)
	if err != nil || got.State != RunFailed || u.Service.Result != "timeout" {
		t.Errorf("the run that stands still: %+v, result %s, %v", got, u.Service.Result, err)
	}
}
