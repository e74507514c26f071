package console

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/posture"
	"codeberg.org/pgbtui/pgbtui/internal/backup/retention"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/cost"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/price"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
	"codeberg.org/pgbtui/pgbtui/internal/ui"
)

// accounts is ui.Buckets: settings, costs and leftovers of the buckets, by the functions behind `pgbtui aws bucket
// plan` and `pgbtui cost`.
type accounts struct {
	setup   Setup
	buckets *buckets
}

var _ ui.Buckets = (*accounts)(nil)

// Buckets implements ui.Buckets.
func (a *accounts) Buckets(ctx context.Context) ([]ui.BucketView, error) {
	sets, err := a.sets(ctx)
	if err != nil {
		return nil, err
	}
	var out []ui.BucketView
	for _, jobs := range a.byBucket() {
		_, bucket, err := a.buckets.open(ctx, jobs[0])
		if err != nil {
			return nil, err
		}
		view := ui.BucketView{Place: bucket.Location(), Region: bucket.Region()}
		view.PostureErr = a.posture(ctx, bucket, jobs, &view)
		prices := a.setup.storedAt(bucket).Table()
		view.Prices = cmp.Or(prices.AsOf, "none is known: the store is not AWS")
		var here []backup.Set
		for i := range sets {
			at := a.buckets.job(&sets[i])
			if at.S3.Bucket == jobs[0].S3.Bucket && at.S3.Endpoint == jobs[0].S3.Endpoint {
				here = append(here, sets[i])
			}
		}
		view.Costs = costsOf(here, prices, bucket.Region())
		view.Left, view.LeftErr = a.left(ctx, bucket, jobs, here)
		out = append(out, view)
	}
	return out, nil
}

// sets are those that were read last, or read now.
func (a *accounts) sets(ctx context.Context) ([]backup.Set, error) {
	if sets, read := a.buckets.latest(backup.Scope{}); read {
		return sets, nil
	}
	return a.buckets.Sets(ctx)
}

// byBucket are the jobs of each bucket, in the configuration's order.
func (a *accounts) byBucket() (all [][]config.Job) {
	for _, j := range a.setup.Config.All() {
		at := slices.IndexFunc(all, func(jobs []config.Job) bool {
			return jobs[0].S3.Bucket == j.S3.Bucket && jobs[0].S3.Endpoint == j.S3.Endpoint
		})
		if at < 0 {
			all = append(all, nil)
			at = len(all) - 1
		}
		all[at] = append(all[at], j)
	}
	return all
}

// storedAt is where a bucket's prices hold. A price file that cannot be read is no reason to show nothing: then no
// price is known, and the list says why.
func (s *Setup) storedAt(b *s3.Bucket) price.Place {
	own, err := price.ReadFile(s.Config.Cost.Prices)
	if err != nil {
		own = &price.Table{AsOf: "none: " + err.Error()}
	}
	return price.Place{Region: b.Region(), Endpoint: b.Endpoint(), Own: own}
}

// posture fills what the bucket is set to.
func (a *accounts) posture(ctx context.Context, b *s3.Bucket, jobs []config.Job, view *ui.BucketView) error {
	state, err := posture.Read(ctx, b, nil)
	if err != nil {
		if fault.CodeOf(err) == fault.NotPermitted {
			return fault.New(fault.NotPermitted, "", "Give the key the rights of `pgbtui aws policy --role doctor`.", err)
		}
		return err
	}
	plan, err := posture.For(state, jobs, nil)
	if err != nil {
		return err
	}
	view.Settings = [][2]string{
		{"Versioning", state.VersioningText()},
		{"Encryption", state.EncryptionText()},
		{"Public access", state.PublicAccessText()},
		{"Object lock", state.LockText()},
	}
	for _, c := range plan.Changes {
		view.Differs = append(view.Differs, fmt.Sprintf("%s: %s, wanted %s", c.What, cmp.Or(c.Has, "missing"),
			cmp.Or(c.Wants, "none")))
	}
	for _, c := range plan.Conflicts {
		view.Harms = append(view.Harms, fmt.Sprintf("job %s: %s", c.Job, c.What))
	}
	return nil
}

// costsOf are good sets by job, database and class.
func costsOf(sets []backup.Set, prices price.Table, region string) []ui.CostView {
	type key struct{ job, database, schema, class string }
	of := map[key][]backup.Set{}
	for i := range sets {
		s := &sets[i]
		if s.Good() {
			k := key{
				job: cmp.Or(s.Job, "-"), database: s.Database, schema: s.Schema, class: cmp.Or(s.Class, "STANDARD"),
			}
			of[k] = append(of[k], *s)
		}
	}
	out := make([]ui.CostView, 0, len(of))
	for k, own := range of {
		one := ui.CostView{Job: k.job, Database: k.database, Schema: k.schema, Class: k.class, Sets: len(own)}
		for i := range own {
			one.Bytes += own[i].StoredSize
		}
		one.USD, one.Known = cost.Now(prices, region, own)
		out = append(out, one)
	}
	slices.SortFunc(out, func(x, y ui.CostView) int {
		return cmp.Or(cmp.Compare(x.Database, y.Database), cmp.Compare(x.Job, y.Job), cmp.Compare(x.Schema, y.Schema),
			cmp.Compare(x.Class, y.Class))
	})
	return out
}

// mostAsked is of how many open uploads it is asked what they hold.
const mostAsked = 50

// left is what runs left: unfinished sets, and uploads that are open, with what they hold where the key may ask.
func (a *accounts) left(
	ctx context.Context, b *s3.Bucket, jobs []config.Job, sets []backup.Set,
) (left []ui.LeftView, err error) {
	at := a.setup.storedAt(b)
	for i := range sets {
		s := &sets[i]
		if s.Kind != backup.KindIncomplete {
			continue
		}
		one := ui.LeftView{What: "objects of an unfinished run of " + s.Database, At: s.FinishedAt, Bytes: s.StoredSize}
		one.USD, one.Known = at.Month(s.Class, s.StoredSize)
		left = append(left, one)
	}
	var roots []string
	for _, j := range jobs {
		if root := backup.Root(j.S3.Prefix); !slices.Contains(roots, root) {
			roots = append(roots, root)
		}
	}
	for _, root := range roots {
		open, err := b.Uploads(ctx, root)
		if errors.Is(err, s3.ErrUploadsUnlisted) {
			return left, err
		}
		if err != nil {
			return left, err
		}
		for i, u := range open {
			one := ui.LeftView{What: "an open upload, " + u.Key, At: u.Initiated, Bytes: -1}
			if i < mostAsked {
				a.sizeOf(ctx, b, u, &one)
			}
			left = append(left, one)
		}
	}
	return left, nil
}

// sizeOf fills in what an open upload holds and costs; what the key may not ask stays unknown.
func (a *accounts) sizeOf(ctx context.Context, b *s3.Bucket, u s3.OpenUpload, one *ui.LeftView) {
	parts, err := b.Parts(ctx, u)
	if err != nil {
		return
	}
	upload := retention.Leftover{Kind: retention.LeftoverUpload, Bytes: parts.Bytes, Class: parts.StorageClass}
	one.Bytes = parts.Bytes
	one.USD, one.Known = upload.MonthlyUSD(a.setup.storedAt(b))
}

// Projections implements ui.Buckets.
func (a *accounts) Projections(ctx context.Context, changes []string) ([]ui.Projection, error) {
	for _, text := range changes {
		key, value, _ := strings.Cut(text, "=")
		if err := new(cost.Plan).Change(key, value); err != nil {
			return nil, fault.New(fault.Usage, err.Error(), "Write KEY=VALUE, several with blanks between: keep.days=90 "+
				"class=GLACIER_IR.", nil)
		}
	}
	sets, err := a.sets(ctx)
	if err != nil {
		return nil, err
	}
	var out []ui.Projection
	for _, job := range a.setup.expanded(sets).All() {
		if job.Database == "" {
			continue // no run has found its databases yet
		}
		_, bucket, err := a.buckets.open(ctx, job)
		if err != nil {
			return nil, err
		}
		out = append(out, a.projection(job, bucket, sets, changes))
	}
	return out, nil
}

// projection is what one job will cost; what is not known has a note.
func (a *accounts) projection(job config.Job, b *s3.Bucket, all []backup.Set, changes []string) ui.Projection {
	out := ui.Projection{Job: job.Name, Database: job.Database, Schema: job.Schema}
	of := cost.Subject{Region: b.Region(), Instance: job.Instance, Database: job.Database, Whose: backup.WhoseOf(job)}
	var sets []backup.Set
	for i := range all {
		if all[i].Instance == job.Instance && all[i].Database == job.Database {
			sets = append(sets, all[i])
		}
	}
	plan := cost.PlanOf(job, job.S3.StorageClass, sets)
	prices := a.setup.storedAt(b).Table()
	var err error
	if out.GoesOn, err = months(prices, of, sets, plan, a.setup.Env.Now()); err != nil {
		out.Note = err.Error()
	}
	if out.Note == "" {
		out.Note = growthText(cost.GrowthOf(cost.Counted(of.Whose, sets)))
	}
	if len(changes) == 0 {
		return out
	}
	for _, text := range changes {
		key, value, _ := strings.Cut(text, "=")
		_ = plan.Change(key, value) // it was tried before
	}
	if out.IfSo, err = months(prices, of, sets, plan, a.setup.Env.Now()); err != nil {
		out.Note = err.Error()
	}
	return out
}

// growthText is by what growth a projection goes, and how far that can be trusted.
func growthText(g cost.Growth) string {
	if !g.Known {
		return "growth is not known from less than four weeks of backups; taken as none"
	}
	return fmt.Sprintf("grows %.1f%% a month; it was %.1f%% to %.1f%%", g.PerMonth*100, g.Low*100, g.High*100)
}

// months are the costs of a plan in the months that the screen shows.
func months(prices price.Table, of cost.Subject, sets []backup.Set, plan cost.Plan, now time.Time) ([]float64, error) {
	if !plan.Complete() {
		return nil, errors.New("fewer than two sets say nothing of later months: ask with every=24h size=100GiB")
	}
	all, err := cost.Forecast(prices, of, sets, plan, now, slices.Max(ui.ProjectedMonths))
	if err != nil {
		return nil, err
	}
	var out []float64
	for _, m := range ui.ProjectedMonths {
		out = append(out, all[m-1].USD())
	}
	return out, nil
}
