package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/dump"
	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

// TestMain lets this binary be a child that makes one backup, or replaces one database, and is
// killed in the middle, and
// asserts after all tests that no run, verification or restore left a goroutine.
func TestMain(m *testing.M) {
	if order := os.Getenv("BACKUP_TEST_CHILD"); order != "" {
		os.Exit(child(order))
	}
	goleak.VerifyTestMain(m)
}

// childOrder is what the child needs to know.
type childOrder struct {
	Job   config.Job
	Store s3.Options

	Replace string            // the set that replaces the job's database; "" for a backup
	DieAt   postgres.SwapStep // where the child kills itself
}

func child(order string) int {
	var o childOrder
	if err := json.Unmarshal([]byte(order), &o); err != nil {
		fmt.Println(err)
		return int(fault.Usage)
	}
	ctx := context.Background()
	bucket, err := s3.Open(ctx, o.Store)
	if err == nil && o.Replace != "" {
		return replacingChild(ctx, o, bucket)
	}
	if err == nil {
		_, err = dump.Run(ctx, o.Job, backup.Env{
			Bucket: bucket, Log: slog.New(slog.NewTextHandler(os.Stdout, nil)), Now: time.Now,
			Host: "testhost", Tool: "pgbtui test", Trigger: "timer",
		}, dump.RunOptions{ID: backup.NewID(time.Now())})
	}
	return int(fault.CodeOf(err))
}

func replacingChild(ctx context.Context, o childOrder, bucket *s3.Bucket) int {
	env := backup.Env{Bucket: bucket, Log: slog.New(slog.NewTextHandler(os.Stdout, nil)), Now: time.Now, Host: "testhost"}
	env.SwapStep = func(at postgres.SwapStep) {
		if at == o.DieAt {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {} // until it arrives
		}
	}
	set, err := backup.NewCatalogue(bucket, o.Job).Find(ctx, backup.Scope{}, o.Replace)
	if err == nil {
		_, err = restore.Run(ctx, o.Job, env, set, restore.Request{Replace: o.Job.Database, Confirm: o.Job.Database, Terminate: true}, nil)
	}
	return int(fault.CodeOf(err))
}
