package integration

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/minio/crc64nvme"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/backuptest"
	"codeberg.org/pgbtui/pgbtui/internal/backup/copying"
	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/backup/retention"
	"codeberg.org/pgbtui/pgbtui/internal/backup/verify"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// second is the place of a copy: another bucket of the world's store, or another store.
type second struct {
	copying.Copier
	store *s3server.Running
	asked atomic.Pointer[func()] // called at each request to another store
}

// copyTo is a copier of the world. With other it is to another store, whose bucket is opened with small parts.
func (w *world) copyTo(t testing.TB, other bool) *second {
	t.Helper()
	place := &second{store: w.store}
	options := w.options(t, w.store.AccessKey, w.store.SecretKey)
	if other {
		place.store = s3server.Start(t, s3server.WithBucket("second"), s3server.With(func(o *s3server.Options) {
			o.MinPartBytes = 1
			o.Fault = func(s3server.Op, *http.Request) *s3server.Fault {
				if call := place.asked.Load(); call != nil {
					(*call)()
				}
				return nil
			}
		}))
		options = (&world{store: place.store}).options(t, place.store.AccessKey, place.store.SecretKey)
	} else if err := w.store.MakeBucket("second"); err != nil {
		t.Fatal(err)
	}
	options.Bucket = "second"
	options.PartSizeMin = 4 << 20
	options.MaxAttempts = 2
	bucket, err := s3.Open(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(bucket.Close)
	w.job.Copies = []config.Copy{{
		Name: "other", S3: config.S3{Bucket: "second", Prefix: "copies/here"}, Keep: config.Keep{MinGood: 1},
	}}
	at, _ := w.job.AtCopy("other")
	place.Copier = copying.Copier{Env: w.env, To: bucket, Job: w.job, At: at}
	return place
}

// bring copies what is missing, and returns what was copied and the first failure.
func (p *second) bring(ctx context.Context) (done []*copying.Done, failed error) {
	choice, err := p.Look(ctx)
	if err == nil {
		err = p.HoldAlong(ctx, choice)
	}
	if err != nil {
		return nil, err
	}
	err = p.Run(ctx, choice.Sets, func(one *copying.Done, _ *backup.Set, err error) {
		if err != nil && failed == nil {
			failed = err
		}
		if err == nil {
			done = append(done, one)
		}
	})
	if err == nil {
		err = failed
	}
	return done, err
}

func (p *second) sets(t testing.TB) []backup.Set {
	t.Helper()
	sets, err := backup.NewCatalogue(p.To, p.At).Sets(context.WithoutCancel(t.Context()), backup.ScopeOf(p.At))
	if err != nil {
		t.Fatal(err)
	}
	return sets
}

// good are the IDs of the copy's good sets.
func (p *second) good(t testing.TB) (ids []string) {
	t.Helper()
	sets := p.sets(t)
	for i := range sets {
		if sets[i].Good() && sets[i].Kind == backup.KindNative {
			ids = append(ids, sets[i].ID)
		}
	}
	return ids
}

func (p *second) wantNoUploads(t testing.TB) {
	t.Helper()
	if open, err := p.To.Uploads(context.WithoutCancel(t.Context()), ""); err != nil || len(open) != 0 {
		t.Errorf("open uploads at the copy: %+v, %v", open, err)
	}
}

// empty removes everything from a bucket.
func empty(t testing.TB, b *s3.Bucket) {
	t.Helper()
	var keys []string
	for o, err := range b.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, o.Key)
	}
	if _, err := b.Delete(t.Context(), keys); err != nil {
		t.Fatal(err)
	}
}

func TestASetIsCopiedByteForByteAndRestoredWithoutTheMainBucket(t *testing.T) {
	for name, other := range map[string]bool{"by the store": false, "through the host": true} {
		t.Run(name, func(t *testing.T) {
			w, set := smallSealed.world(t)
			w.job.Instance = set.Instance
			p := w.copyTo(t, other)
			done, err := p.bring(t.Context())
			if err != nil || len(done) != 1 || done[0].ByStore == other || done[0].Bytes != set.Manifest.StoredBytes() {
				t.Fatalf("%+v, %v", done, err)
			}
			copied := p.sets(t)
			if len(copied) != 1 || !copied[0].Good() || copied[0].ManifestSum != set.ManifestSum || copied[0].ID != set.ID {
				t.Fatalf("%+v", copied)
			}
			for o, err := range w.env.Bucket.List(t.Context(), set.Dir) {
				if err != nil {
					t.Fatal(err)
				}
				name := strings.TrimPrefix(o.Key, set.Dir)
				there, _, err := backup.Fetch(t.Context(), p.To, copied[0].Dir+name, 1<<30)
				if err != nil || !bytes.Equal(there, w.body(t, o.Key)) {
					t.Errorf("%s at the copy: %v", name, err)
				}
			}
			if again, err := p.bring(t.Context()); err != nil || len(again) != 0 {
				t.Errorf("copied again: %+v, %v", again, err)
			}
			empty(t, w.env.Bucket)
			at := w.env
			at.Bucket = p.To
			if v, err := verify.Whole(t.Context(), p.At, at, &copied[0], smallSealed.key()); err != nil || v.Recorded == "" {
				t.Errorf("verify at the copy: %+v, %v", v, err)
			}
			to := "from_copy_" + strings.ReplaceAll(name, " ", "_")
			restored, err := restore.Run(t.Context(), p.At, at, &copied[0], restore.Request{To: to}, smallSealed.key())
			if err != nil || restored.Incomplete() {
				t.Errorf("restore from the copy: %+v, %v", restored, err)
			}
			if level, _ := p.sets(t)[0].Proven(); level != backup.LevelRestored {
				t.Errorf("the copy's own evidence is %v", level)
			}
		})
	}
}

// plantBig is a set whose dump goes as several parts.
func (w *world) plantBig(t testing.TB, finished time.Time) *backup.Manifest {
	t.Helper()
	body := bytes.Repeat([]byte("0123456789abcdef"), 9<<16)
	m := w.plant(t, finished, func(m *backup.Manifest) {
		m.Dump.SizeBytes, m.Dump.SHA256, m.Dump.CRC64NVME = int64(len(body)), fmt.Sprintf("%x", sha256.Sum256(body)), crcText(body)
	})
	w.put(t, backup.FolderOf(w.job)+m.ID+"/"+backup.DumpName, body)
	return m
}

func crcText(body []byte) string {
	return base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint64(nil, crc64nvme.Checksum(body)))
}

var errPulled = errors.New("the plug was pulled")

func TestACopyThatIsKilledAnywhereIsNotListedAndTheNextRunFinishesIt(t *testing.T) {
	w := newWorld(t)
	p := w.copyTo(t, true)
	m := w.plantBig(t, backuptest.Ago(2))
	p.Env.LeaseTerm = 300 * time.Millisecond // a dead run's lease is over soon
	left, err := p.To.Upload(t.Context(), backup.FolderOf(p.At)+m.ID+"/"+backup.DumpName, s3.UploadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := left.Write(make([]byte, 5<<20)); err != nil { // as a run that was killed leaves it
		t.Fatal(err)
	}
	var at, seen atomic.Int64
	var pull atomic.Pointer[context.CancelCauseFunc]
	call := func() {
		if seen.Add(1) == at.Load() {
			(*pull.Load())(errPulled)
		}
	}
	p.asked.Store(&call)
	moments := 0
	for n := int64(1); ; n++ {
		empty(t, p.To)
		ctx, cancel := context.WithCancelCause(t.Context())
		pull.Store(&cancel)
		seen.Store(0)
		at.Store(n)
		_, err := p.bring(ctx)
		at.Store(0)
		if ctx.Err() == nil {
			cancel(nil)
			if err != nil {
				t.Fatal(err)
			}
			break
		}
		cancel(nil)
		moments++
		for _, id := range p.good(t) { // the manifest is written last, so a copy that is listed is whole
			if id != m.ID {
				t.Errorf("moment %d: %s", n, id)
			}
		}
		_, err = p.bring(t.Context())
		for fault.CodeOf(err) == fault.Temporary { // the dead run's lease, in the whole seconds of the store
			time.Sleep(p.Env.LeaseTerm)
			_, err = p.bring(t.Context())
		}
		if err != nil {
			t.Fatalf("moment %d: the next run: %v", n, err)
		}
		if good := p.good(t); len(good) != 1 {
			t.Errorf("moment %d: after the next run there are %q", n, good)
		}
		p.wantNoUploads(t)
	}
	if moments < 8 {
		t.Errorf("only %d moments were tried", moments)
	}
}

func TestAnObjectThatWasReplacedAtTheSourceIsNotCopied(t *testing.T) {
	for name, other := range map[string]bool{"by the store": false, "through the host": true} {
		t.Run(name, func(t *testing.T) {
			w, set := smallSet.world(t)
			w.job.Instance = set.Instance
			p := w.copyTo(t, other)
			body := w.body(t, set.Dir+set.DumpKey())
			body[len(body)/2] ^= 1
			w.put(t, set.Dir+set.DumpKey(), body)
			done, err := p.bring(t.Context())
			wantCode(t, err, fault.Integrity)
			if good := p.good(t); len(done)+len(good) != 0 {
				t.Errorf("copied %+v, listed %q", done, good)
			}
		})
	}
}

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
