package price

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/bounded"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// AWS's own price list: the offer file of one region ("Using the bulk API" and "Reading the service price list file" in
// the AWS Billing user guide; usage types: "Understanding your AWS billing and usage reports for Amazon S3").
//
// Rules: a usage type that is not named here says nothing; one with two prices is left unknown and told; what the list
// lacks stays unknown.

// ListURL is where AWS publishes the list of a region. It needs no key.
func ListURL(region string) string {
	return "https://pricing.us-east-1.amazonaws.com/offers/v1.0/aws/AmazonS3/current/" + region + "/index.json"
}

// listLimit is several times what the largest region's list has.
const listLimit = 128 << 20

// List are the prices of one region as AWS published them.
type List struct {
	Region    string
	Published time.Time
	Classes   []string // that have a price of storage, sorted
	Missing   []string // those that have none
	Doubtful  []string // usage types with several prices: taken for unknown

	prices map[string]filePrice
}

// offer is the part of an offer file that is read.
type offer struct {
	OfferCode       string    `json:"offerCode"`
	PublicationDate time.Time `json:"publicationDate"`
	Products        map[string]struct {
		Attributes struct {
			ServiceCode string `json:"servicecode"`
			RegionCode  string `json:"regionCode"`
			UsageType   string `json:"usagetype"`
			Operation   string `json:"operation"`
		} `json:"attributes"`
	} `json:"products"`
	Terms struct {
		OnDemand map[string]map[string]struct {
			PriceDimensions map[string]dimension `json:"priceDimensions"`
		} `json:"OnDemand"`
	} `json:"terms"`
}

// dimension is one step of a price.
type dimension struct {
	BeginRange   string            `json:"beginRange"`
	Unit         string            `json:"unit"`
	PricePerUnit map[string]string `json:"pricePerUnit"`
}

// storageTypes are the usage types of what lies there.
func storageTypes() map[string]string {
	return map[string]string{
		"TimedStorage-ByteHrs": standard, "TimedStorage-SIA-ByteHrs": "STANDARD_IA",
		"TimedStorage-ZIA-ByteHrs": "ONEZONE_IA", "TimedStorage-GIR-ByteHrs": "GLACIER_IR",
		"TimedStorage-GlacierByteHrs": "GLACIER", "TimedStorage-GDA-ByteHrs": "DEEP_ARCHIVE",
	}
}

// putTypes are those of requests that store.
func putTypes() map[string]string {
	return map[string]string{
		"Requests-Tier1": standard, "Requests-SIA-Tier1": "STANDARD_IA", "Requests-ZIA-Tier1": "ONEZONE_IA",
		"Requests-GIR-Tier1": "GLACIER_IR", "Requests-GLACIER-Tier1": "GLACIER", "Requests-GDA-Tier1": "DEEP_ARCHIVE",
	}
}

// serviceOfDeep is how the list names DEEP_ARCHIVE as a service of its own.
const serviceOfDeep = "AmazonS3GlacierDeepArchive"

// serviceOfVaults is the older service of archives, which has no buckets.
const serviceOfVaults = "AmazonGlacier"

// regionPrefix is what a usage type begins with outside us-east-1, such as EUC1-.
var regionPrefix = regexp.MustCompile(`^[A-Z]{2,4}[0-9]?-`)

// found are the different prices of a usage type and unit. One is a price, several are a doubt.
type found map[string][]float64

// ReadList reads AWS's list of a region.
func ReadList(r io.Reader) (List, error) {
	raw, err := bounded.ReadAll(r, listLimit)
	if err != nil {
		return List{}, fmt.Errorf("price: read AWS's price list: %w", err)
	}
	var o offer
	if err := json.Unmarshal(raw, &o); err != nil {
		return List{}, wrongList(err.Error())
	}
	// S3 is of 2006: what is older is no date.
	if o.PublicationDate.Year() < 2006 || len(o.Products) == 0 {
		return List{}, wrongList("publicationDate or products are missing")
	}
	region, of, err := o.figures()
	if err != nil {
		return List{}, err
	}
	l := List{Region: region, Published: o.PublicationDate.UTC(), prices: map[string]filePrice{}}
	l.fill(of)
	if len(l.Classes) == 0 {
		return List{}, wrongList("no storage class has a price in US dollars")
	}
	return l, nil
}

// figures are the prices of usage types without the region's prefix, with the unit and the service where it matters.
func (o *offer) figures() (region string, of found, err error) {
	of = found{}
	for sku, p := range o.Products {
		a := p.Attributes
		usage := regionPrefix.ReplaceAllString(a.UsageType, "")
		if strings.HasPrefix(usage, "TimedStorage-") && a.RegionCode != "" {
			if region != "" && region != a.RegionCode {
				return "", nil, wrongList("it has several regions, " + region + " and " + a.RegionCode)
			}
			region = a.RegionCode
		}
		transition := strings.Contains(a.Operation, "Transition")
		vault := a.ServiceCode == serviceOfVaults && strings.HasPrefix(usage, "Requests-Tier")
		if transition || vault {
			continue // they share usage types with restores, and mean something else by them
		}
		for _, term := range o.Terms.OnDemand[sku] {
			for _, d := range term.PriceDimensions {
				if usd, ok := d.first(); ok {
					of.add(figureName(usage, d.Unit, a.ServiceCode), usd)
				}
			}
		}
	}
	if region == "" {
		return "", nil, wrongList("no product says its region (regionCode)")
	}
	return region, of, nil
}

// figureName tells retrieved bytes of the two archive classes apart: they have one usage type.
func figureName(usage, unit, service string) string {
	if strings.HasSuffix(usage, "-Retrieval-Bytes") && service == serviceOfDeep {
		usage = "GDA-" + usage
	}
	return usage + " " + unit
}

func (f found) add(name string, usd float64) {
	if !slices.Contains(f[name], usd) {
		f[name] = append(f[name], usd)
	}
}

// first is the price of the first unit, in US dollars.
func (d dimension) first() (usd float64, ok bool) {
	if d.BeginRange != "" && d.BeginRange != "0" {
		return 0, false
	}
	usd, err := strconv.ParseFloat(d.PricePerUnit["USD"], 64)
	return usd, err == nil && sane(usd)
}

// fill takes the prices that are there, and not doubtful.
func (l *List) fill(of found) {
	one := func(usage, unit string, times float64) *float64 {
		all := of[usage+" "+unit]
		if len(all) > 1 {
			l.Doubtful = append(l.Doubtful, usage)
		}
		if len(all) != 1 {
			return nil
		}
		usd := math.Round(all[0]*times*1e10) / 1e10
		return &usd
	}
	for usage, class := range storageTypes() {
		if usd := one(usage, "GB-Mo", 1); usd != nil {
			l.prices[class] = filePrice{GiBMonth: usd}
			l.Classes = append(l.Classes, class)
		} else {
			l.Missing = append(l.Missing, class)
		}
	}
	for usage, class := range putTypes() {
		if p, has := l.prices[class]; has {
			p.Put1000 = one(usage, "Requests", 1000)
			l.prices[class] = p
		}
	}
	for class, tiers := range thawTypes() {
		p, has := l.prices[class]
		for tier, t := range tiers {
			gib, per1000 := one(t.bytes, "GB", 1), one(t.requests, "Requests", 1000)
			if !has || gib == nil || per1000 == nil {
				continue // half of a price is none
			}
			if p.Thaw == nil {
				p.Thaw = map[string]fileRetrieval{}
			}
			p.Thaw[tier] = fileRetrieval{GiB: *gib, Per1000: *per1000}
			l.prices[class] = p
		}
	}
	slices.Sort(l.Classes)
	slices.Sort(l.Missing)
	slices.Sort(l.Doubtful)
}

// thawType are the two usage types that make the price of a tier.
type thawType struct{ bytes, requests string }

func thawTypes() map[string]map[string]thawType {
	return map[string]map[string]thawType{
		"GLACIER": {
			"bulk":      {bytes: "Bulk-Retrieval-Bytes", requests: "Requests-Tier5"},
			"standard":  {bytes: "Standard-Retrieval-Bytes", requests: "Requests-Tier3"},
			"expedited": {bytes: "Expedited-Retrieval-Bytes", requests: "Requests-Tier6"},
		},
		"DEEP_ARCHIVE": {
			"bulk":     {bytes: "GDA-Bulk-Retrieval-Bytes", requests: "Requests-GDA-Tier5"},
			"standard": {bytes: "GDA-Standard-Retrieval-Bytes", requests: "Requests-GDA-Tier3"},
		},
	}
}

func wrongList(what string) error {
	return fault.New(fault.Integrity, "price: this is not AWS's price list of a region: "+what,
		"Take the list of one region, as "+ListURL("eu-central-1")+" is that of Frankfurt.", nil)
}
