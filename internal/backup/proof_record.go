package backup

import (
	"context"
	"encoding/json"
	"fmt"

	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

// RecordProof puts evidence beside a set, or says why it could not.
func RecordProof(ctx context.Context, bucket *s3.Bucket, set *Set, p Proof) (key, warning string) {
	switch {
	case set.Kind == KindLegacy:
		return "", "the result is not recorded: sets of the old script have no folder for proofs"
	case set.Manifest == nil: // nothing there that evidence could be about
		return "", ""
	}
	ctx, cancel := Afterwards(ctx)
	defer cancel()
	key, err := PutProof(ctx, bucket, set, p)
	if err != nil {
		return "", "the result could not be recorded beside the set: " + err.Error()
	}
	return key, ""
}

// PutProof appends evidence to a set.
func PutProof(ctx context.Context, bucket *s3.Bucket, set *Set, p Proof) (key string, err error) {
	p.Error = cut(p.Error)
	p.NotProven = Shorten(p.NotProven)
	p.Warnings = Shorten(p.Warnings)
	body, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return "", fmt.Errorf("backup: write proof: %w", err)
	}
	key = set.Dir + ProofsFolder + NewID(p.FinishedAt) + "-" + p.Kind + ".json"
	_, err = bucket.Put(ctx, key, body, s3.PutOptions{ContentType: "application/json"})
	return key, err
}
