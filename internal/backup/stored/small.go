package stored

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"filippo.io/age"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/sealed"
	"codeberg.org/pgbtui/pgbtui/internal/bounded"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

// Globals and contents are read whole before they are believed: nothing of them is decrypted or
// expanded before what is stored has the recorded hash. What they expand to comes as a stream, and ends
// at the size that the manifest says.

// smallLimits are what one of them may have.
type smallLimits struct{ stored, raw int64 }

var (
	// A script that hardly compresses is a little longer as stored.
	globalsLimits  = smallLimits{stored: backup.MaxGlobals + 1<<20, raw: backup.MaxGlobals}
	contentsLimits = smallLimits{stored: backup.MaxContentsStored, raw: backup.MaxContentsRaw}
)

// smallOf are the limits of one of a set's small objects.
func smallOf(set *backup.Set, o *backup.Object) smallLimits {
	if o == set.Manifest.Contents {
		return contentsLimits
	}
	return globalsLimits
}

// OpenSmall gives the raw form of a set's globals or contents, whose stored form was found whole.
func OpenSmall(
	ctx context.Context, env backup.Env, set *backup.Set, o *backup.Object, identities []age.Identity,
) (io.ReadCloser, error) {
	limits := smallOf(set, o)
	if o.SizeBytes > limits.stored || o.RawBytes > limits.raw {
		return nil, tooLargeSmall(o, limits)
	}
	var packed []byte
	err := Twice(ctx, env, set.Dir+o.Key, func() error {
		body, err := openStored(ctx, env.Bucket, set.Dir+o.Key, *o)
		if err != nil {
			return err
		}
		defer func() { _ = body.Close() }()
		packed, err = bounded.ReadAll(body, o.SizeBytes)
		return err
	})
	if err != nil {
		return nil, err
	}
	plain, err := sealed.NewReader(bytes.NewReader(packed), set.Encrypted(), identities)
	if err != nil {
		return nil, err
	}
	return &smallReader{plain: plain, from: bounded.Reader(plain, o.RawBytes), of: o}, nil
}

func tooLargeSmall(o *backup.Object, limits smallLimits) error {
	return fault.New(fault.Integrity, fmt.Sprintf("backup: %s has %d bytes, %d when it is decompressed: no set of "+
		"ours has more than %d and %d",
		o.Key, o.SizeBytes, o.RawBytes, limits.stored, limits.raw),
		"Restore another set, and find out who writes to the bucket.", nil)
}

// smallReader holds the count of raw bytes against the manifest.
type smallReader struct {
	plain io.ReadCloser
	from  io.Reader
	of    *backup.Object
	size  int64
}

func (r *smallReader) Read(p []byte) (int, error) {
	n, err := r.from.Read(p)
	r.size += int64(n)
	if errors.Is(err, bounded.ErrTooLarge) {
		return n, r.differs("more than are recorded")
	}
	if err == io.EOF && r.size != r.of.RawBytes { // an error that wraps io.EOF is a broken stream, not the end
		return n, r.differs(fmt.Sprintf("%d", r.size))
	}
	return n, err
}

func (r *smallReader) differs(size string) error {
	return fault.New(fault.Integrity,
		fmt.Sprintf("backup: %s decompresses to %s bytes, the manifest says %d", r.of.Key, size, r.of.RawBytes),
		"Restore another set.", nil)
}

func (r *smallReader) Close() error { return r.plain.Close() }

// Small is the raw form as a whole.
func Small(
	ctx context.Context, env backup.Env, set *backup.Set, o *backup.Object, identities []age.Identity,
) ([]byte, error) {
	plain, err := OpenSmall(ctx, env, set, o, identities)
	if err != nil {
		return nil, err
	}
	defer func() { _ = plain.Close() }()
	return bounded.ReadAll(plain, smallOf(set, o).raw)
}

// ReadContents is the detailed contents of a set, or nil for sets that have none.
func ReadContents(
	ctx context.Context, bucket *s3.Bucket, set *backup.Set, identities []age.Identity,
) (*backup.Contents, error) {
	return Contents(ctx, backup.Env{Bucket: bucket, Log: slog.New(slog.DiscardHandler)}, set, identities)
}

// Contents are those of a set, decrypted and decoded; nil where the set has none.
func Contents(
	ctx context.Context, env backup.Env, set *backup.Set, identities []age.Identity,
) (*backup.Contents, error) {
	if set.Manifest == nil || set.Manifest.Contents == nil {
		return nil, nil
	}
	plain, err := OpenSmall(ctx, env, set, set.Manifest.Contents, identities)
	if err != nil {
		return nil, err
	}
	defer func() { _ = plain.Close() }()
	contents, err := backup.DecodeContents(plain)
	if err != nil {
		return nil, err
	}
	_, err = io.Copy(io.Discard, plain) // to the end, where its size is held against the manifest
	return contents, err
}
