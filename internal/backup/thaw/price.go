package thaw

import (
	"codeberg.org/pgbtui/pgbtui/internal/price"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

// Price is what thawing the rest of a set costs: the retrieval, and in the classes of which a copy is made, the copy in
// STANDARD for its days. known is false where one of the prices is not known; then nothing is guessed.
func Price(prices price.Table, region string, st Standing, tier s3.Tier, days int) (usd float64, known bool) {
	standard, standardKnown := prices.Of(region, "STANDARD")
	for _, o := range st.Waiting() {
		if o.StorageClass == "INTELLIGENT_TIERING" {
			if tier == s3.TierExpedited {
				return 0, false // the only one that is charged, at a price that no list here has
			}
			continue
		}
		p, found := prices.Of(region, o.StorageClass)
		retrieval, has := p.Thaw[string(tier)]
		if !found || !has || !standardKnown {
			return 0, false
		}
		gib := float64(o.Size) / (1 << 30)
		usd += gib*retrieval.GiB + retrieval.Per1000/1000 + gib*standard.GiBMonth*float64(days)/30
	}
	return usd, true
}
