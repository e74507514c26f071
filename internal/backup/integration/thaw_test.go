package integration

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/backup/thaw"
	"codeberg.org/pgbtui/pgbtui/internal/backup/verify"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// archived is a world with one set whose dump lies in an archive class.
func archived(t *testing.T, class string) (*world, *backup.Set) {
	t.Helper()
	pg, database := small.in(t)
	w := newWorldOn(t, pg, database)
	options := w.options(t, w.store.AccessKey, w.store.SecretKey)
	options.StorageClass = class
	b, err := s3.Open(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	w.env.Bucket = b
	w.env.ThawEvery = 50 * time.Millisecond
	return w, w.find(t, w.run(t).Manifest.ID)
}

func (w *world) thaws() int { return len(w.store.Requests(s3server.OpRestoreObject)) }

func TestARestoreThawsWaitsAndGoesOn(t *testing.T) {
	for _, class := range []string{"GLACIER", "DEEP_ARCHIVE"} {
		t.Run(class, func(t *testing.T) {
			w, set := archived(t, class)
			w.store.ThawAfter(time.Second)
			to := w.job.Instance + "_thawed"
			w.job.StallAfter = 500 * time.Millisecond // waiting is no stall
			done, err := restore.Run(t.Context(), w.job, w.env, set, restore.Request{To: to, Thaw: "bulk"}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if !done.Compared || done.Stages[1].Stage != backup.StageThaw || done.Stages[1].Seconds < 0.5 || w.thaws() != 1 {
				t.Errorf("%+v, %d thaws", done, w.thaws())
			}
			st, err := thaw.Of(t.Context(), w.env.Bucket, set)
			if err != nil || st.State != backup.Thawed || time.Until(st.Until) < 6*24*time.Hour {
				t.Errorf("%+v, %v", st, err)
			}
		})
	}
}

// What cannot work is told before anybody pays.
func TestARestoreThatIsRefusedThawsNothing(t *testing.T) {
	w, set := archived(t, "GLACIER")
	_, err := restore.Run(t.Context(), w.job, w.env, set, restore.Request{To: "postgres", Thaw: "standard"}, nil)
	wantCode(t, err, fault.Refused)
	_, err = restore.Run(t.Context(), w.job, w.env, set, restore.Request{To: "x", Thaw: "soon"}, nil)
	wantCode(t, err, fault.Usage)
	deep, deepSet := archived(t, "DEEP_ARCHIVE")
	_, err = restore.Run(t.Context(), deep.job, deep.env, deepSet, restore.Request{To: "x", Thaw: "expedited"}, nil)
	wantCode(t, err, fault.Refused)
	if _, err := verify.Whole(t.Context(), w.job, w.env, set, nil); !errors.Is(err, s3.ErrArchived) {
		t.Errorf("%v", err)
	}
	if n := w.thaws() + deep.thaws(); n != 0 {
		t.Errorf("%d thaws", n)
	}
	if again := w.find(t, set.ID); len(again.Proofs) != 0 || !again.Good() {
		t.Errorf("an archived set is held to be damaged: %+v", again.Proofs)
	}
}

func TestAWaitThatEndedIsTakenUpWithoutPayingTwice(t *testing.T) {
	w, set := archived(t, "GLACIER")
	w.store.ThawAfter(time.Hour)
	to := w.job.Instance + "_thawed"
	ctx, cancel := context.WithCancel(t.Context())
	w.env.Progress = func(p backup.Progress) {
		if p.Stage == backup.StageThaw {
			cancel()
		}
	}
	_, err := restore.Run(ctx, w.job, w.env, set, restore.Request{To: to, Thaw: "standard"}, nil)
	wantCode(t, err, fault.Terminated)
	if exists := w.pg.QueryInt(t, "postgres", "SELECT count(*) FROM pg_database WHERE datname = '"+to+"'"); exists != 0 {
		t.Error("the database was made before the set was there")
	}
	w.env.Progress = nil
	// The store is done meanwhile: only the first request was paid.
	w.store.ThawAfter(0)
	w.onRequest(func(op s3server.Op, _ string) *s3server.Fault {
		if op == s3server.OpRestoreObject {
			return &s3server.Fault{Kind: s3server.Answer, Status: 409, Code: "RestoreAlreadyInProgress"}
		}
		return nil
	})
	wait := thaw.Wait{Every: 20 * time.Millisecond, Most: 100 * time.Millisecond}
	err = wait.For(t.Context(), w.env.Bucket, set)
	if fault.CodeOf(err) != fault.Temporary || !errors.Is(err, thaw.ErrNotThere) {
		t.Errorf("a wait without an end: %v", err)
	}
	st, err := thaw.Begin(t.Context(), w.env.Bucket, set, s3.TierStandard, 7)
	if err != nil || st.State != backup.Thawing || w.thaws() != 1 {
		t.Errorf("%+v, %v, %d requests", st, err, w.thaws())
	}
}

func TestAWaitEndsWhenNobodyThawsAndOutlivesTheStore(t *testing.T) {
	w, set := archived(t, "GLACIER")
	wait := thaw.Wait{Every: 20 * time.Millisecond, Most: time.Minute}
	if err := wait.For(t.Context(), w.env.Bucket, set); fault.CodeOf(err) != fault.Refused || !strings.Contains(fault.Remedy(err), "pgbtui thaw "+set.ID) {
		t.Errorf("%v", err)
	}
	w.store.ThawAfter(300 * time.Millisecond)
	if _, err := thaw.Begin(t.Context(), w.env.Bucket, set, s3.TierBulk, 1); err != nil {
		t.Fatal(err)
	}
	w.store.Inject(s3server.Rule{Op: s3server.OpHeadObject, Times: 12, Fault: s3server.Fault{Kind: s3server.Answer, Status: 503, Code: "SlowDown"}})
	if err := wait.For(t.Context(), w.env.Bucket, set); err != nil {
		t.Errorf("%v", err)
	}
}

func TestAnObjectInAnArchiveTierOfIntelligentTieringIsThawedToo(t *testing.T) {
	w, set := archived(t, "INTELLIGENT_TIERING")
	sets := []backup.Set{*set}
	thaw.Look(t.Context(), w.env.Bucket, sets)
	if sets[0].Archive.State != "" {
		t.Errorf("%+v", sets[0].Archive)
	}
	if err := w.store.Freeze(w.store.Bucket, set.Dir+backup.DumpName, "ARCHIVE_ACCESS"); err != nil {
		t.Fatal(err)
	}
	thaw.Look(t.Context(), w.env.Bucket, sets)
	if sets[0].Archive.State != backup.Archived {
		t.Fatalf("%+v", sets[0].Archive)
	}
	chosen := verify.Select(sets, verify.Wish{Unproven: true})
	if len(chosen.Sets) != 0 || len(chosen.LeftOut) != 0 || len(chosen.Archived) != 1 {
		t.Errorf("%+v", chosen)
	}
	st, err := thaw.Begin(t.Context(), w.env.Bucket, set, s3.TierStandard, 7)
	if err != nil || st.State != "" {
		t.Fatalf("%+v, %v", st, err)
	}
	if _, err := verify.Whole(t.Context(), w.job, w.env, set, nil); err != nil {
		t.Errorf("%v", err)
	}
}

// A rule that moves everything takes the manifest too: the set is named, and comes back.
func TestASetWhoseManifestIsArchivedIsThawedWhole(t *testing.T) {
	w, set := archived(t, "GLACIER")
	body, _, err := w.env.Bucket.GetSmall(t.Context(), set.Dir+backup.ManifestName, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.env.Bucket.Put(t.Context(), set.Dir+backup.ManifestName, body, s3.PutOptions{Class: "DEEP_ARCHIVE"}); err != nil {
		t.Fatal(err)
	}
	hidden := w.find(t, set.ID)
	if hidden.Good() {
		t.Fatal("its manifest can be read")
	}
	if _, err := thaw.Begin(t.Context(), w.env.Bucket, hidden, s3.TierStandard, 7); err != nil || w.thaws() != 2 {
		t.Errorf("%v, %d thaws", err, w.thaws())
	}
	if again := w.find(t, set.ID); !again.Good() {
		t.Errorf("%s", again.Problem)
	}
}

func TestADrillOfAnArchivedSetIsRefusedThawsNothingAndProvesNothing(t *testing.T) {
	w, set := archived(t, "GLACIER")
	w.named(t)
	w.provesNothing(t, set, fault.Refused, "pgbtui thaw")
	if w.thaws() != 0 {
		t.Error("a drill thawed")
	}
}

// Whoever may write to the bucket can put archived objects into a folder. Nobody pays for them.
func TestOnlyWhatASetConsistsOfIsThawed(t *testing.T) {
	w, set := archived(t, "GLACIER")
	for _, name := range []string{"dump.pgc.zst.2", "proofs/20260101T000000Z-00000a-verify.json", "zzz", "holds/x"} {
		if _, err := w.env.Bucket.Put(t.Context(), set.Dir+name, []byte("x"), s3.PutOptions{Class: "DEEP_ARCHIVE"}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := thaw.Begin(t.Context(), w.env.Bucket, set, s3.TierBulk, 1); err != nil || w.thaws() != 1 {
		t.Errorf("%v, %d thaws", err, w.thaws())
	}
}

func TestAListingAsksForTheNewestArchivedSetsOnly(t *testing.T) {
	w, set := archived(t, "GLACIER")
	sets := make([]backup.Set, 600)
	for i := range sets {
		sets[i] = *set
	}
	thaw.Look(t.Context(), w.env.Bucket, sets)
	if sets[0].Archive.State != backup.Archived || sets[499].Archive.State != backup.Archived || sets[500].Archive.State != backup.ArchiveUnknown {
		t.Errorf("%v %v %v", sets[0].Archive, sets[499].Archive, sets[500].Archive)
	}
}
