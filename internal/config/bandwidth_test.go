package config

import (
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

func TestABandwidthTellsBytesFromBits(t *testing.T) {
	for text, want := range map[string]struct {
		bytes Bandwidth
		shown string
	}{
		"30 MB/s":     {30_000_000, "30 MB/s (240 Mbit/s)"},
		"30MB/s":      {30_000_000, "30 MB/s (240 Mbit/s)"},
		"200 Mbit/s":  {25_000_000, "25 MB/s (200 Mbit/s)"},
		"1 Gbit/s":    {125_000_000, "125 MB/s (1000 Mbit/s)"},
		"1 MiB/s":     {1 << 20, "1.049 MB/s (8.389 Mbit/s)"},
		"100 kB/s":    {100_000, "100 kB/s (0.8 Mbit/s)"},
		"2.5 GB/s":    {2_500_000_000, "2.5 GB/s (20000 Mbit/s)"},
		"800 kbit/s":  {100_000, "100 kB/s (0.8 Mbit/s)"},
		"12.5 Mbit/s": {1_562_500, "1.562 MB/s (12.5 Mbit/s)"},
		"none":        {unlimited, ""},
	} {
		if got, err := parseBandwidth(text); err != nil || got != want.bytes || got.InBits() != want.shown {
			t.Errorf("%s: %d, %q, %v", text, got, got.InBits(), err)
		}
	}
}

func TestABandwidthThatCouldMeanEitherIsRefusedWithItsLine(t *testing.T) {
	for _, text := range []string{
		"30", "30 MB", "30 Mb/s", "30 mb/s", "30 MBps", "30 Mbps", "-1 MB/s", "0 MB/s", "1e3 MB/s", "99 kB/s",
		"2000 GB/s", "MB/s", "30  MB/s", "30 MB/s per stream", `""`, "1.2345 MB/s", "9999999 MB/s", "auto",
	} {
		_, err := load(t, "s3:\n  bucket: backups\n  bandwidth: "+text+"\n", nil)
		if fault.CodeOf(err) != fault.Config || !strings.Contains(err.Error(), ":3: ") ||
			!strings.Contains(err.Error(), "bandwidth") || !strings.Contains(err.Error(), "none") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestABandwidthIsOfTheTopUnlessAJobOrACopySaysOtherwise(t *testing.T) {
	c, err := load(t, `s3: {bucket: backups, bandwidth: 30 MB/s}
jobs:
  a: {copies: [{name: one, s3: {bucket: other}}, {name: two, s3: {bucket: third, bandwidth: 8 Mbit/s}}]}
  b: {s3: {bandwidth: none}, copies: [{name: one, s3: {bucket: other}}]}
  c: {s3: {bandwidth: 2 MB/s}, copies: [{name: one, s3: {bucket: other, bandwidth: none}}]}
`, nil)
	if err != nil || len(c.Jobs) != 3 {
		t.Fatalf("%+v, %v", c, err)
	}
	want := []map[string]Bandwidth{
		{"": 30_000_000, "one": 30_000_000, "two": 1_000_000},
		{"": 0, "one": 0},
		{"": 2_000_000, "one": 0},
	}
	for i, job := range c.Jobs {
		for name, limit := range want[i] {
			at := job
			if name != "" {
				at, _ = job.AtCopy(name)
			}
			if at.Bandwidth != limit {
				t.Errorf("job %s at %q: %s, want %s", job.Name, name, at.Bandwidth, limit)
			}
		}
	}
	if c.Jobs[0].S3 != c.Jobs[1].S3 {
		t.Error("a limit makes another place of the same bucket")
	}
}
