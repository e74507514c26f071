package integration

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/backuptest"
	"codeberg.org/pgbtui/pgbtui/internal/backup/retention"
	"codeberg.org/pgbtui/pgbtui/internal/backup/verify"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

func TestOnlySetsThatAreSignedAreCopied(t *testing.T) {
	w, signer := signedWorld(t)
	good := w.runAs(t, signer)
	forged := w.runAs(t, signer)
	set := w.find(t, forged)
	manifest := w.body(t, set.Dir+backup.ManifestName)
	w.put(t, set.Dir+backup.ManifestName, append(manifest, '\n'))
	p := w.copyTo(t, true)
	choice, err := p.Look(t.Context())
	if err != nil || len(choice.LeftOut) != 1 || choice.LeftOut[0].Set.ID != forged {
		t.Fatalf("left out %+v, %v", choice.LeftOut, err)
	}
	if _, err := p.bring(t.Context()); err != nil {
		t.Fatal(err)
	}
	if ids := p.good(t); len(ids) != 1 || ids[0] != good {
		t.Errorf("at the copy %q", ids)
	}
}

func TestACopyKeepsByItsOwnRulesAndTheSameDayTwice(t *testing.T) {
	w := newWorld(t)
	w.job.Keep = config.Keep{Days: 60, MinGood: 1}
	p := w.copyTo(t, false)
	p.At.Keep = config.Keep{Days: 7, Monthly: 2, MinGood: 1}
	for _, age := range []float64{2, 5, 20, 21, 50} {
		m := w.plant(t, backuptest.Ago(age))
		w.prove(t, m.ID, backup.LevelRestored, true, backuptest.Ago(age-0.5))
	}
	first, err := p.bring(t.Context())
	if err != nil || len(first) < 2 || len(first) > 4 {
		t.Fatalf("%d copied, %v", len(first), err)
	}
	atCopy := w.env
	atCopy.Bucket = p.To
	plan, err := retention.Plan(t.Context(), p.At, atCopy, retention.Reach{})
	if err != nil || plan.Removes() != 0 {
		t.Errorf("the copy's retention deletes %d at once, %v", plan.Removes(), err)
	}
	empty(t, w.env.Bucket) // retention at the copy asks the copy alone
	plan, err = retention.Plan(t.Context(), p.At, atCopy, retention.Reach{})
	if err != nil || plan.Removes() != 0 {
		t.Errorf("without the source the copy deletes %d, %v", plan.Removes(), err)
	}
	if done, err := p.bring(t.Context()); err != nil || len(done) != 0 || len(p.good(t)) != len(first) {
		t.Errorf("an empty source: %+v, %v, left %q", done, err, p.good(t))
	}
}

func TestAHoldGoesAlongAndAnArchivedSetStays(t *testing.T) {
	w := newWorld(t)
	held := w.plant(t, backuptest.Ago(3))
	w.hold(t, held.ID, backup.Hold{By: "ada", Host: "db1", At: time.Now(), Reason: "audit"})
	later := w.plant(t, backuptest.Ago(2))
	cold := w.plant(t, backuptest.Ago(4))
	key := backup.FolderOf(w.job) + cold.ID + "/" + backup.DumpName
	if _, err := w.env.Bucket.Put(t.Context(), key, []byte("stands for a dump"), s3.PutOptions{Class: "GLACIER"}); err != nil {
		t.Fatal(err)
	}
	p := w.copyTo(t, true)
	choice, err := p.Look(t.Context())
	if err != nil || len(choice.LeftOut) != 1 || choice.LeftOut[0].Set.ID != cold.ID || !strings.Contains(choice.LeftOut[0].Why, "archived") {
		t.Errorf("left out %+v, %v", choice.LeftOut, err)
	}
	if _, err := p.bring(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.hold(t, later.ID, backup.Hold{By: "bob", Host: "db1", At: time.Now()})
	if _, err := p.bring(t.Context()); err != nil {
		t.Fatal(err)
	}
	sets := p.sets(t)
	if len(sets) != 2 || sets[0].Hold == nil || sets[0].Hold.By != "bob" || sets[1].Hold == nil || sets[1].Hold.Reason != "audit" {
		t.Errorf("holds at the copy: %+v", sets)
	}
}

func TestWhatACopyLostIsCopiedAgain(t *testing.T) {
	w := newWorld(t)
	m := w.plant(t, backuptest.Ago(3))
	p := w.copyTo(t, true)
	for name, lose := range map[string]string{"the dump": backup.DumpName, "the manifest": backup.ManifestName, "nothing": "", "everything": "*"} {
		if _, err := p.bring(t.Context()); err != nil {
			t.Fatal(err)
		}
		switch lose {
		case "":
		case "*":
			empty(t, p.To)
		default:
			if _, err := p.To.Delete(t.Context(), []string{backup.FolderOf(p.At) + m.ID + "/" + lose}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := p.bring(t.Context()); err != nil || len(p.good(t)) != 1 {
			t.Errorf("%s was lost: %q, %v", name, p.good(t), err)
		}
	}
}

func TestACopyWhoseStoreIsDownFailsAndChangesNothing(t *testing.T) {
	w := newWorld(t)
	w.plant(t, backuptest.Ago(3))
	p := w.copyTo(t, true)
	before := w.keys(t)
	p.store.Inject(s3server.Rule{Fault: s3server.Fault{Kind: s3server.Answer, Status: 500}})
	_, err := p.bring(t.Context())
	wantCode(t, err, fault.Unavailable)
	p.store.ClearFaults()
	p.store.Inject(s3server.Rule{Op: s3server.OpPutObject, Fault: s3server.Fault{Kind: s3server.Answer, Status: 403, Code: "AccessDenied"}})
	_, err = p.bring(t.Context())
	wantCode(t, err, fault.NotPermitted)
	w.noLitter(t, before)
}

func TestAnotherSetUnderTheSameIDAtTheCopyIsLeftAloneAndDoesNotStopTheOthers(t *testing.T) {
	w := newWorld(t)
	first := w.plant(t, backuptest.Ago(3))
	second := w.plant(t, backuptest.Ago(2))
	p := w.copyTo(t, true)
	if _, err := p.bring(t.Context()); err != nil {
		t.Fatal(err)
	}
	dir := backup.FolderOf(p.At) + second.ID + "/"
	planted := []byte("{}")
	for _, name := range []string{backup.ManifestName, backup.DumpName} {
		if _, err := p.To.Put(t.Context(), dir+name, planted, s3.PutOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := p.To.Delete(t.Context(), []string{backup.FolderOf(p.At) + first.ID + "/" + backup.ManifestName}); err != nil {
		t.Fatal(err)
	}
	done, err := p.bring(t.Context())
	wantCode(t, err, fault.Integrity)
	if len(done) != 1 || done[0].Set.ID != first.ID {
		t.Errorf("beside it copied %+v", done)
	}
	for _, name := range []string{backup.ManifestName, backup.DumpName} {
		if there, _, err := backup.Fetch(t.Context(), p.To, dir+name, 100); err != nil || !bytes.Equal(there, planted) {
			t.Errorf("%s of what was planted is %q, %v", name, there, err)
		}
	}
}

func TestARefusedPlanOfACopyNamesTheCopyInItsRemedy(t *testing.T) {
	w := newWorld(t)
	for age := range 8 {
		w.plant(t, backuptest.Ago(float64(10*age+2)))
	}
	p := w.copyTo(t, false)
	if _, err := p.bring(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.At.Keep = config.Keep{Days: 5, MinGood: 1}
	at := w.env
	at.Bucket = p.To
	plan, err := retention.Plan(t.Context(), p.At, at, retention.Reach{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = retention.Apply(t.Context(), p.To, w.env.Log, plan, retention.Unconfirmed)
	wantCode(t, err, fault.Refused)
	if remedy := fault.Remedy(err); !strings.Contains(remedy, "--from other --dry-run") || !strings.Contains(remedy, "--from other --confirm 7") {
		t.Errorf("the remedy is of the main bucket: %s", remedy)
	}
}

func TestASetOfSeveralStreamsIsCopiedWhole(t *testing.T) {
	w := newWorld(t)
	w.pg.Exec(t, w.job.Database, streamed)
	w.job.Streams = 3
	m := w.run(t).Manifest
	if len(m.Streams) != 2 {
		t.Fatalf("%d further streams", len(m.Streams))
	}
	p := w.copyTo(t, true)
	if _, err := p.bring(t.Context()); err != nil {
		t.Fatal(err)
	}
	sets := p.sets(t)
	empty(t, w.env.Bucket)
	at := w.env
	at.Bucket = p.To
	if v, err := verify.Whole(t.Context(), p.At, at, &sets[0], nil); err != nil || v.Proof.Rows != m.Summary.Rows {
		t.Errorf("%+v, %v", v, err)
	}
}
