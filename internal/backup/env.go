package backup

import (
	"context"
	"log/slog"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup/room"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

// Env is the world around a run: where things are stored, who is told, who runs.
type Env struct {
	Bucket   *s3.Bucket
	Log      *slog.Logger
	Progress func(Progress) // about once a second while a run goes on; may be nil
	Now      func() time.Time

	Host         string
	Tool         string // "pgbtui 0.1.0"
	InvocationID string // systemd's, "" by hand
	Trigger      string // "timer", "operator", "cli"

	StateDir string // where this host remembers its last set; "" nowhere
	CacheDir string // where documents are kept that were read; "" nowhere

	ThawWait  ThawWait                // keeps a restore that waits for a thaw across restarts of the host; may be nil
	ThawEvery time.Duration           // between two looks at a set that is thawed; 0 is the default; shorter in tests
	LeaseTerm time.Duration           // 0 is the default; shorter in tests
	SwapStep  func(postgres.SwapStep) // told in tests

	Disks room.Disks // nil asks the kernel; another answer in tests
}

// ThawWait remembers that a restore waits for a thaw.
type ThawWait interface {
	// Begin notes the wait, and returns when it ends: the first one's end, if a restart of the host came between.
	Begin(now time.Time, most time.Duration) (until time.Time, err error)
	// Over notes that it is over. After an error nothing may be restored.
	Over() error
}

// Stamp is now as documents record it: to the millisecond, so that of two sets or proofs of one
// second the later one is known.
func (e Env) Stamp() time.Time { return e.Now().UTC().Truncate(time.Millisecond) }

// cleanupTime bounds each thing that is still done after a run was cancelled: aborting the upload,
// removing its objects, giving up the locks. The three, and the 5 s that pg_dump has to end, stay
// below the 30 s within which a terminated run must be gone.
const cleanupTime = 8 * time.Second

// Afterwards is a context for cleaning up: it outlives the run's cancellation, with a bound.
func Afterwards(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), cleanupTime)
}

// CauseOf prefers why the context ended over the error that the end produced.
func CauseOf(ctx context.Context, err error) error {
	if err == nil || ctx.Err() == nil {
		return err
	}
	return context.Cause(ctx)
}

// WaitFor connects, and says at once and every half minute what it waits for: a run that is silent for minutes looks
// like one that hangs.
func WaitFor(ctx context.Context, log *slog.Logger, to postgres.Target, most time.Duration) (*postgres.Server, error) {
	until := time.Now().Add(most).Format(time.TimeOnly)
	return postgres.ConnectTelling(ctx, to, postgres.Waiting{Most: most, Tell: func(why error) {
		log.InfoContext(ctx, "waiting for PostgreSQL, at most until "+until+": "+why.Error(),
			slog.String("remedy", fault.Remedy(why)))
	}})
}
