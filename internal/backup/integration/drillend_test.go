package integration

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// privateServers are the servers whose files lie below dir.
func privateServers(dir string) (pids []int) {
	files, _ := filepath.Glob(dir + "/*/data/postmaster.pid")
	for _, file := range files {
		text, _ := os.ReadFile(file)
		line, _, _ := strings.Cut(string(text), "\n")
		if pid, err := strconv.Atoi(line); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

func TestADrillWhoseServerDiesProvesNothingAndLeavesNothing(t *testing.T) {
	w, set := smallSet.world(t)
	dir := drillFolder(t)
	w.atFirst(s3server.OpGetObject, backup.DumpName, func() *s3server.Fault {
		pids := privateServers(dir)
		if len(pids) != 1 {
			t.Errorf("servers: %v", pids)
		}
		for _, pid := range pids {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		return nil
	})
	_, err := restore.Drill(t.Context(), w.job, w.env, set, restore.DrillRequest{Dir: dir, SocketDir: dir, Unconfined: true}, nil)
	wantCode(t, err, fault.Failed)
	if err == nil || !strings.Contains(err.Error(), "the private server") || len(w.find(t, set.ID).Proofs) > 0 {
		t.Errorf("%v, %+v", err, w.find(t, set.ID).Proofs)
	}
}

func TestATerminatedDrillLeavesNothing(t *testing.T) {
	w, set := smallSet.world(t)
	for name, key := range map[string]string{"while it looks": backup.ContentsName, "while it loads": backup.DumpName} {
		for _, private := range []bool{true, false} {
			if private && key == backup.ContentsName { // the same as below, and slower
				continue
			}
			t.Run(name, func(t *testing.T) {
				dir := drillFolder(t)
				if w.job.Drill.Server = (config.DrillServer{}); !private {
					w.named(t)
				}
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				w.atFirst(s3server.OpGetObject, key, func() *s3server.Fault {
					cancel(terminated)
					return &s3server.Fault{Kind: s3server.StallBody, After: 10_000}
				})
				_, err := restore.Drill(ctx, w.job, w.env, set, restore.DrillRequest{Dir: dir, SocketDir: dir, Unconfined: true}, nil)
				wantCode(t, err, fault.Terminated)
				if n := len(w.find(t, set.ID).Proofs); n > 0 {
					t.Errorf("%d proofs", n)
				}
			})
		}
	}
}
