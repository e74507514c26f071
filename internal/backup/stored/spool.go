package stored

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres/scratch"
)

// Spool is a dump in a private folder: the raw one for parallel sessions, which seek in it, or the stored
// one of a set without an index. It is written and checked whole before anything is created in the server.
type Spool struct {
	folder *scratch.Folder
	File   string
}

// SpoolPrefix begins the names of spool folders, so that those of runs that were killed are known.
const SpoolPrefix = "pgbtui-restore-"

// Remove takes the folder away, also one that was never made.
func (s *Spool) Remove() {
	s.folder.Remove()
	*s = Spool{}
}

// Make makes the private folder.
func (s *Spool) Make(parent string) (err error) {
	s.folder, err = scratch.NewFolder(parent, SpoolPrefix)
	return err
}

// Fill writes the file, and once more from its begin when it has to be.
func (s *Spool) Fill(from io.Reader) error {
	s.File = filepath.Join(s.folder.Path, "dump.pgc")
	f, err := os.OpenFile(s.File, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, from)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	return err
}

// RemedySpool is the remedy where the spool has no room.
const RemedySpool = "Free space, set spool_dir (or BACKUP_DIR) to a larger disk, or restore without --jobs, which " +
	"needs none."

// Unwritable reports whether the disk is what refused: it is full, not ours, or not there.
func Unwritable(err error) bool {
	for _, reason := range []error{syscall.ENOSPC, syscall.EDQUOT, syscall.EROFS, os.ErrPermission, os.ErrNotExist} {
		if errors.Is(err, reason) {
			return true
		}
	}
	return false
}

// SpoolError gives a disk that is full or not ours its exit code; errors of the reading keep theirs.
func SpoolError(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fault.New(fault.NoSpace, "restore: the spool is full", RemedySpool, err)
	case errors.Is(err, os.ErrPermission), errors.Is(err, syscall.EROFS):
		return fault.New(fault.NotPermitted, "restore: write the spool", "Let this user write to spool_dir (or BACKUP_DIR).",
			err)
	}
	return err
}

// ReaderWith ends reading when the context does.
func ReaderWith(ctx context.Context, r io.Reader) io.Reader { return &contextReader{ctx, r} }

type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c *contextReader) Read(p []byte) (int, error) {
	if c.ctx.Err() != nil {
		return 0, context.Cause(c.ctx)
	}
	return c.r.Read(p)
}
