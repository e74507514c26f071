package integration

import (
	"slices"
	"strings"
	"testing"

	"filippo.io/age"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/backuptest"
	"codeberg.org/pgbtui/pgbtui/internal/backup/verify"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// bulk makes a dump of several frames that hardly compresses.
const bulk = `CREATE TABLE bulk (a text);
ALTER TABLE bulk ALTER COLUMN a SET STORAGE EXTERNAL;
INSERT INTO bulk SELECT string_agg(md5(i::text || j::text), '') FROM generate_series(1, 40) AS i, generate_series(1, 4000) AS j GROUP BY i;`

func TestASampleReadsPartOfTheDumpAndSaysWhatItLeavesOpen(t *testing.T) {
	w := newWorld(t)
	w.pg.Exec(t, w.job.Database, bulk)
	id := newIdentity(t)
	for _, recipients := range [][]string{nil, {id.Recipient().String()}} {
		w.job.Encryption.Recipients = recipients
		set := w.find(t, w.run(t).Manifest.ID)
		var downloads int64
		w.onRequest(func(op s3server.Op, key string) *s3server.Fault {
			if op == s3server.OpGetObject && strings.HasSuffix(key, set.DumpKey()) {
				downloads++
			}
			return nil
		})
		v, err := verify.Sample(t.Context(), w.job, w.env, set, []age.Identity{id}, 0.05)
		if err != nil {
			t.Fatal(err)
		}
		p := v.Proof
		if p.Sample == nil || p.Sample.Frames != 1 || p.Sample.OfFrames < 4 || p.Bytes >= set.Manifest.Dump.SizeBytes {
			t.Fatalf("%+v of %d bytes", p.Sample, set.Manifest.Dump.SizeBytes)
		}
		if downloads == 0 || downloads > 8 {
			t.Errorf("%d requests for one frame", downloads)
		}
		w.onRequest(func(s3server.Op, string) *s3server.Fault { return nil })
		if !slices.ContainsFunc(p.NotProven, func(s string) bool { return strings.Contains(s, "of the other") }) {
			t.Errorf("not said: %q", p.NotProven)
		}
		set = w.find(t, set.ID)
		if level, _ := set.Proven(); level != backup.LevelStored || len(set.Proofs) != 1 {
			t.Errorf("a sample counts as %s", level)
		}
		if all, err := verify.Sample(t.Context(), w.job, w.env, set, []age.Identity{id}, 1); err != nil || all.Proof.Sample.Frames != all.Proof.Sample.OfFrames {
			t.Errorf("all parts: %+v, %v", all, err)
		}
	}
}

func TestASampleFindsADumpThatRotsAndOnlyAWholeVerificationAnswersIt(t *testing.T) {
	w := newWorld(t)
	w.pg.Exec(t, w.job.Database, sampleSchema)
	set := w.find(t, w.run(t).Manifest.ID) // one frame: every sample reads it
	good := w.body(t, set.Dir+set.DumpKey())
	w.change(t, set.Dir+set.DumpKey(), flip(len(good)/2))
	_, err := verify.Sample(t.Context(), w.job, w.env, set, nil, 0.01)
	wantCode(t, err, fault.Integrity)
	set = w.find(t, set.ID)
	if f := set.LastFailure(); f == nil || f.Level != "readable" {
		t.Fatalf("recorded: %+v", f)
	}
	w.put(t, set.Dir+set.DumpKey(), good)
	if _, err := verify.Sample(t.Context(), w.job, w.env, w.find(t, set.ID), nil, 1); err != nil {
		t.Fatal(err)
	}
	if w.find(t, set.ID).LastFailure() == nil {
		t.Error("a sample, which may read other parts, answered the failure")
	}
	if _, err := verify.Whole(t.Context(), w.job, w.env, w.find(t, set.ID), nil); err != nil {
		t.Fatal(err)
	}
	if f := w.find(t, set.ID).LastFailure(); f != nil {
		t.Errorf("a whole verification did not answer it: %+v", f)
	}
}

func TestAStoreThatFailsDuringASampleIsNoEvidence(t *testing.T) {
	w := newWorld(t)
	w.pg.Exec(t, w.job.Database, sampleSchema)
	set := w.find(t, w.run(t).Manifest.ID)
	w.onRequest(func(op s3server.Op, key string) *s3server.Fault {
		if op == s3server.OpGetObject && strings.HasSuffix(key, set.DumpKey()) {
			return &s3server.Fault{Kind: s3server.Answer, Status: 503, Code: "SlowDown"}
		}
		return nil
	})
	_, err := verify.Sample(t.Context(), w.job, w.env, set, nil, 1)
	if code := fault.CodeOf(err); !code.Retryable() {
		t.Errorf("code %d: %v", code, err)
	}
	w.onRequest(func(s3server.Op, string) *s3server.Fault { return nil })
	if proofs := w.find(t, set.ID).Proofs; len(proofs) != 0 {
		t.Errorf("recorded: %+v", proofs)
	}
}

func TestWhatCannotBeSampledIsRefusedWithARemedy(t *testing.T) {
	w := newWorld(t)
	w.pg.Exec(t, w.job.Database, sampleSchema)
	w.encrypt(t)
	encrypted := w.find(t, w.run(t).Manifest.ID)
	without := w.find(t, w.plant(t, backuptest.Ago(1)).ID) // no contents
	for _, c := range []struct {
		set   *backup.Set
		share float64
		code  fault.Code
	}{{encrypted, 0.5, fault.NotPermitted}, {without, 0.5, fault.Refused}, {encrypted, 0, fault.Usage}, {encrypted, 1.5, fault.Usage}} {
		_, err := verify.Sample(t.Context(), w.job, w.env, c.set, nil, c.share)
		wantCode(t, err, c.code)
		if fault.Remedy(err) == "" {
			t.Errorf("no remedy: %v", err)
		}
	}
}
