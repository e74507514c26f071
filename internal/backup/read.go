package backup

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"regexp"
	"strconv"

	"filippo.io/age"

	"codeberg.org/pgbtui/pgbtui/internal/backup/sealed"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

// stored reads one stored object of a set whole, and holds it against the manifest when the end
// is reached: an object that was changed in any byte ends in an integrity error, not in io.EOF.
type stored struct {
	body io.ReadCloser
	hash hash.Hash
	want Object
	size int64
}

// openStored starts reading. want.SHA256 is empty for objects that nobody vouches for.
func openStored(ctx context.Context, bucket *s3.Bucket, key string, want Object) (*stored, error) {
	body, object, err := bucket.Get(ctx, key, 0, -1)
	if errors.Is(err, s3.ErrNotFound) {
		return nil, fault.New(fault.Integrity, "backup: "+key+" is missing", "restore another set", err)
	}
	if err != nil {
		return nil, err
	}
	if want.SHA256 != "" && object.Size != want.SizeBytes {
		_ = body.Close()
		return nil, fault.New(fault.Integrity, fmt.Sprintf("backup: %s has %d bytes, the manifest says %d", key, object.Size, want.SizeBytes),
			"restore another set", nil)
	}
	return &stored{body: body, hash: sha256.New(), want: want}, nil
}

func (s *stored) Read(p []byte) (int, error) {
	n, err := s.body.Read(p)
	s.hash.Write(p[:n])
	s.size += int64(n)
	if err == io.EOF && s.want.SHA256 != "" {
		if sum := fmt.Sprintf("%x", s.hash.Sum(nil)); sum != s.want.SHA256 || s.size != s.want.SizeBytes {
			return n, fault.New(fault.Integrity, fmt.Sprintf("backup: %s was changed since it was stored: SHA-256 %s, the manifest says %s",
				s.want.Key, sum, s.want.SHA256), "restore another set, and find out who writes to the bucket", nil)
		}
	}
	return n, err
}

func (s *stored) Close() error { return s.body.Close() }

// rawDump reads a set's dump as pg_dump wrote it. The count of raw bytes is held against the
// manifest, which finds a stream that was cut between two frames.
type rawDump struct {
	stored *stored
	plain  io.ReadCloser // of the decompressor; nil for legacy sets
	size   int64
	want   int64 // -1: unknown
}

func openDump(ctx context.Context, bucket *s3.Bucket, set *Set, identities []age.Identity) (*rawDump, error) {
	if set.Kind == KindLegacy {
		body, err := openStored(ctx, bucket, set.Dir, Object{})
		return &rawDump{stored: body, want: -1}, err
	}
	m := set.Manifest
	body, err := openStored(ctx, bucket, set.Dir+m.Dump.Key, m.Dump)
	if err != nil {
		return nil, err
	}
	plain, err := sealed.NewReader(body, set.Encrypted(), identities)
	if err != nil {
		_ = body.Close()
		return nil, err
	}
	return &rawDump{stored: body, plain: plain, want: m.Dump.RawBytes}, nil
}

func (d *rawDump) Read(p []byte) (int, error) {
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
		return n, fault.New(fault.Integrity, fmt.Sprintf("backup: the dump decompresses to %d bytes, the manifest says %d", d.size, d.want), "restore another set", nil)
	}
	if d.plain != nil {
		return n, d.drain()
	}
	return n, err
}

// drain reads what the decompressor left of the object, so that its hash is complete. Anything
// more than the end is foreign.
func (d *rawDump) drain() error {
	rest, err := io.Copy(io.Discard, d.stored)
	if err == nil && rest > 0 {
		err = fault.New(fault.Integrity, fmt.Sprintf("backup: %d bytes after the end of the dump", rest), "restore another set", nil)
	}
	if err != nil {
		return err
	}
	return io.EOF
}

func (d *rawDump) Close() error {
	if d.plain != nil {
		_ = d.plain.Close()
	}
	return d.stored.Close()
}

// readSmall is the raw form of a set's globals or contents.
func readSmall(ctx context.Context, bucket *s3.Bucket, set *Set, o *Object, identities []age.Identity) ([]byte, error) {
	body, err := openStored(ctx, bucket, set.Dir+o.Key, *o)
	if err != nil {
		return nil, err
	}
	defer func() { _ = body.Close() }()
	packed, err := io.ReadAll(body)
	if err != nil {
		return nil, err
	}
	return sealed.Unpack(packed, set.Encrypted(), identities, maxContents)
}

// ReadContents is the detailed contents of a set, or nil for sets that have none.
func ReadContents(ctx context.Context, bucket *s3.Bucket, set *Set, identities []age.Identity) (*Contents, error) {
	if set.Manifest == nil || set.Manifest.Contents == nil {
		return nil, nil
	}
	raw, err := readSmall(ctx, bucket, set, set.Manifest.Contents, identities)
	if err != nil {
		return nil, err
	}
	return parseContents(raw)
}

var clientMajor = regexp.MustCompile(`\(PostgreSQL\) (\d+)`)

// finder is postgres.FindTools, or FindServer for programs that have a server beside them.
type finder func(ctx context.Context, binDir string, major int) (postgres.Tools, error)

// readingTools finds a pg_restore that is not older than the pg_dump that wrote the set; where
// that is not known, the newest there is, since an older one can't read a newer one's archive.
func readingTools(ctx context.Context, binDir string, set *Set, find finder) (postgres.Tools, error) {
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
