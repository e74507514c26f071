package retention

import "codeberg.org/pgbtui/pgbtui/internal/price"

// MonthlyUSD is about what a leftover costs a month until it is removed. Parts for the archive classes
// lie in STANDARD until their upload is complete.
func (l *Leftover) MonthlyUSD(at price.Place) (usd float64, known bool) {
	class := l.Class
	if l.Kind == LeftoverUpload && (class == "GLACIER" || class == "DEEP_ARCHIVE") {
		class = "STANDARD"
	}
	return at.Month(class, l.Bytes)
}
