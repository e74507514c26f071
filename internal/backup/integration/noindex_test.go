package integration

import (
	"os"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/backup/room"
	"codeberg.org/pgbtui/pgbtui/internal/backup/sealed"
	"codeberg.org/pgbtui/pgbtui/internal/backup/verify"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// Sets of which only the hash of the whole dump is known: older ones, or such whose index does not fit.

func (w *world) withoutIndex(t *testing.T, set *backup.Set) *backup.Set {
	t.Helper()
	w.rewriteContents(t, set, func(c *backup.Contents) { c.Frames = sealed.Index{} })
	return w.find(t, set.ID)
}

// noIndex makes the set of the attack one that was written without an index, and signed like that: its owner
// vouches for the whole dump alone.
func (a *attack) noIndex(t *testing.T) {
	t.Helper()
	set := a.set(t)
	a.withoutIndex(t, set)
	if a.signer != nil {
		a.put(t, set.Dir+backup.SignatureName, a.signer.Sign(a.body(t, set.Dir+backup.ManifestName)))
	}
	a.set(t) // still good
}

func TestASetWithoutAnIndexIsSpooledCheckedAndThenUsed(t *testing.T) {
	w, set := smallSet.world(t)
	set = w.withoutIndex(t, set)
	for _, jobs := range []int{1, 2} {
		to := w.job.Instance + "_copy"
		restored, err := restore.Run(t.Context(), w.job, w.env, set, restore.Request{To: to, Jobs: jobs}, nil)
		if err != nil || !restored.Compared {
			t.Errorf("%d jobs: %+v, %v", jobs, restored, err)
		}
		w.pg.DropDatabase(t, to)
		w.noSpool(t)
	}
	if _, err := verify.Whole(t.Context(), w.job, w.env, set, nil); err != nil {
		t.Error(err)
	}
	w.noSpool(t)
	if _, err := w.drill(t, set); err != nil { // its folder is looked at, too
		t.Error(err)
	}
}

func TestOfASetWithoutAnIndexNoByteReachesAServerThatIsNotTheRightOne(t *testing.T) {
	a := newAttack(t, false, true)
	set := a.set(t)
	length := set.Manifest.Dump.SizeBytes
	a.noIndex(t)
	a.exchange(t, set.Dir+set.DumpKey(), padded(t, a.archive, length))
	given := a.spy(t)
	for _, way := range ways {
		if way.name == "restore --schema" {
			continue // below
		}
		if way.name == "drill" {
			a.job.Postgres.BinDir = a.pg.BinDir // it looks for the server there
		}
		t.Run(way.name, func(t *testing.T) {
			wantCode(t, way.do(t, a), fault.Integrity)
			a.marked(t, false)
			a.noSpool(t)
		})
	}
	if got, err := os.ReadFile(given); err == nil {
		t.Errorf("pg_restore was given %d bytes", len(got))
	}
}

func TestAPartOfAnExchangedDumpWithoutAnIndexReachesNoServer(t *testing.T) {
	a := newAttack(t, false, false)
	set := a.set(t)
	a.noIndex(t)
	a.exchange(t, set.Dir+set.DumpKey(), padded(t, a.archive, set.Manifest.Dump.SizeBytes))
	wantCode(t, a.restoreTo(t, restore.Request{Schemas: []string{"public"}}), fault.Integrity)
	a.marked(t, false)
	a.noSpool(t)
}

// A store that is asked twice may answer twice: what was checked is what is used.
func TestASetWithoutAnIndexIsAskedForOnce(t *testing.T) {
	w, set := smallSet.world(t)
	set = w.withoutIndex(t, set)
	asked := 0
	w.onRequest(func(op s3server.Op, key string) *s3server.Fault {
		if op == s3server.OpGetObject && strings.HasSuffix(key, set.DumpKey()) {
			asked++
		}
		return nil
	})
	restored := w.restorePart(t, set, restore.Request{Tables: []string{"t"}}) // reads its head, then its rows
	if asked != 1 || restored.Portion.Whole == "" || restored.Rows != 5000 {
		t.Errorf("asked %d times, %+v", asked, restored)
	}
	w.noSpool(t)
}

func TestASpoolForASetWithoutAnIndexThatFindsNoRoomSaysSo(t *testing.T) {
	w, set := smallSet.world(t)
	set = w.withoutIndex(t, set)
	w.env.Disks = func(path string) (room.Disk, error) {
		if path == w.job.SpoolDir {
			return room.Disk{Free: 1000, Size: 1 << 40}, nil
		}
		return room.Disk{Free: 1 << 40, Size: 1 << 41}, nil
	}
	_, err := verify.Whole(t.Context(), w.job, w.env, set, nil)
	wantCode(t, err, fault.NoSpace)
	if !strings.Contains(fault.Remedy(err), "no index") {
		t.Error(fault.Remedy(err))
	}
}
