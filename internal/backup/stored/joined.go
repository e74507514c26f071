package stored

import (
	"context"
	"fmt"
	"io"
	"slices"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/sealed"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres/archive"
)

// The streams of a set, read as the one archive that they are together (archive.Join). Rules:
//
//   - every stream is read as a dump alone would be: frame by frame, each held against its digest
//   - places are those of the joined archive: its head, then what each stream has behind its own
//   - the joined head is read from its begin to its end

// stream is one of a set's archives as it is stored.
type stream struct {
	object backup.Object
	frames sealed.Index
	head   int64       // of its archive
	joined sealed.Span // where what is behind the head is in the joined archive
}

// fits: the index is of this stream.
func (s stream) fits() error {
	if frames, want := s.frames.RawBytes, s.object.RawBytes; frames != want {
		return fault.New(fault.Integrity,
			fmt.Sprintf("backup: the index is of a dump of %d bytes, the manifest says %d", frames, want),
			"Restore another set.", nil)
	}
	return nil
}

// streamsOf are the archives of a set, the dump first. Only those of several are told where they are joined.
func streamsOf(set *backup.Set, c *backup.Contents) ([]stream, error) {
	m := set.Manifest
	all := []stream{{object: m.Dump, frames: c.Index()}}
	if len(m.Streams) == 0 {
		return all, nil
	}
	wrong := fault.New(fault.Integrity, "backup: the contents do not say how the streams of "+set.ID+" belong together",
		"Restore another set, or this one by hand: `pgbtui show "+set.ID+"` prints the commands.", nil)
	if c == nil || c.Streams == nil || c.Archive == nil || len(c.Streams.Rows) != len(m.Streams) {
		return nil, wrong
	}
	all[0].head = c.Archive.HeadBytes - int64(len(c.Streams.Inserted.Entries))
	for i, rows := range c.Streams.Rows {
		all = append(all, stream{object: m.Streams[i], frames: rows.Frames, head: rows.HeadBytes})
	}
	end := c.Archive.HeadBytes
	for i := range all {
		s := &all[i]
		if err := s.fits(); err != nil {
			return nil, err
		}
		if s.head < 0 || s.head > s.frames.RawBytes {
			return nil, wrong
		}
		s.joined = sealed.Span{From: end, To: end + s.frames.RawBytes - s.head}
		end = s.joined.To
	}
	if end != c.Archive.Bytes {
		return nil, wrong
	}
	return all, nil
}

// raw are the parts of a stream that hold parts of the joined archive.
func (s stream) raw(wanted []sealed.Span) (spans []sealed.Span) {
	for _, w := range wanted {
		part := sealed.Span{From: max(w.From, s.joined.From), To: min(w.To, s.joined.To)}
		if part.From < part.To {
			shift := s.head - s.joined.From
			spans = append(spans, sealed.Span{From: part.From + shift, To: part.To + shift})
		}
	}
	return spans
}

// wantedOf are the parts of each stream that hold parts of the dump: for any of the joined head all of the dump's.
func wantedOf(streams []stream, c *backup.Contents, spans []sealed.Span) [][]sealed.Span {
	if len(streams) == 1 {
		return [][]sealed.Span{spans}
	}
	wanted := make([][]sealed.Span, len(streams))
	for i, s := range streams {
		wanted[i] = s.raw(spans)
	}
	if slices.ContainsFunc(spans, func(s sealed.Span) bool { return s.From < c.Archive.HeadBytes && s.Len() > 0 }) {
		wanted[0] = slices.Insert(wanted[0], 0, sealed.Span{From: 0, To: streams[0].head})
	}
	return wanted
}

// Readable reports whether a set can be read in parts.
func Readable(set *backup.Set, c *backup.Contents) bool {
	streams, err := streamsOf(set, c)
	return err == nil && !slices.ContainsFunc(streams, func(s stream) bool {
		return !s.frames.Readable(s.object.SizeBytes, set.Encrypted())
	})
}

// Cost is how many stored bytes reading these parts of the dump fetches.
func Cost(set *backup.Set, c *backup.Contents, spans []sealed.Span) (n int64) {
	streams, err := streamsOf(set, c)
	if err != nil {
		return set.Manifest.DumpBytes()
	}
	for i, wanted := range wantedOf(streams, c, spans) {
		if len(wanted) > 0 {
			n += streams[i].frames.Cost(streams[i].object.SizeBytes, set.Encrypted(), wanted)
		}
	}
	return n
}

// HeadSpan is where the dump's head is, as far as it comes with it anyway.
func HeadSpan(c *backup.Contents) sealed.Span {
	if c.Streams != nil {
		return sealed.Span{From: 0, To: c.Archive.HeadBytes}
	}
	return sealed.Span{From: 0, To: c.Frames.FrameEnd(c.Archive.HeadBytes)}
}

// Sampled is a stream of a set, for reading some of its frames.
type Sampled struct {
	Index   sealed.Index
	reading *Reading
	of      stream
}

// Streams are those of a set with an index, each to be sampled.
func (r *Reading) Streams() (sampled []Sampled, err error) {
	streams, err := streamsOf(r.Set, r.Contents)
	for _, s := range streams {
		if err := s.fits(); err != nil {
			return nil, err
		}
		sampled = append(sampled, Sampled{Index: s.frames, reading: r, of: s})
	}
	return sampled, err
}

// Parts reads the given parts of the stream, in order.
func (s Sampled) Parts(ctx context.Context, spans []sealed.Span) (Parts, error) {
	return s.reading.partsOf(ctx, s.of, spans)
}

// openJoined reads all of it, one stream after the other.
func (r *Reading) openJoined(ctx context.Context) (*rawDump, error) {
	streams, err := streamsOf(r.Set, r.Contents)
	if err != nil {
		return nil, err
	}
	j := &joinedDump{ctx: ctx, reading: r, streams: streams}
	if err := j.next(); err != nil { // a wrong key is told now
		return nil, err
	}
	return &rawDump{Reader: j, Fetched: j.fetchedBytes, end: j.close}, nil
}

// joinedDump is the joined archive as it is read to its end.
type joinedDump struct {
	ctx     context.Context
	reading *Reading
	streams []stream // the first is the one at hand

	dump    *rawDump // of it; nil: at its end
	from    io.Reader
	at      int64 // in the joined archive
	fetched int64 // by streams that have ended
}

// next opens the stream at hand, at what of it is in the joined archive.
func (j *joinedDump) next() (err error) {
	s, c := j.streams[0], j.reading.Contents
	if j.dump, err = j.reading.openStream(j.ctx, s); err != nil {
		return err
	}
	j.from = j.dump
	if j.at == 0 {
		j.from = archive.EditHead(j.dump, archive.Edit{Insert: c.Streams.Inserted})
		return nil
	}
	if _, err := io.CopyN(io.Discard, j.dump, s.head); err != nil {
		return fmt.Errorf("backup: read %s: %w", s.object.Key, err)
	}
	return nil
}

// Read reads on in the next stream where one ends.
func (j *joinedDump) Read(p []byte) (int, error) {
	for {
		if j.dump == nil {
			if len(j.streams) == 0 {
				return 0, io.EOF
			}
			if err := j.next(); err != nil {
				return 0, err
			}
		}
		n, err := j.from.Read(p)
		j.reading.Contents.Archive.Number(p[:n], j.at)
		j.at += int64(n)
		if err != io.EOF { // an error that wraps it is a broken connection, not the end
			return n, err
		}
		s := j.streams[0]
		if j.at != s.joined.To {
			return n, fault.New(fault.Integrity,
				fmt.Sprintf("backup: %s ends at byte %d of the dump, the contents say %d", s.object.Key, j.at, s.joined.To),
				"Restore another set.", nil)
		}
		j.close()
		j.streams = j.streams[1:]
		if n > 0 {
			return n, nil
		}
	}
}

func (j *joinedDump) fetchedBytes() int64 {
	if j.dump == nil {
		return j.fetched
	}
	return j.fetched + j.dump.Fetched()
}

func (j *joinedDump) close() {
	if j.dump != nil {
		j.fetched += j.dump.Fetched()
		_ = j.dump.Close()
		j.dump = nil
	}
}
