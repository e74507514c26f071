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

// source is the stored dump for a reader of frames. All requests must answer with the one object that the
// manifest names.
func (r *Reading) source(ctx context.Context) sealed.Source {
	want, etag := r.Set.Manifest.Dump, ""
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
		Fetch: fetch, StoredBytes: want.SizeBytes, SHA256: want.SHA256, Index: r.Frames, Encrypted: r.Set.Encrypted(),
		Identities: r.Identities,
		Again:      func(err error) { cameDamaged(ctx, r.Env, key, err) },
	}
}

// Parts reads the given parts of the raw dump, in order, and fetches only the frames that hold them.
func (r *Reading) Parts(ctx context.Context, spans []sealed.Span) (*sealed.Ranged, error) {
	ranged, err := sealed.NewRanged(r.source(ctx), spans)
	return ranged, r.blame(ctx, err)
}

// blame finds out whose fault it is that no key fits a dump: a damaged header looks like one that was
// written for somebody else.
func (r *Reading) blame(ctx context.Context, err error) error {
	if mismatch := (*age.NoIdentityMatchError)(nil); !errors.As(err, &mismatch) {
		return err
	}
	want := r.Set.Manifest.Dump
	if _, wrong := Check(ctx, r.Env, r.Set.Dir+want.Key, want, r.Meter); wrong != nil {
		return wrong
	}
	return err
}
