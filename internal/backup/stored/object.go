// Package stored reads the objects of a set and compares every byte with what the manifest says, before anything is
// done with it.
package stored

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"regexp"
	"strconv"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/event"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

// stored reads one stored object of a set whole, and holds it against the manifest when the end
// is reached: an object that was changed in any byte ends in an integrity error, not in io.EOF. What came
// before the end nobody has vouched for yet.
type stored struct {
	body io.ReadCloser
	hash hash.Hash
	want backup.Object
	size int64
}

// openStored starts reading. want.SHA256 is empty for objects that nobody vouches for.
func openStored(ctx context.Context, bucket *s3.Bucket, key string, want backup.Object) (*stored, error) {
	body, object, err := bucket.Get(ctx, key, 0, -1)
	if errors.Is(err, s3.ErrNotFound) {
		return nil, fault.New(fault.Integrity, "backup: "+key+" is missing", "Restore another set.", err)
	}
	if err != nil {
		return nil, err
	}
	if want.SHA256 != "" && object.Size != want.SizeBytes {
		_ = body.Close()
		return nil, fault.New(fault.Integrity,
			fmt.Sprintf("backup: %s has %d bytes, the manifest says %d", key, object.Size, want.SizeBytes),
			"Restore another set.", nil)
	}
	return newStored(body, want), nil
}

// Open reads an object that the manifest vouches for. Bytes that are not what it says end in an integrity error in the
// place of io.EOF, so that what was read before must not be used.
func Open(ctx context.Context, bucket *s3.Bucket, key string, want backup.Object) (io.ReadCloser, error) {
	return openStored(ctx, bucket, key, want)
}

func newStored(body io.ReadCloser, want backup.Object) *stored {
	return &stored{body: body, hash: sha256.New(), want: want}
}

func (s *stored) Read(p []byte) (int, error) {
	n, err := s.body.Read(p)
	s.hash.Write(p[:n])
	s.size += int64(n)
	if err == io.EOF && s.want.SHA256 != "" {
		if sum := fmt.Sprintf("%x", s.hash.Sum(nil)); sum != s.want.SHA256 || s.size != s.want.SizeBytes {
			return n, fault.New(fault.Integrity, fmt.Sprintf("backup: %s was changed since it was stored: SHA-256 %s, the "+
				"manifest says %s",
				s.want.Key, sum, s.want.SHA256), "Restore another set, and find out who writes to the bucket.", nil)
		}
	}
	return n, err
}

func (s *stored) Close() error { return s.body.Close() }

// Twice reads something whose bytes are held against what was recorded, and reads it once more when they
// are not the right ones: what a wire did to them says nothing of what is stored.
func Twice(ctx context.Context, env backup.Env, what string, read func() error) error {
	err := read()
	if fault.CodeOf(err) != fault.Integrity || errors.Is(err, s3.ErrNotFound) {
		return err
	}
	switch again := read(); {
	case again == nil:
		cameDamaged(ctx, env, what, err)
		return nil
	case fault.CodeOf(again) != fault.Integrity:
		return again
	}
	return err
}

// cameDamaged tells of bytes that were right when they were read again.
func cameDamaged(ctx context.Context, env backup.Env, what string, err error) {
	env.Log.WarnContext(ctx, what+" arrived damaged over the network; a second read was right: "+err.Error(),
		event.Attr(event.Warning))
}

// Check reads an object to its end, for its hash alone, and tells to what it passed.
func Check(ctx context.Context, env backup.Env, key string, want backup.Object, passed io.Writer) (n int64, err error) {
	err = Twice(ctx, env, key, func() error {
		body, err := openStored(ctx, env.Bucket, key, want)
		if err != nil {
			return err
		}
		defer func() { _ = body.Close() }()
		n, err = io.Copy(io.Discard, io.TeeReader(body, passed))
		return err
	})
	return n, err
}

var clientMajor = regexp.MustCompile(`\(PostgreSQL\) (\d+)`)

// finder is postgres.FindTools, or FindServer for programs that have a server beside them.
type finder func(ctx context.Context, binDir string, major int) (postgres.Tools, error)

// Tools finds a pg_restore that is not older than the pg_dump that wrote the set; where
// that is not known, the newest there is, since an older one can't read a newer one's archive.
func Tools(ctx context.Context, binDir string, set *backup.Set, find finder) (postgres.Tools, error) {
	major := 0
	if set.Manifest != nil {
		if m := clientMajor.FindStringSubmatch(set.Manifest.DumpClient); m != nil {
			major, _ = strconv.Atoi(m[1])
		}
	}
	tools, err := find(ctx, binDir, major)
	for next := tools; major == 0 && err == nil; {
		tools = next
		var none error
		if next, none = find(ctx, binDir, tools.Major+1); none != nil {
			break
		}
	}
	return tools, err
}
