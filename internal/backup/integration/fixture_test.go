package integration

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"filippo.io/age"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/test/pgtest"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// What many tests only read is made once, by the first that asks, whichever that is.

// fixture is a database of the shared server.
type fixture struct {
	name, schema string
	once         sync.Once
}

func (f *fixture) in(t testing.TB) (*pgtest.Server, string) {
	t.Helper()
	pg := pgtest.Shared(t)
	f.once.Do(func() {
		pg.Exec(t, "postgres", "CREATE DATABASE "+f.name+" TEMPLATE template0")
		pg.Exec(t, f.name, f.schema)
	})
	return pg, f.name
}

// storedSets are sets of a fixture. Each test gets a store of its own with a copy of them, in which it may do
// what it likes; the store is that of an instance which made no backup yet.
type storedSets struct {
	of        *fixture
	encrypted bool
	older     bool // two sets, not one

	once sync.Once
	dir  string // of the store, below the shared server's, with which it goes
	id   *age.X25519Identity
	ids  []string // the older first
}

var (
	smallSet, smallSealed   = storedSets{of: &small}, storedSets{of: &small, encrypted: true}
	smallSets, smallsSealed = storedSets{of: &small, older: true}, storedSets{of: &small, older: true, encrypted: true}
	bigSet                  = storedSets{of: &big}
	partsSet, partsSealed   = storedSets{of: &parts}, storedSets{of: &parts, encrypted: true}
)

// world is one with the newer set.
func (k *storedSets) world(t testing.TB) (*world, *backup.Set) {
	t.Helper()
	k.once.Do(func() { k.make(t) })
	if k.dir == "" {
		t.Fatal("the test that was to make the sets failed")
	}
	dir := filepath.Join(t.TempDir(), "store")
	if err := os.CopyFS(dir, os.DirFS(k.dir)); err != nil {
		t.Fatal(err)
	}
	pg, database := k.of.in(t)
	w := newWorldOn(t, pg, database, s3server.With(func(o *s3server.Options) { o.Dir = dir }))
	if k.encrypted {
		w.job.Encryption.Recipients = []string{k.id.Recipient().String()}
	}
	return w, w.find(t, k.ids[len(k.ids)-1])
}

// dumpOf is the stored dump of a set.
func (w *world) dumpOf(t testing.TB, id string) string {
	t.Helper()
	set := w.find(t, id)
	return string(w.body(t, set.Dir+set.DumpKey()))
}

// key is what reads the sets; more than enough for plain ones.
func (k *storedSets) key() []age.Identity {
	if k.id == nil {
		return nil
	}
	return []age.Identity{k.id}
}

func (k *storedSets) make(t testing.TB) {
	t.Helper()
	pg, database := k.of.in(t)
	w := newWorldOn(t, pg, database)
	if k.encrypted {
		k.id = w.encrypt(t)
	}
	k.ids = append(k.ids, w.run(t).Manifest.ID)
	for older := k.ids[0]; k.older && (len(k.ids) < 2 || w.dumpOf(t, k.ids[1]) == w.dumpOf(t, older)); { // within one second
		k.ids = []string{older, w.run(t).Manifest.ID}
	}
	dir := filepath.Join(pg.Dir, "sets-"+w.job.Instance)
	if err := os.CopyFS(dir, os.DirFS(w.store.Dir)); err != nil {
		t.Fatal(err)
	}
	k.dir = dir
}
