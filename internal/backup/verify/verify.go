// Package verify reads sets back, whole or a sample of one, records what that shows, and selects the sets that need it.
package verify

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"filippo.io/age"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/meter"
	"codeberg.org/pgbtui/pgbtui/internal/backup/stored"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/event"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
	"codeberg.org/pgbtui/pgbtui/internal/postgres/archive"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

// Result is what Verify found, and where it was recorded.
type Result struct {
	Proof    backup.Proof
	Recorded string   // key of the proof object; "" when it could not be written
	Warnings []string // what kept the verification from being complete or recorded
}

// Whole reads back everything of a set: stored bytes against size and SHA-256, decryption,
// decompression, a full decode by pg_restore, and the rows counted in the stream against those
// counted when it was written. Without an identity an encrypted set is only held against its
// hashes, and the proof says so. A set that fails is code Integrity, and the failure is recorded
// as evidence too.
func Whole(
	ctx context.Context, job config.Job, env backup.Env, set *backup.Set, identities []age.Identity,
) (*Result, error) {
	return verify(ctx, &verifying{job: job, env: env, set: set, identities: identities})
}

func verify(ctx context.Context, v *verifying) (*Result, error) {
	v.log = v.env.Log.With(slog.String("set", v.set.ID), slog.String("database", v.set.Database))
	v.meter = meter.New("verify", v.set.Database, v.job.StallAfter, v.env.Progress)
	ctx, stop := v.meter.Follow(ctx)
	defer stop()
	v.log.InfoContext(ctx, "verification of "+v.set.ID+" started", event.Attr(event.VerifyStarted))
	v.begin()
	err := backup.Unusable(v.set)
	if err == nil {
		err = backup.CauseOf(ctx, v.read(ctx))
	}
	return v.conclude(ctx, err)
}

type verifying struct {
	job        config.Job
	env        backup.Env
	set        *backup.Set
	identities []age.Identity
	subset     float64 // share of the dump's frames to read; 0: everything
	contents   *backup.Contents
	kept       stored.Spool // the stored dump on disk, of a set without an index
	log        *slog.Logger
	meter      *meter.Meter
	proof      backup.Proof
	warnings   []string
}

func (v *verifying) begin() {
	v.proof = backup.Proof{
		Schema: backup.ManifestSchema, Set: v.set.ID, Kind: "verify", Level: backup.LevelReadable.String(),
		StartedAt: v.env.Stamp(), Host: v.env.Host, InvocationID: v.env.InvocationID,
		NotProven: []string{"that it restores into a server: extensions, roles, locales and space are not tried"},
	}
}

func (v *verifying) read(ctx context.Context) error {
	if err := v.manifest(ctx); err != nil {
		return err
	}
	if v.subset > 0 {
		return v.sample(ctx)
	}
	if v.set.Encrypted() && len(v.identities) == 0 {
		v.warnings = append(v.warnings,
			"the set is encrypted and there is no age identity here: only its stored bytes were checked")
		v.proof.Level = backup.LevelStored.String()
		v.proof.NotProven = append(v.proof.NotProven, "that it can be decrypted, decompressed and decoded")
		return v.hashOnly(ctx)
	}
	if err := v.small(ctx); err != nil {
		return err
	}
	return v.decode(ctx)
}

// manifest reads the manifest in the bucket: what is known of it may be what this host kept of an earlier listing.
func (v *verifying) manifest(ctx context.Context) error {
	if v.set.ManifestSum == "" {
		return nil // of the old script
	}
	key := v.set.Dir + backup.ManifestName
	return stored.Twice(ctx, v.env, key, func() error {
		raw, _, err := backup.Fetch(ctx, v.env.Bucket, key, backup.MaxManifest)
		switch {
		case errors.Is(err, s3.ErrNotFound):
			return fault.New(fault.Integrity, "backup: "+key+" is missing", "Restore another set.", err)
		case err != nil:
			return err
		case fmt.Sprintf("%x", sha256.Sum256(raw)) != v.set.ManifestSum:
			return fault.New(fault.Integrity, "backup: "+key+" is not what it was when it was first read",
				"Restore another set.", nil)
		}
		return nil
	})
}

// hashOnly reads the stored bytes of every object.
func (v *verifying) hashOnly(ctx context.Context) error {
	v.meter.Enter(backup.StageRead, v.set.StoredSize)
	for _, o := range v.set.Manifest.Objects() {
		n, err := stored.Check(ctx, v.env, v.set.Dir+o.Key, o, v.meter)
		v.proof.Bytes += n
		if err != nil {
			return err
		}
	}
	return nil
}

// small reads globals and contents back whole.
func (v *verifying) small(ctx context.Context) error {
	if v.set.Manifest == nil {
		return nil
	}
	v.meter.Enter(backup.StageRead, 0)
	for _, o := range []*backup.Object{v.set.Manifest.Globals, v.set.Manifest.Contents} {
		if o == nil {
			continue
		}
		if err := v.readThrough(ctx, o); err != nil {
			return err
		}
		v.proof.Bytes += o.SizeBytes
	}
	return nil
}

// readThrough reads one to its end, and what the contents say.
func (v *verifying) readThrough(ctx context.Context, o *backup.Object) (err error) {
	if o == v.set.Manifest.Contents {
		v.contents, err = stored.Contents(ctx, v.env, v.set, v.identities)
		return err
	}
	plain, err := stored.OpenSmall(ctx, v.env, v.set, o, v.identities)
	if err != nil {
		return err
	}
	defer func() { _ = plain.Close() }()
	_, err = io.Copy(io.Discard, plain)
	return err
}

// decode sends the dump through the scanner and pg_restore at once.
func (v *verifying) decode(ctx context.Context) error {
	tools, err := stored.Tools(ctx, v.job.Postgres.BinDir, v.set, postgres.FindTools)
	if err != nil {
		return err
	}
	total := v.set.StoredSize
	if v.set.Manifest != nil {
		total = v.set.Manifest.RawBytes()
	}
	defer func() { v.kept.Remove() }()
	dump, err := v.reading().Open(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = dump.Close() }()
	v.meter.Enter(backup.StageDecode, total)
	scanner := archive.NewScanner(archive.Options{})
	v.meter.WatchTable(scanner.Current)
	if err := tools.Decode(ctx, io.TeeReader(dump, io.MultiWriter(scanner, v.meter))); err != nil {
		return err
	}
	v.proof.Bytes += dump.Fetched()
	return v.compare(scanner)
}

// reading is the dump as it has to be read.
func (v *verifying) reading() *stored.Reading {
	return &stored.Reading{
		Env: v.env, Set: v.set, Identities: v.identities, Frames: v.contents.Index(), Contents: v.contents,
		Meter: v.meter, Spool: &v.kept, Dir: v.job.SpoolDir,
	}
}

// compare holds the counts of the stream against those of the manifest.
func (v *verifying) compare(scanner *archive.Scanner) error {
	found, err := scanner.Close()
	if err != nil {
		damaged := errors.Is(err, archive.ErrTruncated) || errors.Is(err, archive.ErrCorrupt)
		if m := v.set.Manifest; damaged && (m == nil || m.Summary.Scanned) {
			return fault.New(fault.Integrity, "backup: the dump", "Restore another set.", err)
		}
		// The bytes are those that were stored, and the scanner did not follow them then either.
		v.warnings = append(v.warnings, "rows were not counted: "+err.Error())
		v.proof.NotProven = append(v.proof.NotProven, "the number of rows")
		return nil
	}
	got := backup.Summarise(found, 0)
	v.proof.Tables, v.proof.Rows = got.Tables, got.Rows
	if v.set.Manifest == nil || !v.set.Manifest.Summary.Scanned {
		v.proof.NotProven = append(v.proof.NotProven, "the number of rows: none were recorded when the set was written")
		return nil
	}
	want := v.set.Manifest.Summary
	if got.Tables != want.Tables || got.Rows != want.Rows || got.LargeObjects != want.LargeObjects {
		return fault.New(fault.Integrity, fmt.Sprintf("backup: the dump has %d tables, %d rows and %d large objects, the "+
			"manifest says %d, %d and %d",
			got.Tables, got.Rows, got.LargeObjects, want.Tables, want.Rows, want.LargeObjects), "Restore another set.", nil)
	}
	return nil
}

// conclude records the evidence, also of a failure that lies in the set. A verification that
// could not be carried out proves nothing and is not recorded.
func (v *verifying) conclude(ctx context.Context, err error) (*Result, error) {
	v.proof.FinishedAt = v.env.Stamp()
	v.proof.Stages = v.meter.Stages()
	v.proof.OK = err == nil
	logCtx := context.WithoutCancel(ctx)
	if err != nil {
		v.log.ErrorContext(logCtx, "verification failed: "+err.Error(), event.Attr(event.VerifyFailed),
			slog.String("remedy", fault.Remedy(err)))
		if fault.CodeOf(err) != fault.Integrity {
			return nil, err
		}
		v.proof.Error, v.proof.Fault = err.Error(), backup.FaultBytes
		if v.subset > 0 { // one bad part refutes more than a sample could show
			v.proof.Level = backup.LevelReadable.String()
		}
	}
	result := &Result{Proof: v.proof}
	result.Recorded = v.record(logCtx)
	result.Warnings = v.warnings
	if err == nil {
		v.log.InfoContext(logCtx, fmt.Sprintf("verified %s: %s, %s", v.set.ID, v.proof.Level, v.proof.Shown()),
			event.Attr(event.VerifyOK), slog.Int64("bytes", v.proof.Bytes))
	}
	return result, err
}

func (v *verifying) record(ctx context.Context) string {
	key, warning := backup.RecordProof(ctx, v.env.Bucket, v.set, v.proof)
	if warning != "" {
		v.warnings = append(v.warnings, warning)
	}
	return key
}
