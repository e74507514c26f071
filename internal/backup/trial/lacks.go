package trial

import (
	"context"
	"errors"
	"slices"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/readable"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

// What a store lacks by its nature is found out by `config check`, which says what is lost by it, and is no
// warning of a night: nobody can do anything about it then. Rule: it is tried, since some stores take a
// condition and do not look at it. docs/stores.md lists the stores.

// Lack is something that Amazon S3 does and a store does not.
type Lack struct {
	What   string
	Detail string // what is lost
	Remedy string
}

// lackOfConditions is told whether the store refuses a condition or takes it and does not look.
func lackOfConditions(how string) Lack {
	return Lack{
		What: "conditional writes",
		Detail: "the store " + how + ": two hosts that back up into one folder do not notice each other; two runs on one " +
			"server are still kept apart by PostgreSQL's lock",
		Remedy: "Let one host alone write to each folder: give every host its own `instance`.",
	}
}

// LackOfDeleteConditions is what a store lacks that deletes whatever the condition says.
func LackOfDeleteConditions() Lack {
	return Lack{
		What: "conditional deletes",
		Detail: "the store deletes whatever the condition says: retention looks at each set right before it deletes it, " +
			"and what somebody stores under its name in between goes unseen",
		Remedy: "Turn on the bucket's versioning, which keeps what was deleted, or let one host alone write to each folder.",
	}
}

func lackOfUploads(how string) Lack {
	return Lack{
		What: "list of uploads",
		Detail: "the store " + how + ": what a killed run had uploaded in parts is not found by the next one, " +
			"and is paid for until the store removes it",
		Remedy: "Let a lifecycle rule of the bucket abort uploads that nobody completes within 7 days.",
	}
}

func lackOfChecksums() Lack {
	return Lack{
		What:   "checksums",
		Detail: "the store keeps none: that an object arrived is confirmed by its size alone, until it is read back",
		Remedy: "Keep the timer of verifications on: it reads every set back and compares its SHA-256.",
	}
}

// conditionsHold reports whether a store refuses a write whose condition does not hold, over an object that is
// there. When it refuses conditions themselves, the error says so.
func conditionsHold(ctx context.Context, bucket *s3.Bucket, key string) (bool, error) {
	for _, o := range []s3.PutOptions{
		{IfNoneMatch: true},
		{IfMatch: noETag},
	} {
		_, err := bucket.Put(ctx, key, []byte("a write whose condition does not hold\n"), o)
		switch {
		case err == nil:
			return false, nil
		case !errors.Is(err, s3.ErrExists) && !errors.Is(err, s3.ErrChanged):
			return false, err
		}
	}
	return true, nil
}

// Honour is whether a store minds a condition.
type Honour string

// What came of a trial.
const (
	Untried Honour = "" // nobody here may delete
	Minded  Honour = "minded"
	Ignored Honour = "ignored"
)

// tryDeleteCondition deletes an object on a condition that does not hold. A store that minds it leaves the object
// there; of one that refuses conditions or takes no notice of them the object is gone.
func tryDeleteCondition(ctx context.Context, bucket *s3.Bucket, key string) (Honour, error) {
	err := bucket.DeleteIf(ctx, key, noETag)
	switch {
	case errors.Is(err, s3.ErrChanged):
		return Minded, nil
	case err != nil:
		return Untried, err
	}
	return Ignored, nil
}

// noETag is that of no object.
const noETag = `"00000000000000000000000000000000"`

// tryConditions is for an object that is there.
func (t *Result) tryConditions(ctx context.Context, bucket *s3.Bucket) {
	hold, err := conditionsHold(ctx, bucket, t.Key)
	switch {
	case errors.Is(err, s3.ErrConditionsUnsupported):
		t.Lacks = append(t.Lacks, lackOfConditions("refuses them"))
	case err != nil:
		t.Refused = append(t.Refused, err)
	case !hold:
		t.Lacks = append(t.Lacks, lackOfConditions("accepts them and writes anyway"))
	}
}

// tryChecksum looks whether the store tells the checksum of what it has.
func (t *Result) tryChecksum(ctx context.Context, bucket *s3.Bucket) {
	seen, err := bucket.Head(ctx, t.Key)
	switch {
	case err != nil:
		t.Refused = append(t.Refused, err)
	case seen.CRC64NVME == "":
		t.Lacks = append(t.Lacks, lackOfChecksums())
	}
}

// judgeUploads holds the list of a folder's uploads, which the next run reads after a kill, against the one that
// was open then.
func (t *Result) judgeUploads(listed []s3.OpenUpload, err error, open bool) {
	if errors.Is(err, s3.ErrUploadsUnlisted) {
		t.Lacks = append(t.Lacks, lackOfUploads("has none"))
		return
	}
	if !t.note(CallUploads, err) {
		return
	}
	shown := slices.ContainsFunc(listed, func(u s3.OpenUpload) bool { return u.Key == t.Key })
	if open && !shown {
		t.Lacks = append(t.Lacks, lackOfUploads("lists an upload by its whole key only"))
	}
}

// clockTold is how far this host and the store may disagree before it is told: well before retention stops for it.
const clockTold = 3 * time.Minute

// CheckClock fails when this host and the store disagree.
func CheckClock(ctx context.Context, env backup.Env) error {
	clocks, err := backup.ReadClocks(ctx, env.Bucket, env.Now)
	if err != nil {
		return err
	}
	off := clocks.Host.Sub(clocks.Store)
	if off.Abs() < clockTold {
		return nil
	}
	word := "ahead of"
	if off < 0 {
		word = "behind"
	}
	return fault.New(fault.Refused, "this host's clock is "+readable.Age(off.Abs())+" "+word+
		" the store's: the times of sets are wrong by that, "+
		"and beyond 15 minutes nothing is deleted",
		"Set this host's clock (timedatectl status), or have the store's clock set.",
		nil)
}
