package backup

import (
	"context"
	"fmt"
	"io"

	"filippo.io/age"

	"codeberg.org/pgbtui/pgbtui/internal/backup/sealed"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

// openParts reads the given parts of a set's raw dump, in order, and fetches only the frames that
// hold them. All requests must answer with the one object that the manifest names.
func openParts(ctx context.Context, bucket *s3.Bucket, set *Set, frames sealed.Index, identities []age.Identity, spans []sealed.Span) (*sealed.Ranged, error) {
	key, want, etag := set.Dir+set.Manifest.Dump.Key, set.Manifest.Dump.SizeBytes, ""
	fetch := func(s sealed.Span) (io.ReadCloser, error) {
		body, object, err := bucket.Get(ctx, key, s.From, s.Len())
		if err != nil {
			return nil, err
		}
		if etag == "" {
			etag = object.ETag
		}
		if object.Size != want || object.ETag != etag {
			_ = body.Close()
			return nil, fault.New(fault.Integrity, fmt.Sprintf("backup: %s has %d bytes, the manifest says %d, or it was replaced meanwhile", key, object.Size, want),
				"restore another set, and find out who writes to the bucket", nil)
		}
		return body, nil
	}
	return sealed.NewRanged(sealed.Source{
		Fetch: fetch, StoredBytes: want, Index: frames, Encrypted: set.Encrypted(), Identities: identities,
	}, spans)
}
