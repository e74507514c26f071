package ui_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/ui"
	"codeberg.org/pgbtui/pgbtui/internal/ui/uitest"
)

// onBucket opens the bucket screen, wide enough for all of it.
func onBucket(t *testing.T, change func(w *uitest.World, o *ui.Options)) (*ui.Driver, *uitest.World) {
	t.Helper()
	w := uitest.New()
	o := w.Options()
	if change != nil {
		change(w, &o)
	}
	d := ui.Drive(t, o, 120, 40)
	d.Fed().Press("6")
	d.BucketRead()
	return d, w
}

func wants(t *testing.T, d *ui.Driver, texts ...string) {
	t.Helper()
	var left, right []string
	for _, l := range strings.Split(plain(d), "\n") {
		l, r, _ := strings.Cut(l, "│")
		left, right = append(left, l), append(right, r)
	}
	flat := strings.Join(strings.Fields(strings.Join(append(left, right...), " ")), " ")
	for _, want := range texts {
		if !strings.Contains(flat, want) {
			t.Errorf("no %q in\n%s", want, plain(d))
		}
	}
}

func TestABucketAsTheJobsWantItSaysSo(t *testing.T) {
	d, _ := onBucket(t, func(w *uitest.World, _ *ui.Options) { w.Tidy = true })
	wants(t, d, "✓ OK as the jobs want it", "LEFT BEHIND", "nothing", "no backup lies in an archive class")
	if strings.Contains(plain(d), "bucket apply") {
		t.Error(plain(d))
	}
}

func TestWhatTheKeyMayNotSeeOfABucketIsUnknownNotGood(t *testing.T) {
	d, _ := onBucket(t, func(w *uitest.World, _ *ui.Options) {
		w.Fail["posture"], w.Fail["uploads"] = uitest.ErrNoPosture, errors.New("s3: list uploads: denied")
	})
	wants(t, d, "not known", "AccessDenied", "aws policy --role doctor", "? open uploads are not known: s3: list uploads: denied",
		"more than $0.59 a month; not every price is known")
	if strings.Contains(plain(d), "as the jobs want") {
		t.Error(plain(d))
	}
}

func TestABucketThatFailsKeepsWhatWasRead(t *testing.T) {
	d, w := onBucket(t, nil)
	w.Change(func(w *uitest.World) { w.Fail["buckets"] = uitest.ErrBucket })
	d.Press("r").Until("bucket fails since")
	wants(t, d, "i/o timeout", "STANDARD_IA", "SETTINGS")
}

func TestABucketThatWasNeverReadIsNotNothing(t *testing.T) {
	d, _ := onBucket(t, func(w *uitest.World, _ *ui.Options) {
		w.Fail["buckets"], w.Fail["projections"] = uitest.ErrBucket, uitest.ErrBucket
	})
	wants(t, d, "bucket cannot be read", "i/o timeout")
	none := uitest.New().Options()
	none.Sources.Buckets = nil
	d = ui.Drive(t, none, 120, 40)
	d.Fed().Press("6").Until("not available here")
	d.Press("f").Until("the bucket cannot be read here")
}

func TestAWhatIfIsTypedAndItsMistakesAreNamed(t *testing.T) {
	d, _ := onBucket(t, nil)
	d.Press("f").Until("enter asks")
	d.Press("rain=1", "enter").Until(`"rain" is not known`)
	d.Press("f").Until("rain=1")
	d.Press("esc").UntilIs("left", func(string) bool { return !strings.Contains(plain(d), "enter asks") })
	d.Press("f", "ctrl+u", "keep.days=9", "enter").Until("if keep.days=9")
	d.BucketRead()
	wants(t, d, "IF SO", "$0.25")
}

func TestTheArchivedSetsLeadToTheirThaw(t *testing.T) {
	d, w := onBucket(t, func(w *uitest.World, _ *ui.Options) {
		w.Archive(w.AllSets[0].Dir, backup.Archive{State: backup.Archived})
		w.Archive(w.AllSets[1].Dir, backup.Archive{State: backup.Thawed, Until: uitest.Now.Add(time.Hour)})
	})
	wants(t, d, "in GLACIER, cannot be read: T thaws it", "a copy can be read until 23 Nov")
	d.Press("t").Until("filter: archive:")
	d.Press("T").Until("y, then enter")
	d.Press("y", "enter").Until("asked for")
	if w.AllSets[0].Archive.State != backup.Thawing {
		t.Errorf("%+v", w.AllSets[0].Archive)
	}
	alone, _ := onBucket(t, nil)
	alone.Press("t").Until("no backup is archived")
}

func TestTenantsAreToldApartAndManyOfThemLoseNothing(t *testing.T) {
	var costs []ui.CostView
	for i := range 12 {
		costs = append(costs, ui.CostView{
			Job: "crm", Database: "crm", Schema: "tenant_" + string(rune('a'+i)), Class: "STANDARD", Sets: 1, Bytes: int64(i+1) << 30, USD: 0.1, Known: true,
		})
	}
	d, _ := onBucket(t, func(w *uitest.World, _ *ui.Options) {
		w.Costs = costs
		for _, schema := range []string{"tenant_a", "tenant_b"} {
			w.Tenants = append(w.Tenants, ui.Projection{Job: "crm", Database: "crm", Schema: schema, GoesOn: []float64{1, 2, 3}})
		}
		w.Tenants = append(w.Tenants, ui.Projection{Job: "erp", Database: "erp", Schema: "one", GoesOn: []float64{1, 2, 3}}, ui.Projection{Job: "erp", Database: "erp", Schema: "two", Note: "no price"})
	})
	wants(t, d, "crm · all tenants $2.00 $4.00 $6.00", "erp · all tenants ? ? ?", "no price")
	wants(t, d, "crm · tenant_l", "12 GiB", "crm · 5 more ", "15 GiB", "12 backups, 78 GiB: $1.20 a month")
	if strings.Contains(plain(d), "tenant_a") {
		t.Errorf("the smallest is shown, and was to be in the row of the rest:\n%s", plain(d))
	}
}

func TestNextToNothingIsNoBoundOfACostThatIsNotKnown(t *testing.T) {
	d, _ := onBucket(t, func(w *uitest.World, _ *ui.Options) {
		w.Costs = []ui.CostView{
			{Job: "a", Database: "a", Class: "STANDARD", Sets: 1, Bytes: 1 << 20, USD: 0.0001, Known: true},
			{Job: "a", Database: "a", Class: "GLACIER", Sets: 1, Bytes: 1 << 20},
		}
	})
	wants(t, d, "cost not known; prices are missing")
}
