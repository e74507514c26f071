package config

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Bandwidth is how many bytes a second a run may send to its store; 0: as many as it can.
type Bandwidth int64

// unlimited is what a job writes that does not want the top's limit, or a copy the job's.
const unlimited Bandwidth = -1

// Bounds of s3.bandwidth. Below the least, stores end requests that seem to stand still; the most is no limit at all.
const (
	leastBandwidth Bandwidth = 100_000
	mostBandwidth  Bandwidth = 1_000_000_000_000
)

// bandwidthUnit is a unit of rates, and how many bytes a second it is.
type bandwidthUnit struct {
	name  string
	bytes float64
}

// bandwidthUnits tell bytes from bits by the word: a B and a b that are mistaken for one another are a factor of eight.
func bandwidthUnits() []bandwidthUnit {
	return []bandwidthUnit{
		{name: "kB/s", bytes: 1e3},
		{name: "MB/s", bytes: 1e6},
		{name: "GB/s", bytes: 1e9},
		{name: "KiB/s", bytes: 1 << 10},
		{name: "MiB/s", bytes: 1 << 20},
		{name: "GiB/s", bytes: 1 << 30},
		{name: "kbit/s", bytes: 1e3 / 8},
		{name: "Mbit/s", bytes: 1e6 / 8},
		{name: "Gbit/s", bytes: 1e9 / 8},
	}
}

var bandwidthText = regexp.MustCompile(`^([0-9]{1,6}(?:\.[0-9]{1,3})?) ?([A-Za-z/]+)$`)

// parseBandwidth reads "30 MB/s", "200 Mbit/s" or "none".
func parseBandwidth(text string) (Bandwidth, error) {
	if text == "none" {
		return unlimited, nil
	}
	wrong := fmt.Errorf("%.40q is not a bandwidth: write it like 30 MB/s (bytes) or 200 Mbit/s (bits), or none", text)
	m := bandwidthText.FindStringSubmatch(text)
	if m == nil {
		return 0, wrong
	}
	units := bandwidthUnits()
	i := slices.IndexFunc(units, func(u bandwidthUnit) bool { return u.name == m[2] })
	number, err := strconv.ParseFloat(m[1], 64)
	if i < 0 || err != nil {
		return 0, wrong
	}
	b := Bandwidth(number * units[i].bytes)
	if b < leastBandwidth || b > mostBandwidth {
		return 0, fmt.Errorf("%s is not a bandwidth that a backup can have: give %s to %s, or none", text, leastBandwidth,
			mostBandwidth)
	}
	return b, nil
}

// String is the limit in bytes, and "" without one.
func (b Bandwidth) String() string {
	switch {
	case b <= 0:
		return ""
	case b < 1e6:
		return decimal(float64(b)/1e3) + " kB/s"
	case b < 1e9:
		return decimal(float64(b)/1e6) + " MB/s"
	}
	return decimal(float64(b)/1e9) + " GB/s"
}

// InBits is String with the same in bits, as providers of links have it.
func (b Bandwidth) InBits() string {
	if b <= 0 {
		return ""
	}
	return fmt.Sprintf("%s (%s Mbit/s)", b, decimal(float64(b)*8/1e6))
}

// decimal has three digits behind the point at most, and none that says nothing.
func decimal(n float64) string {
	return strings.TrimSuffix(strings.TrimRight(strconv.FormatFloat(n, 'f', 3, 64), "0"), ".")
}

// UnmarshalYAML reads what a file has.
func (b *Bandwidth) UnmarshalYAML(n *yaml.Node) (err error) {
	if *b, err = parseBandwidth(n.Value); err != nil {
		return fmt.Errorf("line %d: %w", n.Line, err)
	}
	return nil
}

// limit is b, or that of what it belongs to where it says nothing.
func (b Bandwidth) limit(of Bandwidth) Bandwidth {
	if b == 0 {
		b = of
	}
	return max(b, 0)
}
