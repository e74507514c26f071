package integration

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"filippo.io/age"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/backup/verify"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// body is a stored object's bytes.
func (w *world) body(t testing.TB, key string) []byte {
	t.Helper()
	r, _, err := w.env.Bucket.Get(t.Context(), key, 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (w *world) change(t testing.TB, key string, how func([]byte) []byte) {
	t.Helper()
	w.put(t, key, how(bytes.Clone(w.body(t, key))))
}

func (w *world) drop(t testing.TB, key string) {
	t.Helper()
	if _, err := w.env.Bucket.Delete(t.Context(), []string{key}); err != nil {
		t.Fatal(err)
	}
}

func flip(at int) func([]byte) []byte {
	return func(b []byte) []byte { b[at%len(b)] ^= 4; return b }
}

// damages are what can happen to a set in a bucket. The second set is another, good one.
var damages = map[string]func(t *testing.T, w *world, set, other *backup.Set){
	"a byte of the dump flipped": func(t *testing.T, w *world, s, _ *backup.Set) { w.change(t, s.Dir+s.DumpKey(), flip(5000)) },
	"the dump cut": func(t *testing.T, w *world, s, _ *backup.Set) {
		w.change(t, s.Dir+s.DumpKey(), func(b []byte) []byte { return b[:len(b)/2] })
	},
	"the dump longer": func(t *testing.T, w *world, s, _ *backup.Set) {
		w.change(t, s.Dir+s.DumpKey(), func(b []byte) []byte { return append(b, 0) })
	},
	"the dump missing": func(t *testing.T, w *world, s, _ *backup.Set) { w.drop(t, s.Dir+s.DumpKey()) },
	"the dump of another set": func(t *testing.T, w *world, s, o *backup.Set) {
		w.put(t, s.Dir+s.DumpKey(), w.body(t, o.Dir+o.DumpKey()))
	},
	"the globals missing":            func(t *testing.T, w *world, s, _ *backup.Set) { w.drop(t, s.Dir+s.Manifest.Globals.Key) },
	"a byte of the globals flipped":  func(t *testing.T, w *world, s, _ *backup.Set) { w.change(t, s.Dir+s.Manifest.Globals.Key, flip(40)) },
	"the contents missing":           func(t *testing.T, w *world, s, _ *backup.Set) { w.drop(t, s.Dir+s.Manifest.Contents.Key) },
	"a byte of the contents flipped": func(t *testing.T, w *world, s, _ *backup.Set) { w.change(t, s.Dir+s.Manifest.Contents.Key, flip(40)) },
	"the manifest of another set": func(t *testing.T, w *world, s, o *backup.Set) {
		w.put(t, s.Dir+backup.ManifestName, w.body(t, o.Dir+backup.ManifestName))
	},
	"the manifest cut": func(t *testing.T, w *world, s, _ *backup.Set) {
		w.change(t, s.Dir+backup.ManifestName, func(b []byte) []byte { return b[:len(b)/2] })
	},
	"the counted rows edited": func(t *testing.T, w *world, s, _ *backup.Set) {
		w.edit(t, s.Dir+backup.ManifestName, func(m *backup.Manifest) { m.Summary.Rows++ })
	},
	"the raw size edited": func(t *testing.T, w *world, s, _ *backup.Set) {
		w.edit(t, s.Dir+backup.ManifestName, func(m *backup.Manifest) { m.Dump.RawBytes++ })
	},
	"the hash edited": func(t *testing.T, w *world, s, _ *backup.Set) {
		w.edit(t, s.Dir+backup.ManifestName, func(m *backup.Manifest) { m.Dump.SHA256 = strings.Repeat("0", 64) })
	},
}

func TestEveryDamageIsFoundByVerifyAndRefusedByRestore(t *testing.T) {
	for name, damage := range damages {
		for _, sets := range []*storedSets{&smallSets, &smallsSealed} {
			if sets.encrypted && strings.Contains(name, "manifest") {
				continue // it is never encrypted
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				w, set := sets.world(t)
				other := w.find(t, sets.ids[0])
				damage(t, w, set, other)
				w.found(t, set, sets.key())
				if _, err := verify.Whole(t.Context(), w.job, w.env, other, sets.key()); err != nil {
					t.Errorf("the other set: %v", err)
				}
			})
		}
	}
}

// found asserts that a damage is seen whether the listing is from before or after it.
func (w *world) found(t *testing.T, listedBefore *backup.Set, identities []age.Identity) {
	t.Helper()
	now := w.find(t, listedBefore.ID)
	v, err := verify.Whole(t.Context(), w.job, w.env, now, identities)
	wantCode(t, err, fault.Integrity)
	if after := w.find(t, now.ID); after.Good() && (v.Recorded == "" || after.LastFailure() == nil) {
		t.Errorf("the failure is not recorded: %+v", v)
	}
	if !strings.Contains(w.log.text(), "event=verify-failed") {
		t.Error("no event tells of the failure")
	}
	to := w.job.Instance + "_copy"
	_, err = restore.Run(t.Context(), w.job, w.env, w.find(t, now.ID), restore.Request{To: to}, identities)
	wantCode(t, err, fault.Refused)
	if w.pg.QueryInt(t, "postgres", "SELECT count(*) FROM pg_database WHERE datname = $1", to) != 0 {
		t.Error("the refused restore created a database")
	}
}

func TestADumpDamagedSinceTheLastLookStopsTheRestoreAndSpoolsKeepItFromStarting(t *testing.T) {
	for name, c := range map[string]struct {
		jobs int
		left int64
	}{"streamed": {1, 1}, "spooled": {2, 0}} {
		t.Run(name, func(t *testing.T) {
			w, set := smallSet.world(t)
			w.change(t, set.Dir+set.DumpKey(), flip(5000))
			to := w.job.Instance + "_copy"
			_, err := restore.Run(t.Context(), w.job, w.env, set, restore.Request{To: to, Jobs: c.jobs}, nil)
			wantCode(t, err, fault.Integrity)
			if n := w.pg.QueryInt(t, "postgres", "SELECT count(*) FROM pg_database WHERE datname = $1", to); n != c.left {
				t.Errorf("%d databases are left", n)
			}
			if named := strings.Contains(err.Error(), to); named != (c.left == 1) {
				t.Error(err)
			}
			w.pg.DropDatabase(t, to)
			w.noSpool(t)
		})
	}
}

func TestWithoutTheKeyOnlyHashesAreCheckedAndThatIsSaid(t *testing.T) {
	w, set := smallSealed.world(t)
	v, err := verify.Whole(t.Context(), w.job, w.env, set, nil)
	if err != nil || v.Proof.Level != "stored" || len(v.Warnings) != 1 || len(v.Proof.NotProven) != 2 || v.Recorded == "" {
		t.Errorf("hash only: %+v, %v", v, err)
	}
	if level, _ := w.find(t, set.ID).Proven(); level != backup.LevelStored {
		t.Errorf("proven %v", level)
	}
	wrong := []age.Identity{newIdentity(t)}
	_, err = verify.Whole(t.Context(), w.job, w.env, set, wrong)
	wantCode(t, err, fault.NotPermitted)
	if failure := w.find(t, set.ID).LastFailure(); failure != nil {
		t.Errorf("a wrong key was recorded against the set: %+v", failure)
	}
	for _, identities := range [][]age.Identity{nil, wrong} {
		for _, jobs := range []int{1, 2} { // two would spool the dump in the clear
			_, err := restore.Run(t.Context(), w.job, w.env, set, restore.Request{To: "never_made", Jobs: jobs}, identities)
			wantCode(t, err, fault.Refused)
			w.noSpool(t)
			if w.exists(t, "never_made") {
				t.Error("a database was made that nothing can be put into")
			}
		}
	}
	w.change(t, set.Dir+set.DumpKey(), flip(5000))
	_, err = verify.Whole(t.Context(), w.job, w.env, set, nil)
	wantCode(t, err, fault.Integrity)
}

func TestADownloadThatBreaksAtHalfIsNoEvidenceAndIsResumedWhenItCanBe(t *testing.T) {
	w, set := smallSealed.world(t)
	for name, after := range map[string]int64{"in the header": 10, "at half": set.Manifest.Dump.SizeBytes / 2} {
		cut := s3server.Rule{Op: s3server.OpGetObject, Key: backup.DumpName, Fault: s3server.Fault{Kind: s3server.Cut, After: after}}
		cut.Times = 2
		w.store.Inject(cut)
		if _, err := verify.Whole(t.Context(), w.job, w.env, set, smallSealed.key()); err != nil {
			t.Errorf("%s, twice: %v", name, err)
		}
		cut.Times, cut.Fault.After = 0, 0
		w.store.Inject(cut)
		_, err := verify.Whole(t.Context(), w.job, w.env, set, smallSealed.key())
		wantCode(t, err, fault.Unavailable)
		w.store.ClearFaults()
	}
	if failure := w.find(t, set.ID).LastFailure(); failure != nil {
		t.Errorf("a broken connection was recorded against the set: %+v", failure)
	}
}
