package backup

import (
	"context"
	"fmt"

	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

// Hidden is what deletes and overwrites left below a folder of a bucket that keeps versions: it is not
// seen, but stored and paid for until a lifecycle rule or somebody removes it.
type Hidden struct {
	Versions int   // noncurrent ones
	Bytes    int64 // of them
	Markers  int   // delete markers
}

// Noncurrent counts what is hidden below a folder.
func Noncurrent(ctx context.Context, bucket *s3.Bucket, folder string) (Hidden, error) {
	var h Hidden
	for v, err := range bucket.Versions(ctx, folder) {
		switch {
		case err != nil:
			return Hidden{}, fmt.Errorf("backup: count noncurrent versions: %w", err)
		case v.Marker:
			h.Markers++
		case !v.Latest:
			h.Versions, h.Bytes = h.Versions+1, h.Bytes+v.Size
		}
	}
	return h, nil
}
