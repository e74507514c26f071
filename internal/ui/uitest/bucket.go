package uitest

import (
	"context"
	"errors"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/ui"
)

// The made-up world's bucket, as the bucket screen reads it.

// Buckets implements ui.Buckets.
func (w *World) Buckets(context.Context) ([]ui.BucketView, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.fail("buckets"); err != nil {
		return nil, err
	}
	view := ui.BucketView{
		Place: "s3://backups/", Region: "eu-central-1",
		Settings: [][2]string{
			{"Versioning", "off"}, {"Encryption", "AES256"}, {"Public access", "blocked"}, {"Object lock", "off"},
		},
		Differs: []string{
			"versioning: off, wanted enabled",
			`rule "pgbtui postgresql/db01/ unfinished-uploads": missing, wanted postgresql/db01/: abort uploads after 7 days`,
		},
		Harms:  []string{`job sales: rule "tidy" deletes sets after 30 days by their age alone`},
		Prices: "AWS's list prices, as published from 14 September 2025 to 1 July 2026",
		Costs: []ui.CostView{
			{Job: "crm", Database: "crm", Class: "STANDARD_IA", Sets: 9, Bytes: 3 << 30, USD: 0.0405, Known: true},
			{Job: "sales", Database: "sales", Class: "GLACIER", Sets: 2, Bytes: 1 << 30},
			{Job: "sales", Database: "sales", Class: "STANDARD_IA", Sets: 14, Bytes: 41 << 30, USD: 0.5535, Known: true},
		},
		Left: []ui.LeftView{
			{
				What: "objects of an unfinished run of sales", At: Now.Add(-50 * time.Hour), Bytes: 120 << 20,
				USD: 0.002, Known: true,
			},
			{What: "an open upload of crm", At: Now.Add(-3 * time.Hour), Bytes: -1},
		},
	}
	if err := w.fail("posture"); err != nil {
		view.Settings = nil
		view.Differs = nil
		view.Harms = nil
		view.PostureErr = err
	}
	if err := w.fail("uploads"); err != nil {
		view.Left, view.LeftErr = view.Left[:1], err
	}
	if len(w.Costs) > 0 {
		view.Costs = w.Costs
	}
	if w.Tidy {
		view.Differs = nil
		view.Harms = nil
		view.Left = nil
	}
	return []ui.BucketView{view}, nil
}

// ErrNoPosture is a key that may not look at settings.
var ErrNoPosture = fault.New(fault.NotPermitted, "s3: ask for versioning of s3://backups/",
	"Give the key the rights of `pgbtui aws policy --role doctor`.", errors.New("AccessDenied (HTTP 403)"))

// Projections implements ui.Buckets.
func (w *World) Projections(_ context.Context, changes []string) ([]ui.Projection, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.fail("projections"); err != nil {
		return nil, err
	}
	all := []ui.Projection{
		{Job: "crm", Database: "crm", Note: "fewer than two sets say nothing of later months"},
		{Job: "sales", Database: "sales", GoesOn: []float64{0.61, 0.74, 1.12}},
	}
	all = append(all, w.Tenants...)
	if len(changes) > 0 {
		all[1].IfSo = []float64{0.61, 0.40, 0.25}
		for _, change := range changes {
			if change == "rain=1" {
				return nil, fault.New(fault.Usage, `"rain" is not known`, "Write KEY=VALUE: keep.days=90, class=GLACIER_IR.", nil)
			}
		}
	}
	return all, nil
}
