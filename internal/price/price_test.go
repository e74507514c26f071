package price_test

import (
	"math"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/price"
)

const gib = 1 << 30

func TestSmallObjectsAndArchivesArePaidForAsTheyAreBilled(t *testing.T) {
	prices := price.BuiltIn()
	standard, _ := prices.Of("us-east-1", "STANDARD")
	for class, want := range map[string]float64{
		"STANDARD":    1 * 0.023 / gib,
		"STANDARD_IA": 128 * 1024 * 0.0125 / gib,
		"GLACIER":     (1+32*1024)*0.0036/gib + 8*1024*0.023/gib,
	} {
		p, _ := prices.Of("us-east-1", class)
		if got := p.Month(standard, 1); math.Abs(got-want) > 1e-15 {
			t.Errorf("%s: %g, want %g", class, got, want)
		}
	}
}

func TestAPriceIsNeverAnotherRegions(t *testing.T) {
	for _, c := range []struct {
		region, class string
		want          float64
	}{
		{"us-east-1", "", 0.023},
		{"eu-central-1", "STANDARD", 0.0245},
		{"eu-central-1", "STANDARD_IA", 0.0135},
		{"eu-central-1", "GLACIER", -1},
		{"eu-west-1", "STANDARD_IA", -1},
		{"mars-1", "STANDARD", -1},
		{"us-east-1", "EXPRESS_ONEZONE", -1},
	} {
		p, known := price.BuiltIn().Of(c.region, c.class)
		if known != (c.want >= 0) || known && p.GiBMonth != c.want {
			t.Errorf("%+v: %+v, %v", c, p, known)
		}
	}
}

func TestAPriceListOfOnesOwn(t *testing.T) {
	table, err := price.Read("prices.yaml", []byte("as_of: 2026-11-01\nregions:\n  nbg1:\n    STANDARD: {gib_month: 0.006}\n    STANDARD_IA: {gib_month: 0.01, put_1000: 0.02, minimum_days: 7, thaw: {standard: {gib: 0.5, per_1000: 2}}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if p, known := table.Of("nbg1", ""); !known || p.GiBMonth != 0.006 || p.Put1000 != nil || table.AsOf != "prices.yaml, of 2026-11-01" {
		t.Errorf("%+v, %v, %q", p, known, table.AsOf)
	}
	if p, _ := table.Of("nbg1", "STANDARD_IA"); *p.Put1000 != 0.02 || p.Thaw["standard"] != (price.Retrieval{GiB: 0.5, Per1000: 2}) || p.MinimumDays != 7 || p.MinimumBytes != 128<<10 {
		t.Errorf("%+v", p)
	}
	for text, want := range map[string]string{
		"regions: {a: {STANDARD: {gib_month: 1}}}": "as_of is missing",
		"as_of: now": "no region has a price",
		"as_of: now\nregions: {a: {STANDARD: {}}}":                                     "a: STANDARD: gib_month is missing",
		"as_of: now\nregions: {a: {STANDARD: {gib_month: -1}}}":                        "a price is a number, 0 or more",
		"as_of: now\nregions: {a: {STANDARD: {gib_month: 1, tax: 2}}}":                 "line 2: field tax not found",
		"as_of: now\nregions: {a: {GLACIER: {gib_month: 1, thaw: {slow: {}}}}}":        "slow\" is no tier",
		"as_of: now\nregions: {a: {GLACIER: {gib_month: 1, thaw: {bulk: {gib: -1}}}}}": "thaw: a price is a number",
		"[": "yaml",
	} {
		if _, err := price.Read("p", []byte(text)); err == nil || fault.CodeOf(err) != fault.Config || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestOfAnotherStoreNoPriceIsKnown(t *testing.T) {
	if usd, known := (price.Place{Region: "us-east-1"}).Month("STANDARD_IA", 8*gib); !known || math.Abs(usd-0.1) > 1e-9 {
		t.Errorf("%g, %v", usd, known)
	}
	for _, place := range []price.Place{{Region: "us-east-1", Endpoint: "https://store.example.com"}, {Region: "mars-1"}} {
		if _, known := place.Month("", gib); known {
			t.Errorf("%+v has a price", place)
		}
	}
	if _, known := (price.Place{Region: "us-east-1"}).Month("", -1); known {
		t.Error("an unknown size has a price")
	}
}
