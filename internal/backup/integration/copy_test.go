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
