package console

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
	"codeberg.org/pgbtui/pgbtui/internal/ui"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// place is a bucket with the sets of one job, signed.
type place struct {
	bucket  *s3.Bucket
	job     config.Job
	key     ed25519.PrivateKey
	buckets *buckets
	last    *backup.Previous
	state   string // where this host remembers
}

func newPlace(t *testing.T, keep config.Keep) *place {
	t.Helper()
	store := s3server.Start(t)
	credentials := filepath.Join(t.TempDir(), "credentials")
	if err := os.WriteFile(credentials, []byte("[default]\naws_access_key_id = "+store.AccessKey+"\naws_secret_access_key = "+store.SecretKey+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	bucket, err := s3.Open(t.Context(), s3.Options{Bucket: store.Bucket, Endpoint: store.Endpoint, Region: store.Region, CredentialsFile: credentials})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(bucket.Close)
	public, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p := &place{bucket: bucket, key: key, state: t.TempDir()}
	p.job = config.Job{Name: "sales", Instance: "db01", Database: "sales", S3: config.S3{Bucket: store.Bucket, Prefix: "postgresql"}, Keep: keep}
	p.job.Signing.PublicKeys = []ed25519.PublicKey{public}
	setup := Setup{
		Config: &config.Config{Jobs: []config.Job{p.job}}, Env: backup.Env{Now: time.Now, Log: slog.New(slog.DiscardHandler)},
		Open: func(context.Context, config.Job) (*s3.Bucket, error) { return bucket, nil },
	}
	p.buckets = &buckets{setup: setup, sets: map[config.S3]*backup.Catalogue{}}
	return p
}

func (p *place) put(t *testing.T, key string, body []byte) {
	t.Helper()
	if _, err := p.bucket.Put(t.Context(), key, body, s3.PutOptions{}); err != nil {
		t.Fatal(err)
	}
}

// plant stores a signed set that follows the one planted before.
func (p *place) plant(t *testing.T, ago time.Duration) *backup.Manifest {
	t.Helper()
	body, at := []byte("stands for a dump"), time.Now().Add(-ago).UTC().Truncate(time.Second)
	m := &backup.Manifest{
		Schema: backup.ManifestSchema, ID: backup.NewID(at), Instance: "db01", Database: "sales", Job: "sales", StartedAt: at, FinishedAt: at, Previous: p.last, Sequence: 1,
		Dump: backup.Object{Key: "dump.pgc.zst", SizeBytes: int64(len(body)), SHA256: fmt.Sprintf("%x", sha256.Sum256(body)), RawBytes: 1},
	}
	p.put(t, p.folder(m)+"dump.pgc.zst", body)
	p.commit(t, m, true)
	return m
}

func (p *place) folder(m *backup.Manifest) string {
	return backup.Folder("postgresql", "db01", "sales") + m.ID + "/"
}

func (p *place) commit(t *testing.T, m *backup.Manifest, sign bool) {
	t.Helper()
	raw, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	if sign {
		p.put(t, p.folder(m)+"manifest.json.sig", ed25519.Sign(p.key, raw))
	}
	p.put(t, p.folder(m)+"manifest.json", raw)
	p.last = &backup.Previous{ID: m.ID, ManifestSHA256: fmt.Sprintf("%x", sha256.Sum256(raw))}
}

func (p *place) options() ui.Options {
	return ui.Options{
		Identity: ui.Identity{Instance: "db01"}, Zone: time.UTC,
		Jobs: []ui.Job{{Name: "sales", Database: "sales", Whose: backup.Whose{Job: "sales"}}},
		Sources: ui.Sources{
			Catalogue: p.buckets, Retention: &pruning{setup: p.buckets.setup, buckets: p.buckets},
			Told: &told{dir: p.state, stateDir: p.state, setup: p.buckets.setup, buckets: p.buckets},
		},
	}
}

// shown is what the console shows when these lines are typed.
func (p *place) shown(t *testing.T, lines ...string) string {
	t.Helper()
	var out bytes.Buffer
	if err := ui.RunAccessible(t.Context(), p.options(), strings.NewReader(strings.Join(lines, "\n")+"\n"), &out); err != nil {
		t.Fatal(err)
	}
	return strings.Join(strings.Fields(out.String()), " ") // however it was wrapped
}

func want(t *testing.T, shown string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(shown, text) {
			t.Errorf("no %q in:\n%s", text, shown)
		}
	}
}

func TestAnAlteredAndAnUnsignedSetReachTheScreenAsWhatTheyAre(t *testing.T) {
	p := newPlace(t, config.Keep{})
	p.plant(t, 3*time.Hour)
	altered, unsigned := p.plant(t, 2*time.Hour), p.plant(t, time.Hour)
	altered.Warnings = []string{"harmless"}
	p.commit(t, altered, false) // its old signature stays
	if _, err := p.bucket.Delete(t.Context(), []string{p.folder(unsigned) + "manifest.json.sig"}); err != nil {
		t.Fatal(err)
	}
	want(t, p.shown(t, "1", "2", "0", "0"), altered.ID+" is forged: signed by a key that is not among signing.public_keys", unsigned.ID+" is unsigned: nobody signed it",
		"FORGED, sales", "UNSIGNED, sales", "recoverable to", ", 3h 00m ago")
}

func TestABrokenChainAndALostNewestSetReachTheScreenWithARemedy(t *testing.T) {
	p := newPlace(t, config.Keep{})
	p.plant(t, 3*time.Hour)
	gone := p.plant(t, 2*time.Hour)
	p.plant(t, time.Hour)
	var keys []string
	for o, err := range p.bucket.List(t.Context(), p.folder(gone)) {
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, o.Key)
	}
	if _, err := p.bucket.Delete(t.Context(), keys); err != nil {
		t.Fatal(err)
	}
	want(t, p.shown(t, "1", "0"), "set "+gone.ID+" is gone", "To do: restore nothing until you know")
}

func TestThePreviewIsThePlanOfThePruneAndDeletesNothing(t *testing.T) {
	p := newPlace(t, config.Keep{Days: 3, MinGood: 1, By: config.PruneByTimer})
	for _, days := range []int{5, 4, 2, 1} {
		p.plant(t, time.Duration(days)*24*time.Hour+time.Hour)
	}
	p.put(t, backup.Folder("postgresql", "db01", "sales")+backup.NewID(time.Now())+"/globals.sql.zst", []byte("stands for globals"))
	shown := p.shown(t, "7", "1", "0", "0")
	want(t, shown, "days 3", "the prune timer deletes by them", "2 kept, 2 deleted (", "0 of 1 leftover", "kept by no rule (days 3)", "younger than a day", "pgbtui prune --job sales")
	plan, err := p.options().Sources.Retention.Plan(t.Context(), ui.Job{Name: "sales"})
	if err != nil || plan.Removes() != 2 {
		t.Errorf("%v, %v", plan.Pruning, err)
	}
}
