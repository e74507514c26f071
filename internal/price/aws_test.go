package price_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/price"
)

// product is a row of a list in the shape of AWS's offer files. The figures of these tests are made up.
type product struct{ usage, unit, usd, service, operation, from string }

// offer is the list of a region.
func offer(region, published string, rows ...product) string {
	products, terms := map[string]any{}, map[string]any{}
	for i, p := range rows {
		sku := fmt.Sprintf("SKU%d", i)
		products[sku] = map[string]any{"sku": sku, "productFamily": "Storage", "attributes": map[string]string{
			"servicecode": p.service, "regionCode": region, "usagetype": p.usage, "operation": p.operation, "location": "somewhere",
		}}
		dimensions := map[string]any{sku + ".1.1": map[string]any{
			"rateCode": sku, "beginRange": p.from, "endRange": "51200", "unit": p.unit, "pricePerUnit": map[string]string{"USD": p.usd}, "appliesTo": []string{},
		}}
		if p.from == "0" {
			dimensions[sku+".1.2"] = map[string]any{"beginRange": "51200", "endRange": "Inf", "unit": p.unit, "pricePerUnit": map[string]string{"USD": "0.0000001"}}
		}
		terms[sku] = map[string]any{sku + ".1": map[string]any{"priceDimensions": dimensions, "sku": sku, "termAttributes": map[string]string{}}}
	}
	raw, _ := json.Marshal(map[string]any{
		"formatVersion": "v1.0", "disclaimer": "…", "offerCode": "AmazonS3", "version": "1", "publicationDate": published,
		"products": products, "terms": map[string]any{"OnDemand": terms}, "attributesList": map[string]any{},
	})
	return string(raw)
}

func frankfurt(published string) string {
	return offer("eu-central-1", published,
		product{usage: "EUC1-TimedStorage-ByteHrs", unit: "GB-Mo", usd: "0.0245000000", from: "0"},
		product{usage: "EUC1-TimedStorage-SIA-ByteHrs", unit: "GB-Mo", usd: "0.0135000000"},
		product{usage: "EUC1-TimedStorage-GlacierByteHrs", unit: "GB-Mo", usd: "0.0041"},
		product{usage: "EUC1-TimedStorage-GDA-ByteHrs", unit: "GB-Mo", usd: "0.0019", service: "AmazonS3GlacierDeepArchive"},
		product{usage: "EUC1-TimedStorage-GIR-ByteHrs", unit: "Byte-Hrs", usd: "7"}, // another unit says nothing
		product{usage: "EUC1-Requests-Tier1", unit: "Requests", usd: "0.0000054000"},
		product{usage: "EUC1-Requests-SIA-Tier1", unit: "Requests", usd: "0.00001"},
		product{usage: "EUC1-Requests-SIA-Tier1", unit: "Requests", usd: "0.00002"},
		product{usage: "EUC1-Standard-Retrieval-Bytes", unit: "GB", usd: "0.012", service: "AmazonS3"},
		product{usage: "EUC1-Standard-Retrieval-Bytes", unit: "GB", usd: "0.024", service: "AmazonS3GlacierDeepArchive"},
		product{usage: "EUC1-Requests-Tier3", unit: "Requests", usd: "0.00006", operation: "RestoreObject"},
		product{usage: "EUC1-Requests-Tier3", unit: "Requests", usd: "0.5", operation: "S3-GlacierTransition"},
		product{usage: "EUC1-Requests-Tier3", unit: "Requests", usd: "0.7", service: "AmazonGlacier"},
		product{usage: "EUC1-Bulk-Retrieval-Bytes", unit: "GB", usd: "0.003"},
		product{usage: "EUC1-Requests-GDA-Tier3", unit: "Requests", usd: "0.00012"},
		product{usage: "EUC1-TimedStorage-NEW-ByteHrs", unit: "GB-Mo", usd: "0.1"},
	)
}

func TestAWSsListOfARegionBecomesPricesAndWhatItDoesNotSayStaysUnknown(t *testing.T) {
	l, err := price.ReadList(strings.NewReader(frankfurt("2026-07-10T12:00:00Z")))
	if err != nil {
		t.Fatal(err)
	}
	if l.Region != "eu-central-1" || fmt.Sprint(l.Classes, l.Missing, l.Doubtful) !=
		"[DEEP_ARCHIVE GLACIER STANDARD STANDARD_IA] [GLACIER_IR ONEZONE_IA] [Requests-SIA-Tier1]" {
		t.Error(l.Region, l.Classes, l.Missing, l.Doubtful)
	}
	file := filepath.Join(t.TempDir(), "prices.yaml")
	if _, err := price.Refresh(file, []price.List{l}, false); err != nil {
		t.Fatal(err)
	}
	table, err := price.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	standard, _ := table.Of("eu-central-1", "")
	if standard.GiBMonth != 0.0245 || *standard.Put1000 != 0.0054 {
		t.Errorf("%+v", standard)
	}
	ia, _ := table.Of("eu-central-1", "STANDARD_IA")
	if ia.GiBMonth != 0.0135 || ia.Put1000 != nil || ia.MinimumDays != 30 {
		t.Errorf("%+v: two prices of its requests are none", ia)
	}
	glacier, _ := table.Of("eu-central-1", "GLACIER")
	if fmt.Sprint(glacier.Thaw) != "map[standard:{0.012 0.06}]" {
		t.Errorf("%+v: half a price of bulk is none", glacier.Thaw)
	}
	deep, _ := table.Of("eu-central-1", "DEEP_ARCHIVE")
	if fmt.Sprint(deep.Thaw) != "map[standard:{0.024 0.12}]" || deep.MinimumDays != 180 {
		t.Errorf("%+v", deep)
	}
	if _, known := table.Of("eu-central-1", "GLACIER_IR"); known {
		t.Error("a price in another unit was taken")
	}
	if !strings.Contains(table.AsOf, "of 2026-07-10") {
		t.Error(table.AsOf)
	}
	// They are AWS's: a store of another make has none, whatever it calls its region.
	if _, known := (price.Place{Region: "eu-central-1", Endpoint: "https://minio", Own: table}).Month("", 1<<30); known {
		t.Error("another store got AWS's prices")
	}
	if usd, known := (price.Place{Region: "eu-central-1", Own: table}).Month("", 1<<30); !known || usd != 0.0245 {
		t.Error(usd, known)
	}
}

func TestWhatIsNoListOfARegionIsRefused(t *testing.T) {
	two := strings.Replace(frankfurt("2026-07-10T12:00:00Z"), `"regionCode":"eu-central-1"`, `"regionCode":"us-east-1"`, 1)
	for text, want := range map[string]string{
		"":   "unexpected end",
		"{}": "publicationDate or products are missing",
		`{"publicationDate":"2026-07-10T12:00:00Z","products":{"a":{}}}`: "no product says its region",
		two: "it has several regions",
		offer("eu-central-1", "2026-07-10T12:00:00Z", product{usage: "TimedStorage-ByteHrs", unit: "GB-Mo", usd: "-1"}):  "no storage class has a price",
		offer("eu-central-1", "2026-07-10T12:00:00Z", product{usage: "TimedStorage-ByteHrs", unit: "GB-Mo", usd: "NaN"}): "no storage class has a price",
		strings.Replace(frankfurt("2026-07-10T12:00:00Z"), "publicationDate", "published", 1):                            "publicationDate or products are missing",
	} {
		if _, err := price.ReadList(strings.NewReader(text)); fault.CodeOf(err) != fault.Integrity || !strings.Contains(err.Error(), want) {
			t.Errorf("%.80s: %v, want %s", text, err, want)
		}
	}
}

func TestARefreshTellsWhatChangesKeepsOtherRegionsAndNeverGoesBack(t *testing.T) {
	file := filepath.Join(t.TempDir(), "prices.yaml")
	list := func(text string) price.List {
		t.Helper()
		l, err := price.ReadList(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	virginia := func(at, usd string) price.List {
		return list(offer("us-east-1", at, product{usage: "TimedStorage-ByteHrs", unit: "GB-Mo", usd: usd, from: "0"}))
	}
	changes, err := price.Refresh(file, []price.List{list(frankfurt("2026-07-10T12:00:00Z"))}, true)
	if err != nil || len(changes) == 0 {
		t.Fatal(changes, err)
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("a dry run wrote the file")
	}
	// Against the built-in list: GLACIER_IR had a price there.
	if i := slices.IndexFunc(changes, func(c price.Change) bool { return c.Class == "GLACIER_IR" }); i < 0 || changes[i].After != nil || *changes[i].Before != 0.005 {
		t.Errorf("%+v", changes)
	}
	for _, l := range []price.List{list(frankfurt("2026-07-10T12:00:00Z")), virginia("2026-09-01T00:00:00Z", "0.023")} {
		if _, err := price.Refresh(file, []price.List{l}, false); err != nil {
			t.Fatal(err)
		}
	}
	changes, err = price.Refresh(file, []price.List{virginia("2026-10-01T00:00:00Z", "0.021")}, false)
	if err != nil || len(changes) != 1 || *changes[0].Before != 0.023 || *changes[0].After != 0.021 || changes[0].What != "gib_month" {
		t.Errorf("%+v, %v", changes, err)
	}
	table, err := price.ReadFile(file)
	if err != nil || !strings.Contains(table.AsOf, "2026-07-10 or later") {
		t.Fatal(table, err)
	}
	if _, known := table.Of("eu-central-1", "STANDARD"); !known {
		t.Error("the other region is gone")
	}
	if _, err := price.Refresh(file, []price.List{virginia("2026-09-01T00:00:00Z", "0.02")}, false); fault.CodeOf(err) != fault.Refused {
		t.Error(err)
	}
}

func TestAPriceFileOfSomebodyIsNeverReplaced(t *testing.T) {
	l, err := price.ReadList(strings.NewReader(frankfurt("2026-07-10T12:00:00Z")))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "prices.yaml")
	own := "as_of: 2026-11-01\nregions: {eu-central-1: {STANDARD: {gib_month: 1}}}\n"
	if err := os.WriteFile(file, []byte(own), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := price.Refresh(file, []price.List{l}, false); fault.CodeOf(err) != fault.Refused || !strings.Contains(err.Error(), "was not written by") {
		t.Error(err)
	}
	if now, _ := os.ReadFile(file); string(now) != own {
		t.Errorf("%s", now)
	}
	if _, err := price.Refresh(filepath.Join(t.TempDir(), "no", "prices.yaml"), []price.List{l}, false); err == nil {
		t.Error("written into a folder that is not there")
	}
	if _, err := price.ReadFile(filepath.Join(t.TempDir(), "none.yaml")); fault.CodeOf(err) != fault.NotFound {
		t.Error(err)
	}
}

func FuzzAWSsList(f *testing.F) {
	f.Add(frankfurt("2026-07-10T12:00:00Z"))
	f.Add(`{"publicationDate":"2026-07-10T12:00:00Z","products":{"a":{"attributes":{"usagetype":"TimedStorage-ByteHrs","regionCode":"x"}}}}`)
	f.Fuzz(func(t *testing.T, text string) {
		l, err := price.ReadList(strings.NewReader(text))
		if err != nil {
			return
		}
		file := filepath.Join(t.TempDir(), "prices.yaml")
		if _, err := price.Refresh(file, []price.List{l}, false); err != nil {
			t.Fatal(err)
		}
		if _, err := price.ReadFile(file); err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
	})
}
