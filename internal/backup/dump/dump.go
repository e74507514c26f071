package dump

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/meter"
	"codeberg.org/pgbtui/pgbtui/internal/backup/retention"
	"codeberg.org/pgbtui/pgbtui/internal/backup/sealed"
	"codeberg.org/pgbtui/pgbtui/internal/backup/stored"
	"codeberg.org/pgbtui/pgbtui/internal/bounded"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
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
	done, err := r.env.Bucket.Put(ctx, key, packed,
		s3.PutOptions{ContentType: backup.ContentType, Metadata: r.metadata(), Lock: r.retain})
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

func (r *run) upload(ctx context.Context) (*s3.Upload, error) {
	key := r.dir + backup.DumpName + r.ending()
	r.written = append(r.written, key)
	upload, err := r.env.Bucket.Upload(ctx, key, s3.UploadOptions{
		ExpectedBytes: r.facts.SizeBytes, ContentType: backup.ContentType, Metadata: r.metadata(), Lock: r.retain,
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
	settings, err := r.server.Settings(ctx)
	if err != nil {
		return err
	}
	roles, err := r.server.RoleUses(ctx)
	if err != nil {
		return err
	}
	extensions, err := r.server.Extensions(ctx)
	if err != nil {
		return err
	}
	meaning, err := r.server.Meaning(ctx)
	if err != nil {
		return err
	}
	tenant, err := r.tenant(ctx, &settings, &roles, &extensions)
	if err != nil {
		return err
	}
	without, err := r.leaveOut(ctx)
	if err != nil {
		return err
	}
	r.enter(ctx, backup.StageDump, r.facts.SizeBytes)
	upload, err := r.upload(ctx)
	if err != nil {
		return err
	}
	r.meter.WatchMoved(upload.Moved)
	stream := &dumpStream{
		scanner: archive.NewScanner(archive.Options{}), meter: r.meter, without: without, schema: tenant.pattern,
	}
	if r.job.Schema != "" || r.job.Partial() { // else the database's own setting of client_encoding holds
		stream.encoding = r.facts.Locale.Encoding
	}
	if err := r.pump(ctx, stream, upload); err != nil {
		r.abort(ctx, upload)
		return err
	}
	r.enter(ctx, backup.StageConfirm, 0)
	done, err := upload.Complete(ctx)
	if err != nil {
		r.abort(ctx, upload)
		return err
	}
	object, err := r.confirm(ctx, done, backup.DumpName, stream.index.RawBytes)
	if err != nil {
		return err
	}
	r.manifest.Dump = *object
	contents := backup.Contents{
		Database: &settings, Roles: roles, Extensions: extensions, Server: meaning,
		WithoutTables: without.tables, WithoutRows: without.rows,
		Tenant: r.job.Schema, Outside: tenant.outside,
	}
	r.manifest.Partial = backup.PartialOf(&contents, len(r.recipients) > 0)
	return r.describe(ctx, stream, contents)
}

// dumpStream is what one pass over the dump leaves: the scanner's findings and the frames.
type dumpStream struct {
	scanner  *archive.Scanner
	meter    *meter.Meter
	without  leftOut
	encoding string // in which names are told to pg_dump; "" where none are
	schema   string // the only one, as pg_dump takes it; "": all
	index    sealed.Index
	warnings []string // pg_dump's own, in their order; complete after its Wait
}

// maxDumpWarnings bounds what one set keeps of pg_dump's warnings.
const maxDumpWarnings = 20

// hear keeps what pg_dump warns of, such as subscriptions that its role may not read: the dump is
// good, but not all of the database.
func (s *dumpStream) hear(line string) {
	if strings.HasPrefix(line, "pg_dump: warning: ") && len(s.warnings) < maxDumpWarnings {
		s.warnings = append(s.warnings, line)
	}
}

func (r *run) pump(ctx context.Context, s *dumpStream, upload *s3.Upload) error {
	sealer, err := sealed.NewWriter(upload, r.recipients, sealed.Level(r.job.Compression))
	if err != nil {
		return err
	}
	defer sealer.Abort()
	defer r.meter.WatchWork(ctx, r.server, r.job.Database)()
	process, err := r.tools.Dump(ctx, r.target(), postgres.DumpOptions{
		LockWait: r.job.LockWait, OnLine: s.hear, PlainStrings: r.facts.OldStrings,
		WithoutTables: s.without.tablePatterns, WithoutRows: s.without.rowPatterns, Schema: s.schema,
		Encoding: s.encoding,
	})
	if err != nil {
		return err
	}
	defer func() { _ = process.Close() }()
	r.meter.WatchTable(s.scanner.Current)
	_, copyErr := io.CopyBuffer(struct{ io.Writer }{io.MultiWriter(sealer, s.scanner, s.meter)},
		struct{ io.Reader }{process}, make([]byte, copyBytes))
	if copyErr != nil {
		return backup.CauseOf(ctx, copyErr) // pg_dump's own complaint would only be a consequence
	}
	if err := process.Wait(); err != nil {
		return err
	}
	for _, line := range s.warnings {
		r.warn(ctx, line)
	}
	if err := sealer.Close(); err != nil {
		return err
	}
	s.index = sealer.Index()
	r.manifest.Compression = &backup.Compression{Setting: r.job.Compression.String(), Levels: sealer.Levels()}
	return nil
}

// describe stores the contents and fills the manifest's summary. A scanner that gave up costs a
// warning.
func (r *run) describe(ctx context.Context, s *dumpStream, contents backup.Contents) error {
	found, err := s.scanner.Close()
	if err != nil {
		if wrong := r.doubted(ctx, s, err); wrong != nil {
			return wrong
		}
		r.warn(ctx, "contents of the dump are not known: "+err.Error())
		found = nil
	}
	r.manifest.Summary = backup.Summarise(found, s.index.RawBytes)
	if err := r.refuseSuddenlyEmpty(ctx); err != nil {
		return err
	}
	r.warnOfDrops(ctx)
	contents.Schema = backup.ManifestSchema
	contents.Archive = found
	contents.Frames = s.index
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
