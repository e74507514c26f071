package stored

import (
	"context"
	"errors"
	"fmt"
	"io"

	"filippo.io/age"

	"codeberg.org/pgbtui/pgbtui/internal/backup/sealed"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

// source is a stored stream for a reader of frames. All requests must answer with the one object that the
// manifest names.
func (r *Reading) source(ctx context.Context, of stream) sealed.Source {
	want, etag := of.object, ""
	key := r.Set.Dir + want.Key
	fetch := func(s sealed.Span) (io.ReadCloser, error) {
		body, object, err := r.Env.Bucket.Get(ctx, key, s.From, s.Len())
		if errors.Is(err, s3.ErrNotFound) {
			return nil, fault.New(fault.Integrity, "backup: "+key+" is missing", "Restore another set.", err)
		}
		if err != nil {
			return nil, err
		}
		if etag == "" {
			etag = object.ETag
		}
		if object.Size != want.SizeBytes || object.ETag != etag {
			_ = body.Close()
			return nil, fault.New(fault.Integrity,
				fmt.Sprintf("backup: %s has %d bytes, the manifest says %d, or it was replaced meanwhile", key, object.Size,
					want.SizeBytes),
				"Restore another set, and find out who writes to the bucket.", nil)
		}
		return body, nil
	}
	return sealed.Source{
		Fetch: fetch, StoredBytes: want.SizeBytes, SHA256: want.SHA256, Index: of.frames, Encrypted: r.Set.Encrypted(),
		Identities: r.Identities,
		Again:      func(err error) { cameDamaged(ctx, r.Env, key, err) },
	}
}

// Parts is a dump of which some is read.
type Parts interface {
	io.ReaderAt
	io.Closer
	Fetched() int64 // stored bytes so far
}

// Parts reads the given parts of the raw dump, in order, and fetches only the frames that hold them.
func (r *Reading) Parts(ctx context.Context, spans []sealed.Span) (Parts, error) {
	if len(r.Set.Manifest.Streams) > 0 {
		return r.joinedParts(ctx, spans)
	}
	return r.partsOf(ctx, stream{object: r.Set.Manifest.Dump, frames: r.Frames}, spans)
}

func (r *Reading) partsOf(ctx context.Context, of stream, spans []sealed.Span) (Parts, error) {
	ranged, err := sealed.NewRanged(r.source(ctx, of), spans)
	if err != nil {
		return nil, r.blame(ctx, of, err)
	}
	return ranged, nil
}

// blame finds out whose fault it is that no key fits a dump: a damaged header looks like one that was
// written for somebody else.
func (r *Reading) blame(ctx context.Context, of stream, err error) error {
	if mismatch := (*age.NoIdentityMatchError)(nil); !errors.As(err, &mismatch) {
		return err
	}
	want := of.object
	if _, wrong := Check(ctx, r.Env, r.Set.Dir+want.Key, want, r.Meter); wrong != nil {
		return wrong
	}
	return err
}
