// Package price is dated price lists of storage.
//
// Rules: a price is known for the region and class that it was published for and for no other. What is not known is
// said, never taken from a neighbour.
package price

import (
	"fmt"
	"math"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// Price is what one storage class costs in one region, in US dollars.
type Price struct {
	GiBMonth float64  // for a GiB that lies there for 30 days
	Put1000  *float64 // for 1000 requests that store: each object and each part of an upload; nil: not known

	// Thaw is what bringing an object back costs, by the tiers bulk, standard and expedited; a tier that is missing is
	// not known, or not there.
	Thaw map[string]Retrieval

	MinimumDays  int   // what goes earlier is paid for until then
	MinimumBytes int64 // what is smaller is paid for as if it had this size
	// IndexBytes are what an archive class keeps for each object besides it, OwnIndexBytes in its own class, the rest in
	// STANDARD.
	IndexBytes    int64
	OwnIndexBytes int64
}

// Retrieval is what it costs to read archived bytes, in US dollars.
type Retrieval struct {
	GiB     float64
	Per1000 float64 // for 1000 objects
}

// Table is a price list.
type Table struct {
	AsOf      string // when these prices were published, in words
	regions   map[string]map[string]Price
	published map[string]time.Time // of a file that holds AWS's lists: when each region's was published
}

// ofAWS reports whether the prices are AWS's alone, and hold for no other store, whatever its region is called.
func (t Table) ofAWS() bool { return len(t.published) > 0 }

// Of is the price of a class ("" is STANDARD) in a region.
func (t Table) Of(region, class string) (Price, bool) {
	if class == "" {
		class = standard
	}
	p, known := t.regions[region][class]
	return p, known
}

const standard = "STANDARD"

// terms are those of a class in every region ("Amazon S3 pricing", "Using Amazon S3 storage classes").
func terms(class string) Price {
	const (
		kib      = 1 << 10
		smallest = 128 * kib
	)
	switch class {
	case "STANDARD_IA", "ONEZONE_IA":
		return Price{MinimumDays: 30, MinimumBytes: smallest}
	case "GLACIER_IR":
		return Price{MinimumDays: 90, MinimumBytes: smallest}
	case "GLACIER":
		return Price{MinimumDays: 90, IndexBytes: 40 * kib, OwnIndexBytes: 32 * kib}
	case "DEEP_ARCHIVE":
		return Price{MinimumDays: 180, IndexBytes: 40 * kib, OwnIndexBytes: 32 * kib}
	}
	return Price{}
}

// MinimumDays is for how long a set in a class of AWS is paid for at least.
func MinimumDays(class string) int { return terms(class).MinimumDays }

// BuiltIn are AWS's list prices as far as a dated source was found: storage of the first 50 TB.
func BuiltIn() Table {
	t := Table{
		AsOf:    "AWS's list prices, as published from 14 September 2025 to 1 July 2026",
		regions: map[string]map[string]Price{},
	}
	virginia := map[string][2]float64{ // storage and requests: AWS Price List, 28 October 2025
		standard: {0.023, 0.005}, "STANDARD_IA": {0.0125, 0.01}, "ONEZONE_IA": {0.01, 0.01}, "GLACIER_IR": {0.004, 0.02},
		"GLACIER": {0.0036, 0.03}, "DEEP_ARCHIVE": {0.00099, 0.05},
	}
	for class, usd := range virginia {
		p := terms(class)
		p.GiBMonth = usd[0]
		p.Put1000 = &usd[1]
		p.Thaw = virginiaThaw(class)
		t.set("us-east-1", class, p)
	}
	for class, usd := range map[string]float64{"STANDARD_IA": 0.0135, "GLACIER_IR": 0.005} { // 14 September 2025
		p := terms(class)
		p.GiBMonth = usd
		t.set("eu-central-1", class, p)
	}
	for usd, regions := range map[float64]string{ // STANDARD: AWS Price List, 1 July 2026
		0.023:  "us-east-2 us-west-2 eu-west-1 eu-north-1",
		0.024:  "eu-west-2 eu-west-3",
		0.0245: "eu-central-1",
		0.025: "ca-central-1 me-south-1 ap-southeast-1 ap-southeast-2 " +
			"ap-southeast-3 ap-northeast-1 ap-northeast-2 ap-south-1",
		0.026:  "us-west-1",
		0.0274: "af-south-1",
		0.0405: "sa-east-1",
	} {
		for _, region := range strings.Fields(regions) {
			t.set(region, standard, Price{GiBMonth: usd})
		}
	}
	return t
}

// virginiaThaw are retrievals in us-east-1: AWS Price List, 28 October 2025; bulk of DEEP_ARCHIVE 2023. The price of
// expedited ones was not found whole.
func virginiaThaw(class string) map[string]Retrieval {
	switch class {
	case "GLACIER":
		return map[string]Retrieval{"bulk": {}, "standard": {GiB: 0.01, Per1000: 0.05}}
	case "DEEP_ARCHIVE":
		return map[string]Retrieval{"bulk": {GiB: 0.0025, Per1000: 0.025}, "standard": {GiB: 0.02, Per1000: 0.10}}
	}
	return nil
}

func (t Table) set(region, class string, p Price) {
	if t.regions[region] == nil {
		t.regions[region] = map[string]Price{}
	}
	t.regions[region][class] = p
}

// filePrice is one price of a file. What is not said is AWS's term for a class of that name.
type filePrice struct {
	GiBMonth     *float64 `yaml:"gib_month"`
	Put1000      *float64 `yaml:"put_1000,omitempty"`
	MinimumDays  *int     `yaml:"minimum_days,omitempty"`
	MinimumBytes *int64   `yaml:"minimum_bytes,omitempty"`

	Thaw map[string]fileRetrieval `yaml:"thaw,omitempty"`
}

// fileRetrieval is what one tier costs.
type fileRetrieval struct {
	GiB     float64 `yaml:"gib"`
	Per1000 float64 `yaml:"per_1000"`
}

// fileTable is a file of prices.
type fileTable struct {
	AsOf      string                          `yaml:"as_of"`
	Published map[string]time.Time            `yaml:"published,omitempty"` // by region, of AWS's lists
	Regions   map[string]map[string]filePrice `yaml:"regions"`
}

// Read is a price list from a file, for a store of another make or for prices of one's own; name is the file's, for
// messages.
func Read(name string, raw []byte) (Table, error) {
	var file fileTable
	d := yaml.NewDecoder(strings.NewReader(string(raw)))
	d.KnownFields(true)
	if err := d.Decode(&file); err != nil {
		return Table{}, wrongPrices(name, err.Error())
	}
	return file.table(name)
}

// table is what a file says, checked.
func (f fileTable) table(name string) (Table, error) {
	if f.AsOf == "" {
		return Table{}, wrongPrices(name, "as_of is missing: how old these prices are is not known")
	}
	t := Table{AsOf: name + ", of " + f.AsOf, regions: map[string]map[string]Price{}, published: f.Published}
	for region, classes := range f.Regions {
		for class, one := range classes {
			p, err := one.price(class)
			if err != nil {
				return Table{}, wrongPrices(name, region+": "+class+": "+err.Error())
			}
			t.set(region, class, p)
		}
	}
	if len(t.regions) == 0 {
		return Table{}, wrongPrices(name, "no region has a price")
	}
	return t, nil
}

func (f filePrice) price(class string) (Price, error) {
	p := terms(class)
	if f.GiBMonth == nil {
		return p, fmt.Errorf("gib_month is missing")
	}
	p.GiBMonth = *f.GiBMonth
	p.Put1000 = f.Put1000
	if f.MinimumDays != nil {
		p.MinimumDays = *f.MinimumDays
	}
	if f.MinimumBytes != nil {
		p.MinimumBytes = *f.MinimumBytes
	}
	for tier, r := range f.Thaw {
		if tier != "bulk" && tier != "standard" && tier != "expedited" {
			return p, fmt.Errorf("thaw: %q is no tier: there are bulk, standard and expedited", tier)
		}
		if !sane(r.GiB) || !sane(r.Per1000) {
			return p, fmt.Errorf("thaw: a price is a number, 0 or more")
		}
		if p.Thaw == nil {
			p.Thaw = map[string]Retrieval{}
		}
		p.Thaw[tier] = Retrieval(r)
	}
	if !sane(p.GiBMonth) || p.MinimumDays < 0 || p.MinimumBytes < 0 || p.Put1000 != nil && !sane(*p.Put1000) {
		return p, fmt.Errorf("a price is a number, 0 or more")
	}
	return p, nil
}

// sane refuses what YAML takes for a number and no price is.
func sane(usd float64) bool { return usd >= 0 && !math.IsInf(usd, 0) }

func wrongPrices(name, what string) error {
	return fault.New(fault.Config, "prices: "+name+": "+what,
		"Write as_of, and regions with gib_month for each storage class; docs/cost.md has an example.", nil)
}

// Month is what bytes cost a month of 30 days as one object of a class in a region.
func (t Table) Month(region, class string, bytes int64) (usd float64, known bool) {
	p, known := t.Of(region, class)
	if !known || bytes < 0 {
		return 0, false
	}
	inStandard, known := t.Of(region, standard)
	if p.IndexBytes > 0 && !known {
		return 0, false
	}
	return p.Month(inStandard, bytes), true
}

// Month is what bytes cost a month of 30 days at a price, as one object; inStandard is the price of STANDARD there.
func (p Price) Month(inStandard Price, bytes int64) float64 {
	billed := max(bytes, p.MinimumBytes) + p.OwnIndexBytes
	return gib(billed)*p.GiBMonth + gib(p.IndexBytes-p.OwnIndexBytes)*inStandard.GiBMonth
}

func gib(bytes int64) float64 { return float64(bytes) / (1 << 30) }

// Place is where something is stored.
type Place struct {
	Region   string
	Endpoint string // "" is AWS
	Own      *Table // of a file that somebody named; nil: none
}

// Table is the list that holds there. Of stores of another make only a file knows prices, and not one of AWS's.
func (p Place) Table() Table {
	aws := p.Endpoint == ""
	switch {
	case p.Own != nil && (aws || !p.Own.ofAWS()):
		return *p.Own
	case aws:
		return BuiltIn()
	}
	return Table{}
}

// Month is what bytes cost there a month of 30 days, as one object.
func (p Place) Month(class string, bytes int64) (usd float64, known bool) {
	return p.Table().Month(p.Region, class, bytes)
}
