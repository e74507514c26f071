package retention

// PriceBasis says where MonthlyUSD has its prices from.
const PriceBasis = "an estimate by AWS's list prices for us-east-1"

// MonthlyUSD is about what bytes cost a month in a storage class ("" is STANDARD). It is known on AWS
// alone, whose endpoint is "". Requests, minimum durations and discounts are left out.
func MonthlyUSD(bytes int64, class, endpoint string) (usd float64, known bool) {
	perGiB, known := map[string]float64{ // "Amazon S3 pricing", Storage, US East (N. Virginia), first 50 TB
		"": 0.023, "STANDARD": 0.023, "INTELLIGENT_TIERING": 0.023, "REDUCED_REDUNDANCY": 0.024, "STANDARD_IA": 0.0125, "ONEZONE_IA": 0.01,
		"GLACIER_IR": 0.004, "GLACIER": 0.0036, "DEEP_ARCHIVE": 0.00099,
	}[class]
	if !known || endpoint != "" || bytes < 0 {
		return 0, false
	}
	return float64(bytes) / (1 << 30) * perGiB, true
}

// MonthlyUSD is about what a leftover costs a month until it is removed. Parts for the archive classes
// lie in STANDARD until their upload is complete.
func (l *Leftover) MonthlyUSD(endpoint string) (usd float64, known bool) {
	class := l.Class
	if l.Kind == LeftoverUpload && (class == "GLACIER" || class == "DEEP_ARCHIVE") {
		class = "STANDARD"
	}
	return MonthlyUSD(l.Bytes, class, endpoint)
}
