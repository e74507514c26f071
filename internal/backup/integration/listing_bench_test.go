package integration

import (
	"bufio"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
	"codeberg.org/pgbtui/pgbtui/test/proc"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// What a listing of very many sets costs, see docs/performance.md. The store of the benchmark is made
// once and takes a minute or two; PGBTUI_BENCH_STORE keeps it in a folder for the next time.

const (
	benchSets     = 20_000
	benchInstance = "db1"
	benchDatabase = "sales"
)

// crowdedStore is a store of one database's sets, five objects each, the newest a few minutes old. It is a process
// of its own, so that its CPU is not taken for ours.
type crowdedStore struct {
	bucket *s3.Bucket
	pid    int
}

func manySets(b *testing.B) crowdedStore {
	b.Helper()
	b.Setenv("AWS_ACCESS_KEY_ID", "test")
	b.Setenv("AWS_SECRET_ACCESS_KEY", "testtest")
	dir := os.Getenv("PGBTUI_BENCH_STORE")
	if dir == "" {
		dir = b.TempDir()
	}
	_, err := os.Stat(dir + "/backups/whole")
	whole := err == nil
	endpoint, pid := serveFolder(b, dir)
	bucket, err := s3.Open(b.Context(), s3.Options{Bucket: "backups", Endpoint: endpoint, Region: s3server.DefaultRegion})
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
	return crowdedStore{bucket: bucket, pid: pid}
}

// serveFolder starts test/s3server and waits until it listens.
func serveFolder(b *testing.B, dir string) (endpoint string, pid int) {
	b.Helper()
	program := filepath.Join(b.TempDir(), "s3server")
	if out, err := exec.Command("go", "build", "-o", program, "codeberg.org/pgbtui/pgbtui/test/s3server/cmd/s3server").CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	cmd := exec.Command(program, "-dir", dir, "-listen", "127.0.0.1:0", "-access-key", "test", "-secret-key", "testtest")
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	_, address, ok := strings.Cut(strings.TrimSpace(line), "listening on ")
	if err != nil || !ok {
		b.Fatalf("%q, %v", line, err)
	}
	return "http://" + address, cmd.Process.Pid
}

// measured runs what is measured and reports the CPU of both sides besides its time.
func (s crowdedStore) measured(b *testing.B, run func()) {
	b.Helper()
	var before, after syscall.Rusage
	storeBefore, _, _ := proc.CPU(s.pid)
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &before)
	b.ResetTimer()
	for b.Loop() {
		run()
	}
	b.StopTimer()
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &after)
	own := time.Duration(after.Utime.Nano() + after.Stime.Nano() - before.Utime.Nano() - before.Stime.Nano())
	b.ReportMetric(own.Seconds()/float64(b.N), "own-CPU-s/op")
	storeAfter, _, _ := proc.CPU(s.pid)
	b.ReportMetric((storeAfter-storeBefore).Seconds()/float64(b.N), "store-CPU-s/op")
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
	dir := backup.Folder("postgresql", benchInstance, benchDatabase)
	m := backup.Manifest{
		Schema: 1, ID: backup.NewID(at), Instance: benchInstance, Database: benchDatabase, Job: benchDatabase, Host: "db1.example.com",
		RunID: backup.NewID(at), InvocationID: strings.Repeat("0f", 16), Trigger: "timer", Tool: "pgbtui 0.1.0",
		StartedAt: at, FinishedAt: at.Add(time.Minute), DumpClient: "pg_dump (PostgreSQL) 15.18",
		Server:   backup.Server{Version: "15.18", VersionNum: 150018, SystemIdentifier: "7412345678901234567", SizeBytes: 1 << 30, Encoding: "UTF8", Collate: "C.UTF-8", Ctype: "C.UTF-8", LocaleProvider: "libc"},
		Summary:  backup.Summary{Scanned: true, Tables: 41, Rows: 331_000, Objects: 900, RawBytes: 1 << 29, Extensions: []string{"plpgsql", "pgcrypto"}},
		Sequence: 1,
	}
	for _, stage := range []backup.Stage{backup.StageLock, backup.StagePreflight, backup.StageGlobals, backup.StageDump, backup.StageConfirm, backup.StageCommit} {
		m.Stages = append(m.Stages, backup.StageTime{Stage: stage, StartedAt: at, Seconds: 1.953})
	}
	dir += m.ID + "/"
	put := func(name string, body []byte) (backup.Object, error) {
		_, err := bucket.Put(b.Context(), dir+name, body, s3.PutOptions{})
		return backup.Object{
			Key: name, SizeBytes: int64(len(body)), SHA256: fmt.Sprintf("%x", sha256.Sum256(body)), CRC64NVME: "AAAAAAAAAAA=",
			RawBytes: int64(len(body)), StorageClass: "STANDARD_IA", SSE: "AES256",
		}, err
	}
	globals, err1 := put(backup.GlobalsName, []byte("globals"))
	contents, err2 := put(backup.ContentsName, []byte("contents"))
	dump, err3 := put(backup.DumpName, []byte("dump"))
	m.Globals, m.Contents, m.Dump = &globals, &contents, dump
	proof, _ := json.MarshalIndent(backup.Proof{Schema: 1, Set: m.ID, Kind: "verify", Level: "readable", OK: true, FinishedAt: at.Add(time.Hour)}, "", "  ")
	_, err4 := put(backup.ProofsFolder+backup.NewID(at)+"-verify.json", proof)
	raw, _ := json.MarshalIndent(m, "", "  ")
	_, err5 := put(backup.ManifestName, raw)
	for _, err := range []error{err1, err2, err3, err4, err5} {
		if err != nil {
			return err
		}
	}
	return nil
}

func (s crowdedStore) catalogue() *backup.Catalogue {
	return backup.NewCatalogue(s.bucket, config.Job{S3: config.S3{Prefix: "postgresql"}})
}

// BenchmarkListKeys is the listing alone: what the keys cost to get.
func BenchmarkListKeys(b *testing.B) {
	store := manySets(b)
	store.measured(b, func() {
		found, err := store.catalogue().Gather(b.Context(), backup.Scope{}, false)
		if err != nil || len(found.Order) != benchSets {
			b.Fatal(err)
		}
	})
}

// BenchmarkListCold is `list` on a host that has read nothing yet.
func BenchmarkListCold(b *testing.B) {
	store := manySets(b)
	store.measured(b, func() { store.list(b, "") })
}

// BenchmarkListWarm is `list` in a process of its own, on a host that has listed before.
func BenchmarkListWarm(b *testing.B) {
	store := manySets(b)
	dir := os.Getenv("PGBTUI_BENCH_STORE") + "/kept"
	if dir == "/kept" {
		dir = b.TempDir() + dir
	}
	store.list(b, dir)
	store.measured(b, func() { store.list(b, dir) })
}

func (s crowdedStore) list(b *testing.B, kept string) {
	b.Helper()
	sets, err := s.catalogue().KeepIn(kept).Sets(b.Context(), backup.Scope{})
	if err != nil || len(sets) != benchSets {
		b.Fatal(len(sets), err)
	}
}
