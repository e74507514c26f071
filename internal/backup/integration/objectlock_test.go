package integration

import (
	"crypto/ed25519"
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/dump"
	"codeberg.org/pgbtui/pgbtui/internal/backup/retention"
	"codeberg.org/pgbtui/pgbtui/internal/backup/verify"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// lockedWorld is a job that locks its sets for 30 days, in a bucket that can.
func lockedWorld(t *testing.T, store ...s3server.Option) *world {
	t.Helper()
	pg, small := smallDatabase(t)
	w := newWorldOn(t, pg, small, append([]s3server.Option{s3server.WithObjectLock()}, store...)...)
	w.job.ObjectLock = config.ObjectLock{Mode: "compliance", Days: 30}
	return w
}

func TestALockedSetSaysUntilWhen(t *testing.T) {
	w := lockedWorld(t)
	signer, public := newSigner(t)
	w.job.Signing.PublicKeys = []ed25519.PublicKey{public}
	result, err := dump.Run(t.Context(), w.job, w.env, dump.RunOptions{ID: backup.NewID(w.env.Now()), Signer: signer})
	if err != nil || len(result.Warnings) > 0 {
		t.Fatalf("%+v, %v", result, err)
	}
	set := w.find(t, result.Manifest.ID)
	want := result.Manifest.StartedAt.AddDate(0, 0, 30)
	if late := set.LockedUntil.Sub(want); late < 0 || late > time.Second {
		t.Errorf("locked until %s, want %s", set.LockedUntil, want)
	}
	for _, name := range append(objectKeys(set.Manifest), backup.ManifestName, backup.SignatureName) {
		head, err := w.env.Bucket.Head(t.Context(), set.Dir+name)
		if err != nil || head.LockMode != s3.LockCompliance || !head.RetainUntil.Equal(set.LockedUntil) {
			t.Errorf("%s: %s until %s, %v", name, head.LockMode, head.RetainUntil, err)
		}
	}
	// The lease is renewed all the time: locked, each renewal would stay for a month.
	if head, err := w.env.Bucket.Head(t.Context(), backup.LeaseKey(w.job)); err != nil || !head.RetainUntil.IsZero() {
		t.Errorf("lease: %+v, %v", head, err)
	}
	if _, err := verify.Whole(t.Context(), w.job, w.env, set, nil); err != nil {
		t.Error(err)
	}
}

func objectKeys(m *backup.Manifest) (keys []string) {
	for _, o := range m.Objects() {
		keys = append(keys, o.Key)
	}
	return keys
}

func TestRetentionHidesNoSetBeforeItsLockIsOver(t *testing.T) {
	w := lockedWorld(t)
	w.job.ObjectLock.Mode, w.job.Keep = "governance", config.Keep{Last: 1, MinGood: 1}
	old := w.run(t).Manifest
	w.run(t)
	for day, goes := range map[int]bool{10: false, 29: false, 31: true} {
		sets := w.sets(t)
		plan, err := retention.Decide(sets, retention.Policy{Keep: w.job.Keep, Whose: backup.WhoseOf(w.job)}, time.Now().AddDate(0, 0, day))
		if err != nil || len(plan) != 2 {
			t.Fatalf("%+v, %v", plan, err)
		}
		if d := plan[1]; d.Set.ID != old.ID || d.Delete != goes || !goes && !strings.HasPrefix(d.Reason, "locked by the store until ") {
			t.Errorf("after %d days: %+v", day, d)
		}
	}
}

func TestABucketsDefaultRetentionShowsInTheSet(t *testing.T) {
	pg, small := smallDatabase(t)
	w := newWorldOn(t, pg, small, s3server.WithDefaultRetention("GOVERNANCE", 7))
	set := w.find(t, w.run(t).Manifest.ID)
	if left := time.Until(set.LockedUntil); left < 6*24*time.Hour || left > 8*24*time.Hour || set.Manifest.Dump.LockMode != "governance" {
		t.Errorf("locked until %s (%s)", set.LockedUntil, set.Manifest.Dump.LockMode)
	}
}

func TestABucketThatCannotLockEndsTheRunBeforeItsDump(t *testing.T) {
	for name, denied := range map[string]bool{"asked before": false, "told by the first object": true} {
		t.Run(name, func(t *testing.T) {
			pg, small := smallDatabase(t)
			w := newWorldOn(t, pg, small)
			w.job.ObjectLock = config.ObjectLock{Mode: "governance", Days: 1}
			if denied {
				for _, op := range []s3server.Op{s3server.OpGetBucketVersioning, s3server.OpGetObjectLock} {
					w.store.Inject(s3server.Rule{Op: op, Fault: s3server.Fault{Kind: s3server.Answer, Code: "AccessDenied"}})
				}
			}
			err := w.failed(t, t.Context(), fault.Config)
			if !strings.Contains(fault.Remedy(err), "object lock") {
				t.Errorf("remedy %q for %v", fault.Remedy(err), err)
			}
			if n := len(w.store.Requests(s3server.OpCreateMultipart)); n > 0 {
				t.Error("the dump had begun")
			}
		})
	}
}

func TestNothingIsLockedByAClockThatIsOff(t *testing.T) {
	w := lockedWorld(t)
	w.env.Now = func() time.Time { return time.Now().AddDate(10, 0, 0) }
	w.failed(t, t.Context(), fault.Refused)
}

func TestALockThatTheStoreDoesNotConfirmIsAWarning(t *testing.T) {
	w := lockedWorld(t, s3server.With(func(o *s3server.Options) { o.HideLocks = true }))
	result := w.run(t)
	if len(result.Warnings) != 1 || !strings.Contains(result.Warnings[0], "does not confirm the object lock") {
		t.Errorf("warnings: %q", result.Warnings)
	}
	if set := w.find(t, result.Manifest.ID); !set.LockedUntil.IsZero() {
		t.Errorf("taken for locked until %s", set.LockedUntil)
	}
}

func TestARunThatFailsUnderALockLeavesNothingToSee(t *testing.T) {
	w := lockedWorld(t)
	w.store.Inject(s3server.Rule{Op: s3server.OpCompleteMultipart, Fault: s3server.Fault{Kind: s3server.Answer, Status: 500}})
	w.failed(t, t.Context(), fault.Unavailable)
	hidden, err := backup.Noncurrent(t.Context(), w.env.Bucket, backup.Folder(w.job.S3.Prefix, w.job.Instance, w.job.Database)+"2")
	if err != nil || hidden.Versions != 1 || hidden.Markers == 0 { // its globals
		t.Errorf("%+v, %v", hidden, err)
	}
	w.store.ClearFaults()
	w.run(t)
	if sets := w.sets(t); len(sets) != 1 || !sets[0].Good() {
		t.Errorf("%+v", sets)
	}
}

func TestASetThatWasDeletedFromVersionsIsNoSetAndCounted(t *testing.T) {
	pg, small := smallDatabase(t)
	w := newWorldOn(t, pg, small, s3server.WithVersions())
	gone, kept := w.run(t).Manifest, w.run(t).Manifest
	folder := backup.Folder(w.job.S3.Prefix, w.job.Instance, w.job.Database)
	set := w.find(t, gone.ID)
	objects := len(w.keysOf(t, set))
	stored := int64(0)
	for o, err := range w.env.Bucket.List(t.Context(), set.Dir) {
		if stored += o.Size; err != nil {
			t.Fatal(err)
		}
	}
	plan := &retention.Pruning{Decisions: []retention.Decision{{Set: *set, Delete: true}}}
	if _, err := retention.Apply(t.Context(), w.env.Bucket, w.env.Log, plan, retention.Unconfirmed); err != nil {
		t.Fatal(err)
	}
	if sets := w.sets(t); len(sets) != 1 || sets[0].ID != kept.ID {
		t.Errorf("listed: %+v", sets)
	}
	hidden, err := backup.Noncurrent(t.Context(), w.env.Bucket, set.Dir)
	mark := backup.Hidden{Versions: 1, Bytes: int64(len("{}\n")), Markers: 1} // that the set is being deleted
	if err != nil || hidden != (backup.Hidden{Versions: objects + mark.Versions, Bytes: stored + mark.Bytes, Markers: objects + mark.Markers}) {
		t.Errorf("%+v of %d objects and %d bytes, %v", hidden, objects, stored, err)
	}
	// Renewing a lease leaves a version each time.
	if all, err := backup.Noncurrent(t.Context(), w.env.Bucket, folder); err != nil || all.Versions <= hidden.Versions || all.Markers != hidden.Markers {
		t.Errorf("%+v, %v", all, err)
	}
	w.store.Inject(s3server.Rule{Op: s3server.OpListObjectVersions, Fault: s3server.Fault{Kind: s3server.Answer, Code: "AccessDenied"}})
	_, err = backup.Noncurrent(t.Context(), w.env.Bucket, folder)
	wantCode(t, err, fault.NotPermitted)
}
