package console

import (
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

func TestTheBucketScreenHasSettingsCostsAndWhatIsLeft(t *testing.T) {
	p := newPlace(t, config.Keep{Days: 30})
	for _, age := range []time.Duration{60 * time.Hour, 36 * time.Hour, 12 * time.Hour} {
		p.plant(t, age)
	}
	p.put(t, "postgresql/db01/sales/20260101T000000Z-00000a/dump.pgc.zst", []byte("half a dump"))
	if _, err := p.bucket.Upload(t.Context(), "postgresql/db01/sales/20260101T000000Z-00000b/dump.pgc.zst", s3.UploadOptions{}); err != nil {
		t.Fatal(err)
	}
	a := &accounts{setup: p.buckets.setup, buckets: p.buckets}
	views, err := a.Buckets(t.Context())
	if err != nil || len(views) != 1 {
		t.Fatalf("%+v, %v", views, err)
	}
	v := views[0]
	if v.PostureErr != nil || len(v.Settings) != 4 || len(v.Differs) != 4 || !strings.Contains(v.Differs[0], "versioning: off, wanted enabled") {
		t.Errorf("%+v", v)
	}
	if len(v.Costs) != 1 || v.Costs[0].Sets != 3 || v.Costs[0].Database != "sales" || v.Costs[0].Job != "sales" || v.Costs[0].Known {
		t.Errorf("%+v", v.Costs) // of this store no price is known
	}
	if i := len(v.Left) - 1; v.Left[i].Bytes != 0 || v.Left[i].Known || !strings.Contains(v.Left[i].What, "an open upload") {
		t.Errorf("%+v", v.Left[i]) // its size is known, its price is not
	}
	if len(v.Left) < 1 || v.LeftErr != nil || !strings.Contains(v.Left[0].What, "unfinished run of sales") {
		t.Errorf("%+v, %v", v.Left, v.LeftErr)
	}
}

func TestAProjectionThatCannotBeHadSaysWhyAndAWrongChangeIsNamed(t *testing.T) {
	p := newPlace(t, config.Keep{Days: 30})
	p.plant(t, 12*time.Hour)
	a := &accounts{setup: p.buckets.setup, buckets: p.buckets}
	all, err := a.Projections(t.Context(), nil)
	if err != nil || len(all) != 1 || all[0].GoesOn != nil || !strings.Contains(all[0].Note, "fewer than two sets") {
		t.Errorf("%+v, %v", all, err)
	}
	p.plant(t, 6*time.Hour)
	if _, err := p.buckets.Sets(t.Context()); err != nil {
		t.Fatal(err)
	}
	if all, err = a.Projections(t.Context(), []string{"every=24h"}); err != nil || !strings.Contains(all[0].Note, "no price of STANDARD") {
		t.Errorf("%+v, %v", all, err)
	}
	if _, err := a.Projections(t.Context(), []string{"rain=1"}); fault.CodeOf(err) != fault.Usage || !strings.Contains(err.Error(), `"rain" is not known`) {
		t.Errorf("%v", err)
	}
}
