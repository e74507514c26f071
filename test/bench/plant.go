package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// A store of very many sets. It is a process of its own, so that its CPU is not taken for ours.

const plantedPrefix = "postgresql"

// serveFolder starts test/s3server in the rig's folder and waits until it listens.
func (r *rig) serveFolder(ctx context.Context) (pid int, err error) {
	cmd := exec.CommandContext(ctx, filepath.Join(r.dir, "s3server"), "-dir", filepath.Join(r.dir, "store"), "-listen", "127.0.0.1:0",
		"-bucket", bucketName, "-access-key", s3server.DefaultAccessKey, "-secret-key", s3server.DefaultSecretKey)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return 0, err
	}
	r.endStore = append(r.endStore, func() error {
		err := cmd.Process.Signal(syscall.SIGTERM)
		return errors.Join(err, cmd.Wait())
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	_, address, ok := strings.Cut(strings.TrimSpace(line), "listening on ")
	if err != nil || !ok {
		return 0, fmt.Errorf("s3server: %q, %w", line, err)
	}
	r.endpoint = "http://" + address
	return cmd.Process.Pid, nil
}

// plant stores sets of one instance, ten minutes apart, the newest ten minutes old.
func (r *rig) plant(ctx context.Context, instance string, sets int) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(16)
	newest := time.Now().UTC().Truncate(time.Second)
	for n := range sets {
		group.Go(func() error { return r.plantOne(ctx, instance, newest.Add(-time.Duration(n+1)*10*time.Minute)) })
	}
	return group.Wait()
}

// plantOne stores what a backup and a verification do, with documents of the usual size.
func (r *rig) plantOne(ctx context.Context, instance string, at time.Time) error {
	m := usualManifest(instance, at)
	dir := backup.Folder(plantedPrefix, instance, smallDatabase) + m.ID + "/"
	var failed []error
	put := func(name string, body []byte) backup.Object {
		_, err := r.bucket.Put(ctx, dir+name, body, s3.PutOptions{})
		failed = append(failed, err)
		return backup.Object{
			Key: name, SizeBytes: int64(len(body)), SHA256: fmt.Sprintf("%x", sha256.Sum256(body)), CRC64NVME: "AAAAAAAAAAA=",
			RawBytes: int64(len(body)), StorageClass: "STANDARD_IA", SSE: "AES256",
		}
	}
	globals, contents := put(backup.GlobalsName, []byte("globals")), put(backup.ContentsName, []byte("contents"))
	m.Globals, m.Contents, m.Dump = &globals, &contents, put(backup.DumpName, []byte("dump"))
	proof, err1 := json.MarshalIndent(backup.Proof{
		Schema: 1, Set: m.ID, Kind: "verify", Level: "readable", OK: true, FinishedAt: at.Add(time.Hour),
	}, "", "  ")
	put(backup.ProofsFolder+backup.NewID(at)+"-verify.json", proof)
	raw, err2 := json.MarshalIndent(m, "", "  ")
	put(backup.ManifestName, raw)
	return errors.Join(append(failed, err1, err2)...)
}

func usualManifest(instance string, at time.Time) backup.Manifest {
	m := backup.Manifest{
		Schema: 1, ID: backup.NewID(at), Instance: printable.Name(instance), Database: smallDatabase, Job: smallDatabase,
		Host: "db1.example.com", RunID: backup.NewID(at), InvocationID: strings.Repeat("0f", 16), Trigger: "timer", Tool: "pgbtui 0.1.0",
		StartedAt: at, FinishedAt: at.Add(time.Minute), DumpClient: "pg_dump (PostgreSQL) 15.18", Sequence: 1,
		Server: backup.Server{
			Version: "15.18", VersionNum: 150018, SystemIdentifier: "7412345678901234567", SizeBytes: 1 << 30, Encoding: "UTF8",
			Collate: "C.UTF-8", Ctype: "C.UTF-8", LocaleProvider: "libc",
		},
		Summary: backup.Summary{
			Scanned: true, Tables: 41, Rows: 331_000, Objects: 900, RawBytes: 1 << 29, Extensions: []string{"plpgsql", "pgcrypto"},
		},
	}
	stages := []backup.Stage{
		backup.StageLock, backup.StagePreflight, backup.StageGlobals, backup.StageDump, backup.StageConfirm, backup.StageCommit,
	}
	for _, stage := range stages {
		m.Stages = append(m.Stages, backup.StageTime{Stage: stage, StartedAt: at, Seconds: 1.953})
	}
	return m
}
