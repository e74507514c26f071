package integration

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/backuptest"
	"codeberg.org/pgbtui/pgbtui/internal/backup/verify"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// cachedWorld has three sets, evidence and a hold, all of them read once with a cache in dir.
func cachedWorld(t *testing.T) (w *world, dir string, ids []string) {
	t.Helper()
	w = newWorldOn(t, pgOf(t), "small")
	for days := range 3 {
		ids = append(ids, w.plant(t, backuptest.Ago(float64(20*days+1))).ID)
	}
	w.prove(t, ids[0], backup.LevelReadable, true, backuptest.Ago(0.5))
	if err := backup.HoldSet(t.Context(), w.env.Bucket, w.find(t, ids[1]), backup.Hold{By: "ada", Host: "h", Reason: "audit", At: backuptest.Ago(0.5)}); err != nil {
		t.Fatal(err)
	}
	dir = filepath.Join(t.TempDir(), "kept")
	w.listKept(t, dir)
	return w, dir, ids
}

// listKept is a listing by a process of its own, and how many documents it fetched.
func (w *world) listKept(t *testing.T, dir string) (sets []backup.Set, fetched []string) {
	t.Helper()
	w.store.ForgetRequests()
	sets, err := backup.NewCatalogue(w.env.Bucket, w.job).KeepIn(dir).Sets(t.Context(), backup.Scope{Instance: w.job.Instance, Database: w.job.Database})
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range w.store.Requests(s3server.OpGetObject) {
		fetched = append(fetched, q.Key)
	}
	return sets, fetched
}

func cacheNames(t *testing.T, dir string) (files []string) {
	t.Helper()
	files, err := filepath.Glob(dir + "/*")
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestASecondListingFetchesNoDocumentAgain(t *testing.T) {
	w, dir, _ := cachedWorld(t)
	sets, fetched := w.listKept(t, dir)
	plain, _ := w.listKept(t, "")
	if len(fetched) != 0 || !reflect.DeepEqual(sets, plain) {
		t.Errorf("fetched %q\n%+v\nwithout what was kept\n%+v", fetched, sets, plain)
	}
	added := w.plant(t, backuptest.Ago(0.1))
	if _, fetched = w.listKept(t, dir); len(fetched) != 1 || !strings.Contains(fetched[0], added.ID) {
		t.Errorf("with one more set: %q", fetched)
	}
}

func TestAManifestThatWasReplacedIsReadAgain(t *testing.T) {
	w, dir, ids := cachedWorld(t)
	key := backup.Folder("postgresql", w.job.Instance, w.job.Database) + ids[2] + "/" + backup.ManifestName
	w.edit(t, key, func(m *backup.Manifest) { m.Host = "elsewhere" })
	sets, fetched := w.listKept(t, dir)
	if len(fetched) != 1 || fetched[0] != key {
		t.Errorf("fetched %q", fetched)
	}
	for i := range sets {
		if sets[i].ID == ids[2] && sets[i].Manifest.Host != "elsewhere" {
			t.Errorf("it is still what it was: %+v", sets[i].Manifest)
		}
	}
	if _, fetched = w.listKept(t, dir); len(fetched) != 0 {
		t.Errorf("and then %q", fetched)
	}
}

// A disk of the store that rots tells nothing in a listing.
func TestAVerificationReadsTheManifestInTheBucketWhateverWasKept(t *testing.T) {
	w := newWorld(t)
	w.pg.Exec(t, w.job.Database, "CREATE TABLE t AS SELECT 1 AS a")
	id := w.run(t).Manifest.ID
	dir := filepath.Join(t.TempDir(), "kept")
	w.listKept(t, dir)
	w.store.Inject(s3server.Rule{Op: s3server.OpGetObject, Key: id + "/" + backup.ManifestName, Fault: s3server.Fault{Kind: s3server.Flip, After: 30}})
	sets, fetched := w.listKept(t, dir)
	if len(fetched) != 0 || len(sets) != 1 || !sets[0].Good() {
		t.Fatalf("%q, %+v", fetched, sets)
	}
	v, err := verify.Whole(t.Context(), w.job, w.env, &sets[0], nil)
	wantCode(t, err, fault.Integrity)
	if v == nil || v.Proof.OK {
		t.Errorf("%+v", v)
	}
}

func TestSpoiltFilesOfTheCacheChangeNothing(t *testing.T) {
	w, whole, _ := cachedWorld(t)
	want, _ := w.listKept(t, "")
	for name, spoil := range map[string]func(file string, raw []byte) error{
		"flipped":   func(f string, raw []byte) error { raw[len(raw)/2] ^= 1; return os.WriteFile(f, raw, 0o600) },
		"cut":       func(f string, raw []byte) error { return os.WriteFile(f, raw[:len(raw)/2], 0o600) },
		"empty":     func(f string, _ []byte) error { return os.WriteFile(f, nil, 0o600) },
		"too large": func(f string, _ []byte) error { return os.Truncate(f, 1<<30) },
		"another's": func(f string, _ []byte) error { return os.Chown(f, 65534, -1) },
		"for all":   func(f string, _ []byte) error { return os.Chmod(f, 0o666) }, // that is the point
		"a folder":  func(f string, _ []byte) error { _ = os.Remove(f); return os.Mkdir(f, 0o700) },
		"of a neighbour": func(f string, raw []byte) error {
			return os.WriteFile(f, bytes.Replace(raw, []byte(filepath.Base(f)), []byte(strings.Repeat("x", len(filepath.Base(f)))), 1), 0o600)
		},
		"a link": func(f string, raw []byte) error {
			elsewhere := filepath.Join(t.TempDir(), "x")
			_ = os.WriteFile(elsewhere, raw, 0o600)
			_ = os.Remove(f)
			return os.Symlink(elsewhere, f)
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "kept")
			if err := os.CopyFS(dir, os.DirFS(whole)); err != nil {
				t.Fatal(err)
			}
			for _, file := range cacheNames(t, dir) {
				_ = os.Chmod(file, 0o600)
				raw, err := os.ReadFile(file)
				if err == nil {
					err = spoil(file, raw)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			if sets, fetched := w.listKept(t, dir); !reflect.DeepEqual(sets, want) || len(fetched) < len(want) {
				t.Errorf("fetched %q: %+v", fetched, sets)
			}
		})
	}
}

func TestAFolderThatIsNotTheUsersOwnIsNotUsed(t *testing.T) {
	w, _, _ := cachedWorld(t)
	for name, spoil := range map[string]func(dir string) error{
		"another's":       func(dir string) error { return os.Chown(dir, 65534, -1) },
		"for all":         func(dir string) error { return os.Chmod(dir, 0o777) }, // that is the point
		"below another's": func(dir string) error { return os.Chown(filepath.Dir(dir), 65534, -1) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "home", "kept")
			made := filepath.Dir(dir)
			if name != "below another's" {
				made = dir
			}
			if err := os.MkdirAll(made, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := spoil(dir); err != nil {
				t.Fatal(err)
			}
			if sets, _ := w.listKept(t, dir); len(sets) != 3 || len(cacheNames(t, dir)) != 0 {
				t.Errorf("%d sets, kept %q", len(sets), cacheNames(t, dir))
			}
		})
	}
}

// What was kept was altered by somebody who also made the file whole again.
func TestWhatWasKeptIsHeldAgainstItsSignature(t *testing.T) {
	w := newWorldOn(t, pgOf(t), "small")
	signer, public := newSigner(t)
	m := w.plant(t, backuptest.Ago(1))
	manifest := backup.Folder("postgresql", w.job.Instance, w.job.Database) + m.ID + "/" + backup.ManifestName
	w.put(t, manifest+".sig", signer.Sign(w.body(t, manifest)))
	w.job.Signing.PublicKeys = []ed25519.PublicKey{public}
	dir := filepath.Join(t.TempDir(), "kept")
	w.listKept(t, dir)
	file := cacheNames(t, dir)[0]
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	altered := bytes.Replace(raw[:len(raw)-sha256.Size], []byte(`"rawBytes":1`), []byte(`"rawBytes":2`), 1)
	sum := sha256.Sum256(altered)
	if bytes.Contains(raw, altered) {
		t.Fatal("the file holds no document as it is stored")
	}
	if err := os.WriteFile(file, append(altered, sum[:]...), 0o600); err != nil {
		t.Fatal(err)
	}
	sets, fetched := w.listKept(t, dir)
	if len(sets) != 1 || sets[0].Signature != backup.SignatureGood || sets[0].Manifest.Dump.RawBytes != 1 || len(fetched) != 2 {
		t.Errorf("fetched %q: %+v", fetched, sets)
	}
	if _, fetched = w.listKept(t, dir); len(fetched) != 0 {
		t.Errorf("what is right was not kept: %q", fetched)
	}
}

func TestWhatIsGoneFromTheBucketGoesFromTheCache(t *testing.T) {
	w, dir, ids := cachedWorld(t)
	before := cacheNames(t, dir)
	delete := func(id string) {
		t.Helper()
		for object, err := range w.env.Bucket.List(t.Context(), backup.Folder("postgresql", w.job.Instance, w.job.Database)+id+"/") {
			if err == nil {
				_, err = w.env.Bucket.Delete(t.Context(), []string{object.Key})
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	delete(ids[2])
	if _, _ = w.listKept(t, dir); len(cacheNames(t, dir)) != len(before)-1 {
		t.Errorf("of %q there are left %q", before, cacheNames(t, dir))
	}
	delete(ids[1])
	delete(ids[0])
	if _, _ = w.listKept(t, dir); len(cacheNames(t, dir)) != 0 {
		t.Errorf("left %q", cacheNames(t, dir))
	}
}
