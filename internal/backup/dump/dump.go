package dump

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync/atomic"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/retention"
	"codeberg.org/pgbtui/pgbtui/internal/backup/sealed"
	"codeberg.org/pgbtui/pgbtui/internal/backup/stored"
	"codeberg.org/pgbtui/pgbtui/internal/bounded"
	"codeberg.org/pgbtui/pgbtui/internal/event"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres/archive"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

// copyBytes is how much is taken from pg_dump's pipe at once.
const copyBytes = 256 << 10

// globals stores roles, memberships and tablespaces. Failing to do so costs a warning, not the
// backup: the dump alone is worth having.
func (r *run) globals(ctx context.Context) error {
	r.enter(ctx, backup.StageGlobals, 0)
	if r.job.Schema != "" {
		return r.tenantRoles(ctx)
	}
	// Role passwords (verifiers) leave the server only when we encrypt.
	script, err := r.readGlobals(ctx, len(r.recipients) > 0)
	if err != nil && len(r.recipients) > 0 && ctx.Err() == nil {
		// Reading verifiers takes pg_authid, which a backup role need not have.
		refused := err
		if script, err = r.readGlobals(ctx, false); err == nil {
			r.warn(ctx, "the globals in this set are without role passwords: "+refused.Error())
		}
	}
	if err != nil {
		if ctx.Err() != nil {
			return err
		}
		r.warn(ctx, "no globals in this set: "+err.Error())
		return nil
	}
	object, err := r.store(ctx, backup.GlobalsName, script)
	r.manifest.Globals = object
	return err
}

func (r *run) readGlobals(ctx context.Context, passwords bool) ([]byte, error) {
	process, err := r.tools.Globals(ctx, r.target(), passwords)
	if err != nil {
		return nil, err
	}
	defer func() { _ = process.Close() }()
	script, err := bounded.ReadAll(process, backup.MaxGlobals)
	if errors.Is(err, bounded.ErrTooLarge) { // it still writes: waiting for its end would be for ever
		return nil, fmt.Errorf("more than %d bytes of globals", backup.MaxGlobals)
	}
	if waitErr := process.Wait(); waitErr != nil {
		return nil, waitErr
	}
	return script, err
}

// store packs and puts one small object of the set and confirms it.
func (r *run) store(ctx context.Context, name string, raw []byte) (*backup.Object, error) {
	packed, err := sealed.Pack(raw, r.recipients)
	if err != nil {
		return nil, err
	}
	key := r.dir + name + r.ending()
	r.written = append(r.written, key)
	var moved atomic.Int64
	r.meter.WatchMoved(moved.Load)
	done, err := r.env.Bucket.Put(ctx, key, packed,
		s3.PutOptions{ContentType: backup.ContentType, Metadata: r.metadata(), Lock: r.retain, Moved: &moved})
	if err != nil {
		return nil, err
	}
	return r.confirm(ctx, done, name, int64(len(raw)))
}

func (r *run) metadata() map[string]string { return map[string]string{"pgbtui-set": r.opts.ID} }

func (r *run) ending() string {
	if len(r.recipients) > 0 {
		return ".age"
	}
	return ""
}

// upload begins the object of a stream, which will have about so many bytes.
func (r *run) upload(ctx context.Context, name string, bytes int64) (*s3.Upload, error) {
	key := r.dir + name + r.ending()
	r.written = append(r.written, key)
	upload, err := r.env.Bucket.Upload(ctx, key, s3.UploadOptions{
		ExpectedBytes: bytes, ContentType: backup.ContentType, Metadata: r.metadata(), Lock: r.retain,
	})
	if err != nil {
		r.abortUnanswered(ctx, key)
	}
	return upload, err
}

// abortUnanswered: the store may have created the upload although its answer, with the ID that
// Abort needs, was lost. It is looked for by its whole key, by which all stores list it.
func (r *run) abortUnanswered(ctx context.Context, key string) {
	ctx, cancel := backup.Afterwards(ctx)
	defer cancel()
	if _, err := retention.SweepUploads(ctx, r.env.Bucket, key, time.Time{}); err != nil {
		r.log.InfoContext(ctx, "an unfinished upload of this run may stay until the next one: "+err.Error())
	}
}

func (r *run) abort(ctx context.Context, upload *s3.Upload) {
	ctx, cancel := backup.Afterwards(ctx)
	defer cancel()
	if err := upload.Abort(ctx); err != nil {
		r.log.InfoContext(ctx, "the unfinished upload stays until the next run: "+err.Error())
	}
}

// confirm reads size and checksum of a written object back from the store.
func (r *run) confirm(ctx context.Context, done s3.Object, name string, rawBytes int64) (*backup.Object, error) {
	seen, err := r.env.Bucket.Head(ctx, done.Key)
	if err != nil {
		return nil, fmt.Errorf("backup: read back: %w", err)
	}
	if seen.Size != done.Size || (seen.CRC64NVME != "" && seen.CRC64NVME != done.CRC64NVME) {
		return nil, fault.New(fault.Integrity, fmt.Sprintf(
			"backup: the store holds %d bytes (crc64nvme %s) of %s, but %d (%s) were sent",
			seen.Size, seen.CRC64NVME, done.Key, done.Size, done.CRC64NVME),
			"Do not rely on this store: it, or a proxy in front of it, damages data.", nil)
	}
	if seen.CRC64NVME == "" && name == backup.DumpName {
		r.log.InfoContext(ctx, "the store confirms sizes only, no checksums: `sudo pgbtui verify latest` is the proof here")
	}
	r.confirmLock(ctx, seen)
	object := &backup.Object{
		Key: name + r.ending(), SizeBytes: done.Size, SHA256: done.SHA256, CRC64NVME: done.CRC64NVME, RawBytes: rawBytes,
		StorageClass: seen.StorageClass, SSE: seen.SSE, VersionID: done.VersionID, LockMode: string(seen.LockMode),
	}
	if !seen.RetainUntil.IsZero() {
		object.RetainUntil = &seen.RetainUntil
	}
	return object, nil
}

// dump streams pg_dump into the bucket. pg_dump's exit status is known before the upload is
// completed: a dump that broke off can't become an object.
func (r *run) dump(ctx context.Context) error {
	contents, told, err := r.ask(ctx)
	if err != nil {
		return err
	}
	r.enter(ctx, backup.StageDump, r.facts.SizeBytes)
	if r.job.Bandwidth > 0 {
		r.meter.Limited(r.job.Bandwidth.String())
		r.log.InfoContext(ctx, "at most "+r.job.Bandwidth.InBits()+" are sent, by s3.bandwidth",
			event.Attr(event.BackupStage), slog.String("stage", string(backup.StageDump)))
	}
	streams, err := r.stream(ctx, told)
	if err != nil {
		return err
	}
	contents.Streams = streams.joined
	r.manifest.Partial = backup.PartialOf(&contents, len(r.recipients) > 0)
	return r.describe(ctx, streams, contents)
}

// told is what pg_dump is told of the job.
type told struct {
	without  leftOut
	encoding string // in which names are told to pg_dump; "" where none are
	schema   string // the only one, as pg_dump takes it; "": all
}

// ask is what the set says of the database besides its dump.
func (r *run) ask(ctx context.Context) (contents backup.Contents, told told, err error) {
	settings, err := r.server.Settings(ctx)
	if err != nil {
		return contents, told, err
	}
	if contents.Roles, err = r.server.RoleUses(ctx); err != nil {
		return contents, told, err
	}
	if contents.Extensions, err = r.server.Extensions(ctx); err != nil {
		return contents, told, err
	}
	if contents.Server, err = r.server.Meaning(ctx); err != nil {
		return contents, told, err
	}
	tenant, err := r.tenant(ctx, &settings, &contents.Roles, &contents.Extensions)
	if err != nil {
		return contents, told, err
	}
	if told.without, err = r.leaveOut(ctx); err != nil {
		return contents, told, err
	}
	told.schema = tenant.pattern
	if r.job.Schema != "" || r.job.Partial() { // else the database's own setting of client_encoding holds
		told.encoding = r.facts.Locale.Encoding
	}
	contents.Database = &settings
	contents.WithoutTables = told.without.tables
	contents.WithoutRows = told.without.rows
	contents.Tenant = r.job.Schema
	contents.Outside = tenant.outside
	return contents, told, nil
}

// describe stores the contents and fills the manifest's summary. A scanner that gave up costs a
// warning.
func (r *run) describe(ctx context.Context, s *streams, contents backup.Contents) error {
	found := s.found
	if s.unknown != nil {
		if wrong := r.doubted(ctx, s.lead(), s.unknown); wrong != nil {
			return wrong
		}
		r.warn(ctx, "contents of the dump are not known: "+s.unknown.Error())
	}
	r.manifest.Summary = backup.Summarise(found, r.manifest.RawBytes())
	if err := r.refuseSuddenlyEmpty(ctx); err != nil {
		return err
	}
	r.warnOfDrops(ctx)
	contents.Schema = backup.ManifestSchema
	if contents.Streams != nil {
		contents.Schema = backup.StreamsSchema
	}
	contents.Archive = found
	contents.Frames = s.lead().index
	raw, err := contents.Pack()
	if err != nil {
		return err
	}
	r.manifest.Contents, err = r.store(ctx, backup.ContentsName, raw)
	return err
}

// doubted asks pg_restore about a dump that the scanner holds for cut or corrupt although pg_dump
// reported success (a wrapper around it may lie). The scanner alone never fails a backup. An
// encrypted dump can't be read back here: then the warning has to do.
func (r *run) doubted(ctx context.Context, s *dumpStream, err error) error {
	if len(r.recipients) > 0 || !errors.Is(err, archive.ErrTruncated) && !errors.Is(err, archive.ErrCorrupt) {
		return nil
	}
	set := &backup.Set{Kind: backup.KindNative, Dir: r.dir, Manifest: &r.manifest}
	dump, err := (&stored.Reading{
		Env: r.env, Set: set, Frames: s.index, Meter: r.meter, Spool: &stored.Spool{}, Dir: r.job.SpoolDir,
	}).Open(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = dump.Close() }()
	return r.tools.Decode(ctx, io.TeeReader(dump, r.meter))
}

// refuseSuddenlyEmpty: an empty database is a fine backup, but not after one with tables.
func (r *run) refuseSuddenlyEmpty(ctx context.Context) error {
	if s := r.manifest.Summary; !s.Scanned || s.Tables > 0 || r.opts.AcceptEmpty {
		return nil
	}
	sets, err := r.setsBefore(ctx, nil)
	if err != nil {
		if code := fault.CodeOf(err); code == fault.NotPermitted || code == fault.NotFound {
			return nil
		}
		return err
	}
	before, _ := backup.NewestGood(backup.WhoseOf(r.job).Of(sets))
	if before == nil {
		before, _ = backup.NewestGood(sets) // the first set of a job may be the first that finds nothing
	}
	if before == nil || before.Manifest.Summary.Tables == 0 {
		return nil
	}
	return fault.New(fault.Refused,
		fmt.Sprintf("backup: the dump has no tables, the previous set (%s) had %d", before.ID,
			before.Manifest.Summary.Tables),
		"Check that this is the right server and database. If it really is empty now, run once with --accept-empty.", nil)
}
