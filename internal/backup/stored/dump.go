package stored

import (
	"context"
	"fmt"
	"io"
	"os"

	"filippo.io/age"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/meter"
	"codeberg.org/pgbtui/pgbtui/internal/backup/sealed"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres/scratch"
)

// How the dump of a set is read. A dump is a program, and what reads it runs it.
//
// Rules: no byte is passed on that the manifest does not vouch for. The manifest vouches for the contents, they
// for each frame of the dump, and a frame is checked before it is decompressed. Where there is no index of
// frames, the stored object is spooled to a private folder and checked whole, and read from there: a store
// that is asked twice may answer twice. For an object of the old script nobody vouches, so it is read as it
// comes; with signing keys configured it is an unsigned set, and has to be accepted by name.

// Reading is a dump, and what it takes to read it.
type Reading struct {
	Env        backup.Env
	Set        *backup.Set
	Identities []age.Identity
	Frames     sealed.Index     // of the contents; the zero Index: there is none
	Contents   *backup.Contents // how a set of several streams is joined; of others it may be nil
	Meter      *meter.Meter

	Spool     *Spool // of the stored object, where there is no index; it stays for the next time
	Dir       string // where that may lie
	Unchecked bool   // for a look at the head that reaches no server: do not spool
}

// rawDump is a dump that is being read.
type rawDump struct {
	io.Reader
	Fetched func() int64 // stored bytes so far
	end     func()
}

func (d *rawDump) Close() error { d.end(); return nil }

// Open reads the dump as pg_dump wrote it.
func (r *Reading) Open(ctx context.Context) (*rawDump, error) {
	if r.Set.Kind == backup.KindLegacy {
		body, err := openStored(ctx, r.Env.Bucket, r.Set.Dir, backup.Object{})
		if err != nil {
			return nil, err
		}
		return (&wholeDump{stored: body, want: -1}).opened(), nil
	}
	m := r.Set.Manifest
	switch {
	case len(m.Streams) > 0:
		return r.openJoined(ctx)
	case r.Frames.Readable(m.Dump.SizeBytes, r.Set.Encrypted()):
		return r.openFrames(ctx)
	case r.Unchecked:
		body, err := openStored(ctx, r.Env.Bucket, r.Set.Dir+m.Dump.Key, m.Dump)
		return r.openWhole(body, err)
	}
	if err := r.keep(ctx); err != nil {
		return nil, err
	}
	file, err := os.Open(r.Spool.File)
	if err != nil {
		return nil, SpoolError(err)
	}
	return r.openWhole(newStored(file, m.Dump), nil)
}

// openFrames reads it frame by frame.
func (r *Reading) openFrames(ctx context.Context) (*rawDump, error) {
	return r.openStream(ctx, stream{object: r.Set.Manifest.Dump, frames: r.Frames})
}

func (r *Reading) openStream(ctx context.Context, of stream) (*rawDump, error) {
	if err := of.fits(); err != nil {
		return nil, err
	}
	fetching, cancel := context.WithCancel(ctx)
	s, err := sealed.NewStream(r.source(fetching, of))
	if err != nil {
		cancel()
		return nil, r.blame(ctx, of, err)
	}
	return &rawDump{Reader: s, Fetched: s.Fetched, end: func() { cancel(); _ = s.Close() }}, nil
}

func (r *Reading) openWhole(body *stored, err error) (*rawDump, error) {
	if err != nil {
		return nil, err
	}
	plain, err := sealed.NewReader(body, r.Set.Encrypted(), r.Identities)
	if err != nil {
		_ = body.Close()
		return nil, err
	}
	return (&wholeDump{stored: body, plain: plain, want: r.Set.Manifest.Dump.RawBytes}).opened(), nil
}

// keep spools the stored object, unless it is there already, and checks it.
func (r *Reading) keep(ctx context.Context) error {
	if r.Spool.File != "" {
		return nil
	}
	o := r.Set.Manifest.Dump
	scratch.Sweep(r.Dir, SpoolPrefix)
	if err := r.Env.Disks.Demand(r.Meter.Action, r.Dir, o.SizeBytes, remedyNoIndex); err != nil {
		return err
	}
	if err := r.Spool.Make(r.Dir); err != nil {
		return SpoolError(err)
	}
	r.Meter.Enter(backup.StageRead, o.SizeBytes)
	err := Twice(ctx, r.Env, r.Set.Dir+o.Key, func() error {
		body, err := openStored(ctx, r.Env.Bucket, r.Set.Dir+o.Key, o)
		if err != nil {
			return err
		}
		defer func() { _ = body.Close() }()
		return SpoolError(r.Spool.Fill(ReaderWith(ctx, io.TeeReader(body, r.Meter))))
	})
	if err != nil {
		r.Spool.Remove()
	}
	return err
}

const remedyNoIndex = "Free space, or set spool_dir (or BACKUP_DIR) to a larger disk: this set has no index of its " +
	"dump, so all of it has to be checked before PostgreSQL gets any of it."

// wholeDump is the dump as pg_dump wrote it, read from the stored form. The count of raw bytes is held
// against the manifest, which finds a stream that was cut between two frames.
type wholeDump struct {
	stored *stored
	plain  io.ReadCloser // of the decompressor; nil for legacy sets
	size   int64
	want   int64 // -1: unknown
}

func (d *wholeDump) Read(p []byte) (int, error) {
	var n int
	var err error
	if d.plain == nil {
		n, err = d.stored.Read(p)
	} else {
		n, err = d.plain.Read(p)
	}
	d.size += int64(n)
	if err != io.EOF { //nolint:errorlint // an error that wraps io.EOF is a broken connection, not the end
		return n, err
	}
	if d.want >= 0 && d.size != d.want {
		return n, fault.New(fault.Integrity,
			fmt.Sprintf("backup: the dump decompresses to %d bytes, the manifest says %d", d.size, d.want),
			"Restore another set.", nil)
	}
	if d.plain != nil {
		return n, d.drain()
	}
	return n, err
}

// drain reads what the decompressor left of the object, so that its hash is complete. Anything
// more than the end is foreign.
func (d *wholeDump) drain() error {
	rest, err := io.Copy(io.Discard, d.stored)
	if err == nil && rest > 0 {
		err = fault.New(fault.Integrity, fmt.Sprintf("backup: %d bytes after the end of the dump", rest),
			"Restore another set.", nil)
	}
	if err != nil {
		return err
	}
	return io.EOF
}

func (d *wholeDump) Close() error {
	if d.plain != nil {
		_ = d.plain.Close()
	}
	return d.stored.Close()
}

// opened is it as any dump that is being read.
func (d *wholeDump) opened() *rawDump {
	return &rawDump{Reader: d, Fetched: func() int64 { return d.stored.size }, end: func() { _ = d.Close() }}
}
