package backup

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

// note is what a person says of a set: a small document in its folder, added to those that are there and never changed.
type note struct {
	folder   string // within the set's
	at       time.Time
	word     string // what the document says, in its name
	document any
}

// noteTime is how the name of a note tells its time.
const noteTime = "20060102T150405.000Z"

// putNote stores a note as `<folder><time>-<6 hex digits>-<word>.json`. The digits keep two notes of one moment apart.
func putNote(ctx context.Context, bucket *s3.Bucket, set *Set, n note) error {
	body, err := json.MarshalIndent(n.document, "", "  ")
	if err != nil {
		return fmt.Errorf("backup: write %s: %w", n.word, err)
	}
	var tail [3]byte
	_, _ = rand.Read(tail[:]) // never fails: crypto/rand
	key := set.Dir + n.folder + n.at.Format(noteTime) + "-" + hex.EncodeToString(tail[:]) + "-" + n.word + ".json"
	if _, err := bucket.Put(ctx, key, body, s3.PutOptions{ContentType: "application/json"}); err != nil {
		return fmt.Errorf("backup: write %s: %w", n.word, err)
	}
	return nil
}
