package dump

import (
	"context"
	"io"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/meter"
	"codeberg.org/pgbtui/pgbtui/internal/backup/sealed"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
	"codeberg.org/pgbtui/pgbtui/internal/postgres/archive"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

// dumpStream is one pass over one pg_dump, and what it leaves: the scanner's findings and the frames.
type dumpStream struct {
	name    string // of its object, before the ending
	options postgres.DumpOptions
	meter   *meter.Meter
	turn    chan struct{} // nothing is read before it is closed; nil: at once

	upload   *s3.Upload
	scanner  *archive.Scanner
	head     *headBytes // nil: nobody needs it
	index    sealed.Index
	levels   []sealed.LevelFrames
	warnings []string // pg_dump's own, in their order; complete after its Wait
}

// newStream is a stream of which nothing has been read. Of several, each has to be understood.
func (r *run) newStream(name string, options postgres.DumpOptions, several bool) *dumpStream {
	s := &dumpStream{name: name, options: options, meter: r.meter, scanner: archive.NewScanner(archive.Options{})}
	s.options.LockWait = r.job.LockWait
	s.options.PlainStrings = r.facts.OldStrings
	s.options.OnLine = s.hear
	if several {
		s.head = &headBytes{scanner: s.scanner}
	}
	return s
}

// maxDumpWarnings bounds what one set keeps of pg_dump's warnings.
const maxDumpWarnings = 20

// circular is what pg_dump says of rows that it dumps without definitions. Ours are restored between the tables and
// their constraints.
const circular = "circular foreign-key constraint"

// hear keeps what pg_dump warns of, such as subscriptions that its role may not read: the dump is
// good, but not all of the database.
func (s *dumpStream) hear(line string) {
	if len(s.options.RowsOf) > 0 && strings.Contains(line, circular) {
		return
	}
	if strings.HasPrefix(line, "pg_dump: warning: ") && len(s.warnings) < maxDumpWarnings {
		s.warnings = append(s.warnings, line)
	}
}

// pump runs pg_dump into the upload, which it does not complete.
func (r *run) pump(ctx context.Context, s *dumpStream) error {
	process, err := r.tools.Dump(ctx, r.target(), s.options)
	if err != nil {
		return err
	}
	defer func() { _ = process.Close() }()
	if err := s.await(ctx, process); err != nil {
		return err
	}
	sealer, err := sealed.NewWriter(s.upload, r.recipients, sealed.Level(r.job.Compression))
	if err != nil {
		return err
	}
	defer sealer.Abort()
	to := []io.Writer{sealer, s.scanner, s.meter}
	if s.head != nil {
		to = append(to, s.head)
	}
	_, copyErr := io.CopyBuffer(struct{ io.Writer }{io.MultiWriter(to...)},
		struct{ io.Reader }{process}, make([]byte, copyBytes))
	if copyErr != nil {
		return backup.CauseOf(ctx, copyErr) // pg_dump's own complaint would only be a consequence
	}
	if err := process.Wait(); err != nil {
		return err
	}
	if err := sealer.Close(); err != nil {
		return err
	}
	s.index = sealer.Index()
	s.levels = sealer.Levels()
	return nil
}

// await lasts until the stream may be read. A pg_dump that fails meanwhile is told at once.
func (s *dumpStream) await(ctx context.Context, process *postgres.Process) error {
	if s.turn == nil {
		return nil
	}
	select {
	case <-s.turn:
		return nil
	case <-process.Ended():
	}
	if err := process.Wait(); err != nil {
		return err
	}
	select { // all that it wrote is in the pipe
	case <-s.turn:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// headBytes keeps the head of an archive that a scanner has been given before, and fails where the scanner does not
// understand it: hours of dumping would be for nothing.
type headBytes struct {
	scanner *archive.Scanner
	bytes   []byte
	whole   bool
}

// maxHeadKept bounds the head of an archive of rows, which has some hundred tables; a longer one is not kept.
const maxHeadKept = 16 << 20

func (h *headBytes) Write(p []byte) (int, error) {
	if err := h.scanner.Err(); err != nil {
		return 0, notJoined(err)
	}
	if h.whole {
		return len(p), nil
	}
	if len(h.bytes)+len(p) <= maxHeadKept {
		h.bytes = append(h.bytes, p...)
	}
	if head := h.scanner.Head(); head != nil {
		h.bytes = h.bytes[:min(int64(len(h.bytes)), head.HeadBytes)]
		h.whole = true
	}
	return len(p), nil
}

func notJoined(err error) error {
	return fault.New(fault.Refused, "backup: the streams cannot be read as one dump",
		"Set streams: 1 for the job.", err)
}
