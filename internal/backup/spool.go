package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// spool is the raw dump in a private folder, for parallel sessions, which seek in it. It is
// written and checked whole before anything is created in the server. A lock on the folder lives
// as long as its owner, so that the next restore can tell a dead one's and remove it.
type spool struct {
	dir, file string
	lock      *os.File
}

const spoolPrefix = "pgbtui-restore-"

func (s *spool) remove() {
	if s.dir != "" {
		_ = os.RemoveAll(s.dir)
		_ = s.lock.Close()
	}
	*s = spool{}
}

func (r *restoring) spool(ctx context.Context) error {
	if r.req.Jobs <= 1 {
		return nil
	}
	r.meter.enter(StageRead, r.rawBytes())
	sweepSpools(r.job.SpoolDir)
	if err := checkSpace(r.job.SpoolDir, r.rawBytes()); err != nil {
		return err
	}
	if err := r.spooled.make(r.job.SpoolDir); err != nil {
		return spoolError(err)
	}
	dump, err := openDump(ctx, r.env.Bucket, r.set, r.identities)
	if err != nil {
		return err
	}
	defer func() { _ = dump.Close() }()
	return spoolError(r.spooled.fill(readerWith(ctx, io.TeeReader(dump, r.meter))))
}

func (s *spool) make(parent string) (err error) {
	if s.dir, err = os.MkdirTemp(parent, spoolPrefix); err != nil {
		s.dir = ""
		return err
	}
	if s.lock, err = os.Open(s.dir); err != nil {
		return err
	}
	return unix.Flock(int(s.lock.Fd()), unix.LOCK_EX|unix.LOCK_NB)
}

func (s *spool) fill(from io.Reader) error {
	s.file = filepath.Join(s.dir, "dump.pgc")
	f, err := os.OpenFile(s.file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, from)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	return err
}

// sweepSpools removes what killed restores of this user left: folders that nobody has locked.
func sweepSpools(parent string) {
	if parent == "" {
		parent = os.TempDir()
	}
	left, _ := filepath.Glob(filepath.Join(parent, spoolPrefix+"*")) // only a bad pattern fails
	for _, dir := range left {
		if info, err := os.Lstat(dir); err != nil || !info.IsDir() || !mine(info) {
			continue
		}
		if lock, err := os.Open(dir); err == nil {
			if unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil {
				_ = os.RemoveAll(dir)
			}
			_ = lock.Close()
		}
	}
}

func mine(info os.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Geteuid()
}

// checkSpace refuses a spool that can't hold the dump, before hours go into filling it.
func checkSpace(dir string, need int64) error {
	if dir == "" {
		dir = os.TempDir()
	}
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		return fault.New(fault.Config, "restore: look at the spool folder "+dir, remedySpool, err)
	}
	free := int64(fs.Bavail) * int64(fs.Bsize) //nolint:unconvert // sizes of real disks; the types differ by system
	if free < need {
		return fault.New(fault.NoSpace, fmt.Sprintf("restore: the spool folder %s has %d bytes free, the dump needs %d", dir, free, need), remedySpool, nil)
	}
	return nil
}

const remedySpool = "free space, or set spool_dir (or BACKUP_DIR) to a larger disk, or restore without --jobs, which needs none"

// spoolError gives a disk that is full or not ours its exit code; errors of the reading keep theirs.
func spoolError(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fault.New(fault.NoSpace, "restore: the spool is full", remedySpool, err)
	case errors.Is(err, os.ErrPermission), errors.Is(err, syscall.EROFS):
		return fault.New(fault.NotPermitted, "restore: write the spool", "let this user write to spool_dir (or BACKUP_DIR)", err)
	}
	return err
}

// readerWith ends reading when the context does.
func readerWith(ctx context.Context, r io.Reader) io.Reader { return &contextReader{ctx, r} }

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
