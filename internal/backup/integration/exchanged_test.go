package integration

import (
	"bytes"
	"crypto/ed25519"
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"testing"

	"filippo.io/age"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/meter"
	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/backup/sealed"
	"codeberg.org/pgbtui/pgbtui/internal/backup/signing"
	"codeberg.org/pgbtui/pgbtui/internal/backup/stored"
	"codeberg.org/pgbtui/pgbtui/internal/backup/verify"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// A dump is a program: whoever restores it runs it. Somebody who may write to the bucket puts another one in
// its place, well-formed, encrypted for the right key, and exactly as long.

// attack is a world with a set, and an archive that leaves a mark on the host of the server that loads it.
type attack struct {
	*world
	id      string
	key     []age.Identity
	signer  *signing.Signer // nil: its sets are not signed
	archive []byte
	mark    string // a file
}

func newAttack(t *testing.T, encrypted, signed bool) *attack {
	t.Helper()
	w := newWorld(t)
	a := &attack{world: w}
	w.pg.Exec(t, w.job.Database, small.schema)
	if encrypted {
		a.key = []age.Identity{w.encrypt(t)}
	}
	if signed {
		signer, public := newSigner(t)
		a.id, a.signer = w.runAs(t, signer), signer
		w.job.Signing.PublicKeys = []ed25519.PublicKey{public}
	} else {
		a.id = w.run(t).Manifest.ID
	}
	a.arm(t)
	return a
}

func (a *attack) arm(t *testing.T) {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "marks") //nolint:usetesting // the server's user writes there
	if err == nil {
		err = os.Chmod(dir, 0o777)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	a.mark = filepath.Join(dir, "mark")
	hostile := a.pg.CreateDatabase(t)
	a.pg.Exec(t, hostile, `CREATE FUNCTION public.evil(int) RETURNS bool LANGUAGE plpgsql AS
		$$BEGIN EXECUTE 'COPY (SELECT 1) TO PROGRAM ''cat >/dev/null; touch `+a.mark+`'''; RETURN true; END$$;
		CREATE TABLE hostile (a int CHECK (public.evil(a))); INSERT INTO hostile VALUES (1)`)
	a.marked(t, true)
	a.archive = a.pgDump(t, hostile, "-Fc", "-Z0")
}

// marked asserts whether the archive was run since the last time.
func (a *attack) marked(t *testing.T, want bool) {
	t.Helper()
	_, err := os.Stat(a.mark)
	if got := err == nil; got != want {
		t.Errorf("the archive was run: %v, want %v", got, want)
	}
	_ = os.Remove(a.mark)
}

// padded is a stored form that is exactly so long before encryption. What fills it up is a frame that
// every decompressor skips.
func padded(t *testing.T, raw []byte, length int64) []byte {
	t.Helper()
	packed, err := sealed.Pack(raw, nil)
	if err != nil {
		t.Fatal(err)
	}
	const skippable, head = 0x184D2A50, 8
	fill := length - int64(len(packed)) - head
	if fill < 0 {
		t.Fatalf("%d bytes do not fit into %d", len(packed), length)
	}
	packed = binary.LittleEndian.AppendUint32(packed, skippable)
	packed = binary.LittleEndian.AppendUint32(packed, uint32(fill))
	return append(packed, make([]byte, fill)...)
}

// exchange puts something else in the place of a stored object, as long as that is.
func (a *attack) exchange(t *testing.T, key string, packed []byte) {
	t.Helper()
	if len(a.key) > 0 {
		recipients, err := sealed.Recipients(a.job.Encryption.Recipients)
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		w, err := age.Encrypt(&out, recipients...)
		if err == nil {
			_, err = w.Write(packed)
		}
		if err == nil {
			err = w.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
		packed = out.Bytes()
	}
	if was := len(a.body(t, key)); was != len(packed) {
		t.Fatalf("%d bytes in place of %d: that would be too easy", len(packed), was)
	}
	a.put(t, key, packed)
}

func (a *attack) set(t *testing.T) *backup.Set {
	t.Helper()
	set := a.find(t, a.id)
	if !set.Good() {
		t.Fatalf("the listing notices already: %s", set.Problem)
	}
	return set
}

// ways are those on which a dump reaches a server. The drill is the last, since it records what it finds.
var ways = []struct {
	name string
	do   func(t *testing.T, a *attack) error
}{
	{"restore", func(t *testing.T, a *attack) error { return a.restoreTo(t, restore.Request{}) }},
	{"restore --jobs", func(t *testing.T, a *attack) error { return a.restoreTo(t, restore.Request{Jobs: 2}) }},
	{"restore --no-owner", func(t *testing.T, a *attack) error { return a.restoreTo(t, restore.Request{NoOwner: true}) }},
	{"restore --schema", func(t *testing.T, a *attack) error {
		return a.restoreTo(t, restore.Request{Schemas: []string{"public"}})
	}},
	{"restore --replace", func(t *testing.T, a *attack) error {
		_, err := restore.Run(t.Context(), a.job, a.env, a.set(t), restore.Request{Replace: a.job.Database, Confirm: a.job.Database}, a.key)
		return err
	}},
	{"drill", func(t *testing.T, a *attack) error {
		dir := drillFolder(t)
		_, err := restore.Drill(t.Context(), a.job, a.env, a.set(t), restore.DrillRequest{Dir: dir, SocketDir: dir}, a.key)
		return err
	}},
}

func (a *attack) restoreTo(t *testing.T, req restore.Request) error {
	t.Helper()
	req.To = a.job.Instance + "_copy"
	t.Cleanup(func() { a.pg.DropDatabase(t, req.To) })
	_, err := restore.Run(t.Context(), a.job, a.env, a.set(t), req, a.key)
	if a.exists(t, req.To) {
		if n := a.pg.QueryInt(t, req.To, "SELECT count(*) FROM pg_class WHERE relname IN ('hostile', 't')"); n > 0 {
			t.Errorf("%d tables of what nobody vouches for are in the copy", n)
		}
		a.pg.DropDatabase(t, req.To)
	}
	return err
}

func TestAnExchangedDumpAsLongAsTheRightOneReachesNoServer(t *testing.T) {
	for name, c := range map[string]struct{ encrypted, signed bool }{
		"plain": {false, false}, "signed": {false, true}, "encrypted": {true, false}, "encrypted and signed": {true, true},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAttack(t, c.encrypted, c.signed)
			set := a.set(t)
			contents, err := stored.ReadContents(t.Context(), a.env.Bucket, set, a.key)
			if err != nil {
				t.Fatal(err)
			}
			var length int64
			for _, size := range contents.Frames.Sizes {
				length += size
			}
			a.exchange(t, set.Dir+set.DumpKey(), padded(t, a.archive, length))
			for _, way := range ways {
				t.Run(way.name, func(t *testing.T) {
					wantCode(t, way.do(t, a), fault.Integrity)
					a.marked(t, false)
				})
			}
			if failure := a.find(t, a.id).LastFailure(); failure == nil {
				t.Error("nothing is recorded against the set")
			}
		})
	}
}

func TestTheArchiveOfTheAttackWorksWhereNobodyChecks(t *testing.T) {
	a := newAttack(t, false, false)
	key := "postgresql/postgresql_" + a.job.Database + "_20200102_030405.backup"
	a.put(t, key, a.archive)
	a.id = a.scripted(t, key).ID
	to := a.job.Instance + "_copy"
	if _, err := restore.Run(t.Context(), a.job, a.env, a.set(t), restore.Request{To: to}, nil); err != nil {
		t.Fatal(err)
	}
	a.pg.DropDatabase(t, to)
	a.marked(t, true)
}

func TestExchangedGlobalsReachNoServer(t *testing.T) {
	for _, encrypted := range []bool{false, true} {
		a := newAttack(t, encrypted, true)
		set := a.set(t)
		role := "intruder_" + a.job.Instance
		packed := a.body(t, set.Dir+set.Manifest.Globals.Key)
		length := int64(len(packed))
		if encrypted {
			plain, err := age.Decrypt(bytes.NewReader(packed), a.key...)
			if err == nil {
				length, err = io.Copy(io.Discard, plain)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		a.exchange(t, set.Dir+set.Manifest.Globals.Key, padded(t, []byte("CREATE ROLE "+role+" SUPERUSER;\n"), length))
		wantCode(t, a.restoreTo(t, restore.Request{Globals: true}), fault.Integrity)
		dir := drillFolder(t)
		_, err := restore.Drill(t.Context(), a.job, a.env, a.set(t), restore.DrillRequest{Dir: dir, SocketDir: dir}, a.key)
		wantCode(t, err, fault.Integrity)
		if a.pg.QueryInt(t, "postgres", "SELECT count(*) FROM pg_roles WHERE rolname = $1", role) > 0 {
			t.Error("the role was created")
		}
	}
}

// spy is a pg_restore that keeps what it is given.
func (w *world) spy(t *testing.T) (file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "given")
	real := w.pg.BinDir + "/pg_restore"
	w.job.Postgres.BinDir = tools(t, w, map[string]string{"pg_restore": `if [ "$1" = --version ]; then exec ` + real + ` --version; fi
tee '` + file + `' | ` + real + ` "$@"`})
	return file
}

func (w *world) raw(t *testing.T, set *backup.Set, identities []age.Identity) []byte {
	t.Helper()
	contents, err := stored.Contents(t.Context(), w.env, set, identities)
	if err != nil {
		t.Fatal(err)
	}
	r := &stored.Reading{Env: w.env, Set: set, Identities: identities, Frames: contents.Index(), Meter: meter.New("test", "", 0, nil), Spool: &stored.Spool{}, Dir: w.job.SpoolDir}
	dump, err := r.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = dump.Close(); r.Spool.Remove() }()
	all, err := io.ReadAll(dump)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestOfADumpThatIsWrongInTheMiddlePgRestoreGetsTheFramesBeforeAndNoMore(t *testing.T) {
	for name, spoil := range map[string]func(frame []byte) []byte{
		"a byte flipped": flip(20),
		"a well-formed frame of somebody else": func(frame []byte) []byte {
			return padded(t, bytes.Repeat([]byte("x"), sealed.FrameBytes), int64(len(frame)))
		},
	} {
		t.Run(name, func(t *testing.T) {
			w, set := bigSet.world(t)
			raw := w.raw(t, set, nil)
			contents, err := stored.ReadContents(t.Context(), w.env.Bucket, set, nil)
			if err != nil {
				t.Fatal(err)
			}
			var from int64
			number := len(contents.Frames.Sizes) / 2
			for _, size := range contents.Frames.Sizes[:number] {
				from += size
			}
			w.change(t, set.Dir+set.DumpKey(), func(b []byte) []byte {
				frame := b[from : from+contents.Frames.Sizes[number]]
				copy(frame, spoil(bytes.Clone(frame)))
				return b
			})
			w.givesOnly(t, set, raw[:contents.Frames.Frame(int64(number)).From])
		})
	}
}

// givesOnly asserts that pg_restore is given no more than that, by a restore and by a verification.
func (w *world) givesOnly(t *testing.T, set *backup.Set, good []byte) {
	t.Helper()
	given := w.spy(t)
	to := w.job.Instance + "_copy"
	_, err := restore.Run(t.Context(), w.job, w.env, set, restore.Request{To: to}, nil)
	wantCode(t, err, fault.Integrity)
	w.pg.DropDatabase(t, to)
	restored, err := os.ReadFile(given)
	if err != nil {
		t.Fatal(err)
	}
	_, err = verify.Whole(t.Context(), w.job, w.env, set, nil)
	wantCode(t, err, fault.Integrity)
	verified, err := os.ReadFile(given)
	if err != nil {
		t.Fatal(err)
	}
	for _, got := range [][]byte{restored, verified} {
		if !bytes.HasPrefix(good, got) {
			t.Errorf("pg_restore got %d bytes, %d are good", len(got), len(good))
		}
	}
}
