package s3

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

func FuzzContentRangeIsPositiveOrRefused(f *testing.F) {
	for _, seed := range []string{"bytes 0-99/1234", "bytes 5-5/6", "bytes */10", "", "bytes -1-2/3", "bytes 9-1/2", "items 0-1/2", "bytes 0-0/9223372036854775808"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		first, size, err := contentRange(header)
		if err == nil && (first < 0 || size <= first) {
			t.Errorf("%q gives %d of %d", header, first, size)
		}
		if err != nil && strings.ContainsAny(err.Error(), "\x1b\n\x00") {
			t.Errorf("a control byte reached the error %q", err)
		}
	})
}

func FuzzExpiryDateIsADateOrNothing(f *testing.F) {
	for _, seed := range []string{`expiry-date="Fri, 21 Dec 2012 00:00:00 GMT", rule-id="r"`, `ongoing-request="true"`, `expiry-date="`, `expiry-date="x"`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		if at := expiryDate(header); !at.IsZero() && !strings.Contains(header, `expiry-date="`) {
			t.Errorf("%q gives %s", header, at)
		}
	})
}

func TestThawStatesAreToldApart(t *testing.T) {
	until := time.Date(2012, 12, 21, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		class, restore, archive string
		archived, restoring     bool
		until                   time.Time
	}{
		{"STANDARD_IA", "", "", false, false, time.Time{}},
		{"GLACIER_IR", "", "", false, false, time.Time{}},
		{"GLACIER", "", "", true, false, time.Time{}},
		{"DEEP_ARCHIVE", `ongoing-request="true"`, "", true, true, time.Time{}},
		{"GLACIER", `ongoing-request="false", expiry-date="Fri, 21 Dec 2012 00:00:00 GMT"`, "", false, false, until},
		{"INTELLIGENT_TIERING", "", "ARCHIVE_ACCESS", true, false, time.Time{}},
	} {
		o := Object{StorageClass: c.class}
		o.thaw(c.restore, c.archive)
		if o.Archived != c.archived || o.Restoring != c.restoring || !o.RestoredUntil.Equal(c.until) {
			t.Errorf("%+v gives %+v", c, o)
		}
	}
}

func TestAChecksumOfChecksumsIsNotTheObjects(t *testing.T) {
	sum := "abc="
	parts := "abc=-3"
	if wholeChecksum(&sum, types.ChecksumTypeFullObject) != sum || wholeChecksum(&sum, "") != sum {
		t.Error("a whole checksum was dropped")
	}
	if wholeChecksum(&sum, types.ChecksumTypeComposite) != "" || wholeChecksum(&parts, "") != "" || wholeChecksum(nil, "") != "" {
		t.Error("a composite checksum was kept")
	}
}
