package s3

import (
	"context"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// Tier is how fast, and at which price, an archived object is brought back ("Archive retrieval options" in the S3 user
// guide).
type Tier string

// The tiers. DEEP_ARCHIVE has no expedited one.
const (
	TierBulk      Tier = "bulk"
	TierStandard  Tier = "standard"
	TierExpedited Tier = "expedited"
)

// Thaw asks for an archived object back: a copy that is readable for some days beside it, or, in Intelligent-Tiering,
// the object itself. What is on its way already is no error, nor is what can be read; what was thawed before is kept
// for so many days from now.
func (b *Bucket) Thaw(ctx context.Context, o Object, tier Tier, days int) error {
	request := &types.RestoreRequest{GlacierJobParameters: &types.GlacierJobParameters{Tier: sdkTier(tier)}}
	if o.StorageClass != string(types.StorageClassIntelligentTiering) { // there nothing is copied
		request.Days = aws.Int32(int32(days))
	}
	_, err := b.client.RestoreObject(ctx, &s3.RestoreObjectInput{
		Bucket: &b.opts.Bucket, Key: &o.Key, ExpectedBucketOwner: b.owner(), RestoreRequest: request,
	})
	switch code := codeOf(err); {
	case err == nil, code == "RestoreAlreadyInProgress", strings.Contains(strings.ToLower(code), "alreadyinactivetier"):
		return nil
	case code == "InvalidObjectState" && statusOf(err) == http.StatusForbidden:
		return nil // its class needs no thaw
	case code == "GlacierExpeditedRetrievalNotAvailable":
		return fault.New(fault.Temporary, subject("thaw", o.Key),
			"Take --tier standard, or try again: AWS has no capacity for expedited retrievals now.",
			&cause{text: b.describe(err), err: err})
	}
	return b.fail(ctx, "thaw", o.Key, err)
}

func sdkTier(t Tier) types.Tier {
	switch t {
	case TierBulk:
		return types.TierBulk
	case TierExpedited:
		return types.TierExpedited
	default:
		return types.TierStandard
	}
}
