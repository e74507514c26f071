package backup

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// What a listing of very many sets costs, see docs/performance.md. The store of the benchmark is made
// once and takes a minute or two; PGBTUI_BENCH_STORE keeps it in a folder for the next time.

const (
	benchSets     = 20_000
	benchInstance = "db1"
	benchDatabase = "sales"
)

// manySets is a store of one database's sets, five objects each, the newest a few minutes old.
func manySets(b *testing.B) *s3.Bucket {
	b.Helper()
	b.Setenv("AWS_ACCESS_KEY_ID", "test")
	b.Setenv("AWS_SECRET_ACCESS_KEY", "testtest")
	dir := os.Getenv("PGBTUI_BENCH_STORE")
	if dir == "" {
		dir = b.TempDir()
	}
	_, err := os.Stat(dir + "/backups/whole")
	whole := err == nil
	store := s3server.Start(b, s3server.With(func(o *s3server.Options) {
		o.Dir, o.AccessKey, o.SecretKey = dir, "test", "testtest"
	}))
	bucket, err := s3.Open(b.Context(), s3.Options{Bucket: store.Bucket, Endpoint: store.Endpoint, Region: store.Region})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(bucket.Close)
	if !whole {
		plantMany(b, bucket)
		if err := os.WriteFile(dir+"/backups/whole", nil, 0o600); err != nil {
			b.Fatal(err)
		}
	}
	return bucket
}

func plantMany(b *testing.B, bucket *s3.Bucket) {
	b.Helper()
	var group errgroup.Group
	group.SetLimit(16)
	newest := time.Now().UTC().Truncate(time.Second)
	for n := range benchSets {
		group.Go(func() error { return plantOne(b, bucket, newest.Add(-time.Duration(n+1)*10*time.Minute)) })
	}
	if err := group.Wait(); err != nil {
		b.Fatal(err)
	}
}

// plantOne stores a set as a backup does, with a manifest of the usual size.
func plantOne(b *testing.B, bucket *s3.Bucket, at time.Time) error {
	dir := Folder("postgresql", benchInstance, benchDatabase)
	m := Manifest{
		Schema: 1, ID: NewID(at), Instance: benchInstance, Database: benchDatabase, Job: benchDatabase, Host: "db1.example.com",
		RunID: NewID(at), InvocationID: strings.Repeat("0f", 16), Trigger: "timer", Tool: "pgbtui 0.1.0",
		StartedAt: at, FinishedAt: at.Add(time.Minute), DumpClient: "pg_dump (PostgreSQL) 15.18",
		Server:   Server{Version: "15.18", VersionNum: 150018, SystemIdentifier: "7412345678901234567", SizeBytes: 1 << 30, Encoding: "UTF8", Collate: "C.UTF-8", Ctype: "C.UTF-8", LocaleProvider: "libc"},
		Summary:  Summary{Scanned: true, Tables: 41, Rows: 331_000, Objects: 900, RawBytes: 1 << 29, Extensions: []string{"plpgsql", "pgcrypto"}},
		Sequence: 1,
	}
	for _, stage := range []Stage{StageLock, StagePreflight, StageGlobals, StageDump, StageConfirm, StageCommit} {
		m.Stages = append(m.Stages, StageTime{Stage: stage, StartedAt: at, Seconds: 1.953})
	}
	dir += m.ID + "/"
	put := func(name string, body []byte) (Object, error) {
		_, err := bucket.Put(b.Context(), dir+name, body, s3.PutOptions{})
		return Object{
			Key: name, SizeBytes: int64(len(body)), SHA256: fmt.Sprintf("%x", sha256.Sum256(body)), CRC64NVME: "AAAAAAAAAAA=",
			RawBytes: int64(len(body)), StorageClass: "STANDARD_IA", SSE: "AES256",
		}, err
	}
	globals, err1 := put(globalsName, []byte("globals"))
	contents, err2 := put(contentsName, []byte("contents"))
	dump, err3 := put(dumpName, []byte("dump"))
	m.Globals, m.Contents, m.Dump = &globals, &contents, dump
	proof, _ := json.MarshalIndent(Proof{Schema: 1, Set: m.ID, Kind: "verify", Level: "readable", OK: true, FinishedAt: at.Add(time.Hour)}, "", "  ")
	_, err4 := put(proofsFolder+NewID(at)+"-verify.json", proof)
	raw, _ := json.MarshalIndent(m, "", "  ")
	_, err5 := put(manifestName, raw)
	for _, err := range []error{err1, err2, err3, err4, err5} {
		if err != nil {
			return err
		}
	}
	return nil
}

func benchCatalogue(bucket *s3.Bucket) *Catalogue {
	return NewCatalogue(bucket, config.Job{S3: config.S3{Prefix: "postgresql"}})
}

// BenchmarkListKeys is the listing alone: what the keys cost to get.
func BenchmarkListKeys(b *testing.B) {
	bucket := manySets(b)
	b.ResetTimer()
	for b.Loop() {
		n := 0
		for _, err := range bucket.List(b.Context(), "postgresql/") {
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
		if n != 5*benchSets {
			b.Fatalf("%d objects", n)
		}
	}
}

// BenchmarkListCold is `list` on a host that has read nothing yet.
func BenchmarkListCold(b *testing.B) {
	bucket := manySets(b)
	b.ResetTimer()
	for b.Loop() {
		sets, err := benchCatalogue(bucket).Sets(b.Context(), Scope{})
		if err != nil || len(sets) != benchSets {
			b.Fatal(len(sets), err)
		}
	}
}

// BenchmarkListWarm is `list` in a process of its own, on a host that has listed before.
func BenchmarkListWarm(b *testing.B) {
	bucket := manySets(b)
	dir := os.Getenv("PGBTUI_BENCH_STORE") + "/kept"
	if dir == "/kept" {
		dir = b.TempDir() + dir
	}
	list := func() {
		sets, err := benchCatalogue(bucket).KeepIn(dir).Sets(b.Context(), Scope{})
		if err != nil || len(sets) != benchSets {
			b.Fatal(len(sets), err)
		}
	}
	list()
	b.ResetTimer()
	for b.Loop() {
		list()
	}
}
