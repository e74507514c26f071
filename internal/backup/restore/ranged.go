package restore

import (
	"context"
	"io"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/sealed"
	"codeberg.org/pgbtui/pgbtui/internal/backup/stored"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
	"codeberg.org/pgbtui/pgbtui/internal/postgres/archive"
)

// Reading only what a part needs: the head of the archive, and the blocks of the chosen tables,
// by ranges of the stored dump. A set without an index of its frames is read whole.

// keptBytes is how much of the begin of a dump may stay in memory between preflight and restore: the
// frames of the head. In a small set they hold everything.
const keptBytes = 64 << 20

// headLimits: with the entries of all its tables a head is bound to fit, as it fits pg_restore.
var headLimits = archive.Options{MaxEntryBytes: 1 << 30}

// readHead reads the table of contents, and which roles its SQL names.
func (r *restoring) readHead(ctx context.Context, p *part) error {
	stream, done, err := r.openHead(ctx)
	if err != nil {
		return err
	}
	defer func() { p.fetched += done() }()
	scanner := archive.NewScanner(headLimits)
	p.roles = map[int][]string{}
	kept := &firstBytes{limit: keptBytes}
	noteRoles := func(id int, desc, sql string) (string, error) {
		if postgres.NamesRoles(desc) {
			// What can't be read here is for pg_restore to judge; with a mapping it is refused later.
			_, _ = postgres.RenameRoles(desc, sql, func(role string) string {
				p.roles[id] = append(p.roles[id], role)
				return role
			})
		}
		return sql, nil
	}
	source := archive.EditHead(io.TeeReader(stream, kept), archive.Edit{Definition: noteRoles})
	for p.head == nil && err == nil && scanner.Err() == nil {
		_, err = io.CopyN(scanner, source, 64<<10)
		p.head = scanner.Head()
	}
	switch {
	case p.head != nil && r.source.unreadableInParts() == "":
		if _, err = io.Copy(io.Discard, source); err != nil { // the rest of the frame
			return err
		}
		p.kept = kept.bytes
		return r.source.sameHead(p.head)
	case p.head != nil:
		return nil
	case scanner.Err() != nil:
		return scanner.Err()
	case err == io.EOF: //nolint:errorlint // the reader ends with the very value
		_, err = scanner.Close() // says where it ends
	}
	return err
}

// openHead reads the dump from its begin; done ends that and says what was fetched.
func (r *restoring) openHead(ctx context.Context) (stream io.Reader, done func() int64, err error) {
	if r.source.unreadableInParts() == "" {
		head := stored.HeadSpan(r.source.contents)
		ranged, err := r.reading().Parts(ctx, []sealed.Span{head})
		if err != nil {
			return nil, nil, err
		}
		return io.NewSectionReader(ranged, 0, head.To), func() int64 { _ = ranged.Close(); return ranged.Fetched() }, nil
	}
	dump, err := r.reading().Open(ctx)
	if err != nil {
		return nil, nil, err
	}
	return dump, func() int64 { _ = dump.Close(); return dump.Fetched() }, nil
}

// firstBytes keeps the begin of what is written, if it is not too much.
type firstBytes struct {
	limit int64
	bytes []byte
	over  bool
}

func (f *firstBytes) Write(p []byte) (int, error) {
	if f.over = f.over || int64(len(f.bytes)+len(p)) > f.limit; f.over {
		f.bytes = nil
	} else {
		f.bytes = append(f.bytes, p...)
	}
	return len(p), nil
}

// partBytes is what pg_restore will read.
func (r *restoring) partBytes() (n int64) {
	if r.part.portion.Whole != "" {
		return r.source.rawBytes()
	}
	for _, p := range r.source.contents.Archive.SubsetParts(r.part.blocks) {
		n += p.End - p.Offset
	}
	return n
}

// openPart is the archive with the chosen tables' data, or the whole one.
func (r *restoring) openPart(ctx context.Context) (stream io.Reader, done func() int64, err error) {
	if r.part.portion.Whole != "" {
		return r.openHead(ctx)
	}
	blocks, err := r.lead().Blocks(ctx, r.part.blocks)
	if err != nil {
		return nil, nil, err
	}
	return blocks, func() int64 {
		_ = blocks.Close()
		return blocks.Fetched()
	}, nil
}

// lead is the archive with the definitions, of a set that can be read in parts.
func (r *restoring) lead() *stored.Archive {
	if r.part != nil {
		return r.reading().Archive(r.part.kept)
	}
	return r.reading().Archive(nil)
}

// loadPart streams the chosen entries into pg_restore, and counts the rows that pass.
func (r *restoring) loadPart(ctx context.Context, opts postgres.RestoreOptions) error {
	withData := len(r.part.blocks) > 0
	opts.Entries = r.part.ids
	opts.ReadAll = withData
	opts.SingleTransaction = r.req.DataOnly
	r.meter.Enter(backup.StageRestore, r.partBytes())
	dump, done, err := r.openPart(ctx)
	if err != nil {
		return err
	}
	defer func() { r.part.fetched += done() }()
	scanner := archive.NewScanner(headLimits)
	stream := &untilEnd{r: r.rights.renamed(io.TeeReader(dump, io.MultiWriter(r.meter, scanner))), then: r.meter.KeepAlive}
	defer stream.stop()
	defer r.meter.WatchWork(ctx, r.target.server, r.req.To)()
	if err := r.target.tools.Restore(ctx, r.target.database(r.req.To), opts, stream); err != nil {
		return stored.SpoolError(err)
	}
	if withData {
		r.part.counted, err = scanner.CloseSubset()
	}
	return err
}
