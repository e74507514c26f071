package readable

import (
	"testing"
	"time"
)

func TestAgesSizesAndDurationsReadAsPeopleWriteThem(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Hour:                   "in the future",
		0:                            "<1m",
		59 * time.Second:             "<1m",
		42 * time.Minute:             "42m",
		3*time.Hour + 12*time.Minute: "3h 12m",
		26*time.Hour + 8*time.Minute: "26h 08m",
		72 * time.Hour:               "3d",
	} {
		if got := Age(d); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
	for n, want := range map[int64]string{
		-1: "?", 0: "0 B", 1023: "1023 B", 1536: "1.5 KiB", 3 << 30: "3.0 GiB", 1<<63 - 1: "8.0 EiB",
	} {
		if got := Size(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
	for d, want := range map[time.Duration]string{
		-1:                            "?",
		time.Millisecond:              "<1s",
		8 * time.Second:               "8s",
		250 * time.Second:             "4m 10s",
		2*time.Hour + 5*time.Minute:   "2h 05m",
		30*time.Hour + 59*time.Second: "30h 00m",
	} {
		if got := Took(d); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
}
