package dump

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/signing"
	"codeberg.org/pgbtui/pgbtui/internal/event"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

// commit looks at the set as a whole, proves both locks again and writes the manifest. From here
// on the backup exists.
func (r *run) commit(ctx context.Context) error {
	r.enter(ctx, backup.StageCommit, 0)
	r.link(ctx)
	r.fill()
	body, err := json.MarshalIndent(&r.manifest, "", "  ")
	if err != nil {
		return fmt.Errorf("backup: write manifest: %w", err)
	}
	if err := r.sign(ctx, body); err != nil {
		return err
	}
	if err := r.allThere(ctx); err != nil {
		return err
	}
	if err := r.guard.prove(ctx); err != nil {
		return err
	}
	if err := r.putManifest(ctx, body); err != nil && !r.committedAnyway(ctx, body, err) {
		return err
	}
	if err := r.remember(body); err != nil {
		r.warn(ctx, err.Error())
	}
	m := &r.manifest
	r.log.InfoContext(context.WithoutCancel(ctx), fmt.Sprintf("backup of %s committed: %s", r.job.Subject(), m.ID),
		event.Attr(event.BackupCommitted), slog.String("set", m.ID),
		slog.Int64("bytes", m.DumpBytes()), slog.Int64("raw_bytes", m.RawBytes()), slog.Int64("rows", m.Summary.Rows),
		slog.Float64("seconds", m.FinishedAt.Sub(m.StartedAt).Seconds()))
	return nil
}

// allThere holds the folder against the manifest: in the hours of a dump somebody may have
// removed the globals that were stored at its start.
func (r *run) allThere(ctx context.Context) error {
	seen := backup.Gathered{
		Set:   backup.Set{ID: r.manifest.ID, Instance: r.job.Instance, Database: r.job.Database, Schema: r.job.Schema},
		Sizes: map[string]int64{},
	}
	for o, err := range r.env.Bucket.List(ctx, r.dir) {
		if fault.CodeOf(err) == fault.NotPermitted {
			return nil // some writers may not list
		}
		if err != nil {
			return err
		}
		if name := o.Key[len(r.dir):]; backup.Made(name) {
			seen.Sizes[name] = o.Size
		}
	}
	problem := r.manifest.Disagrees(&seen)
	if problem == "" && r.opts.Signer != nil && seen.Sizes[backup.SignatureName] != signing.SignatureBytes {
		problem = "the manifest's signature is missing"
	}
	if problem != "" {
		return fault.New(fault.Failed, "backup: before the commit: "+problem,
			"Find out who deletes objects in the bucket: prune, a lifecycle rule or another tool.", nil)
	}
	return nil
}

// putManifest must not arrive after the lease that was just proved has run out.
func (r *run) putManifest(ctx context.Context, body []byte) error {
	ctx, cancel := context.WithTimeout(ctx, max(r.leaseTerm(), 10*time.Second))
	defer cancel()
	key := r.dir + backup.ManifestName
	opts := s3.PutOptions{IfNoneMatch: true, ContentType: "application/json", Lock: r.retain}
	_, err := r.env.Bucket.Put(ctx, key, body, opts)
	if errors.Is(err, s3.ErrConditionsUnsupported) {
		opts.IfNoneMatch = false
		_, err = r.env.Bucket.Put(ctx, key, body, opts)
	}
	return err
}

// committedAnyway asks the bucket after a put that failed without a clear answer. When the answer
// to that is unknown as well, what was written stays: it may be a whole backup, and prune removes
// it later when it is not.
func (r *run) committedAnyway(ctx context.Context, body []byte, err error) bool {
	if code := fault.CodeOf(err); code == fault.NotPermitted || code == fault.Config {
		return false
	}
	ctx, cancel := backup.Afterwards(ctx)
	defer cancel()
	there, _, lookErr := backup.Fetch(ctx, r.env.Bucket, r.dir+backup.ManifestName, backup.MaxManifest)
	switch {
	case lookErr == nil && bytes.Equal(there, body):
		return true
	case errors.Is(lookErr, s3.ErrNotFound):
		// A put that is still on its way must not appear behind us either.
		r.written = append([]string{r.dir + backup.ManifestName}, r.written...)
	default:
		r.written = nil
		r.log.WarnContext(ctx,
			"it is not known whether the manifest was written: the set stays, `pgbtui list` shows it if it was",
			event.Attr(event.Warning))
	}
	return false
}

// undo removes what this run wrote. What it can't remove, preflight of the next run or prune will.
func (r *run) undo(ctx context.Context) {
	if len(r.written) == 0 {
		return
	}
	ctx, cancel := backup.Afterwards(ctx)
	defer cancel()
	if _, err := r.env.Bucket.Delete(ctx, r.written); err != nil {
		r.log.InfoContext(ctx, "objects of this run stay until retention or `pgbtui prune` a day later: "+err.Error())
	}
}

func (r *run) fill() {
	m := &r.manifest
	m.Schema = backup.ManifestSchema
	if m.Partial != nil {
		m.Schema = backup.PartialSchema
	}
	if len(m.Streams) > 0 {
		m.Schema = backup.StreamsSchema
	}
	m.ID = r.opts.ID
	m.Job = r.job.Name
	m.Instance, m.Database = printable.Name(r.job.Instance), printable.Name(r.job.Database)
	m.Host = r.env.Host
	m.RunID = r.opts.ID
	m.InvocationID = r.env.InvocationID
	m.Trigger = r.env.Trigger
	m.Tool = r.env.Tool
	m.Encryption.Recipients = r.job.Encryption.Recipients
	f := r.facts
	m.Server = backup.Server{
		Version: f.Version, VersionNum: f.VersionNum, SystemIdentifier: f.SystemIdentifier, SizeBytes: f.SizeBytes,
		Encoding: f.Locale.Encoding, Collate: f.Locale.Collate, Ctype: f.Locale.Ctype, LocaleProvider: f.Locale.Provider,
		Locale: f.Locale.Name, InRecovery: f.InRecovery,
	}
	m.DumpClient = r.tools.Version
	if r.opts.Signer != nil {
		m.Signer = r.opts.Signer.ID()
	}
	m.Warnings, m.Stages = backup.Shorten(r.warnings), r.meter.Stages()
	m.FinishedAt = r.env.Stamp()
}
