package console

import (
	"context"
	"log/slog"
	"sort"
	"sync"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
	"codeberg.org/pgbtui/pgbtui/internal/ui"
)

// buckets is ui.Catalogue over every place that a job writes to.
type buckets struct {
	setup Setup

	mu    sync.Mutex
	sets  map[config.S3]*backup.Catalogue
	found map[string]config.Job // by set folder: whose settings reach it
	all   []backup.Set          // as read last
	read  bool
}

// places are the jobs with distinct places.
func (b *buckets) places() []config.Job {
	jobs := b.setup.Config.Jobs
	if len(jobs) == 0 {
		return []config.Job{b.setup.Config.Defaults()}
	}
	var distinct []config.Job
	seen := map[config.S3]bool{}
	for _, j := range jobs {
		if !seen[j.S3] {
			seen[j.S3] = true
			distinct = append(distinct, j)
		}
	}
	return distinct
}

func (b *buckets) open(ctx context.Context, job config.Job) (*backup.Catalogue, *s3.Bucket, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	bucket, err := b.setup.Open(ctx, job)
	if err != nil {
		return nil, nil, err
	}
	if b.sets[job.S3] == nil {
		b.sets[job.S3] = backup.NewCatalogue(bucket, job)
	}
	return b.sets[job.S3], bucket, nil
}

// Sets implements ui.Catalogue.
func (b *buckets) Sets(ctx context.Context) ([]backup.Set, error) {
	var all []backup.Set
	found := map[string]config.Job{}
	for _, job := range b.places() {
		catalogue, _, err := b.open(ctx, job)
		if err != nil {
			return nil, err
		}
		sets, err := catalogue.Sets(ctx, backup.Scope{})
		if err != nil {
			return nil, err
		}
		for i := range sets {
			found[sets[i].Dir] = job
		}
		all = append(all, sets...)
	}
	sort.SliceStable(all, func(i, k int) bool { return all[i].FinishedAt.After(all[k].FinishedAt) })
	b.mu.Lock()
	b.found, b.all, b.read = found, all, true
	b.mu.Unlock()
	return all, nil
}

// latest is what was read last of one database's sets, newest first; read is false before that.
func (b *buckets) latest(of backup.Scope) (sets []backup.Set, read bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range b.all {
		if s := &b.all[i]; s.Instance == of.Instance && s.Database == of.Database {
			sets = append(sets, *s)
		}
	}
	return sets, b.read
}

// job is the job whose settings reach a set, preferring the one that wrote it.
func (b *buckets) job(set *backup.Set) config.Job {
	b.mu.Lock()
	at, ok := b.found[set.Dir]
	b.mu.Unlock()
	if !ok {
		at = b.places()[0]
	}
	for _, j := range b.setup.Config.Jobs {
		if j.S3 == at.S3 && j.Database == set.Database && (set.Instance == "" || j.Instance == set.Instance) {
			return j
		}
	}
	at.Database = set.Database
	return at
}

// Contents implements ui.Catalogue.
func (b *buckets) Contents(ctx context.Context, set backup.Set) (ui.ContentsView, error) {
	job := b.job(&set)
	_, bucket, err := b.open(ctx, job)
	if err != nil {
		return ui.ContentsView{}, err
	}
	identities, err := b.setup.Identities(job)
	if err != nil {
		return ui.ContentsView{}, err
	}
	contents, err := backup.ReadContents(ctx, bucket, &set, identities)
	if err != nil {
		return ui.ContentsView{}, err
	}
	if contents == nil || contents.Archive == nil {
		return ui.ContentsView{}, fault.New(fault.NotFound, "the contents of this set were not recorded", "`pgbtui verify` counts its rows", nil)
	}
	view := ui.ContentsView{Extensions: contents.Archive.Extensions()}
	for _, t := range contents.Archive.Tables() {
		view.Tables = append(view.Tables, ui.TableView{Schema: t.Schema, Name: t.Name, Rows: t.Rows, Bytes: t.RawBytes})
	}
	owners := map[string]bool{}
	for _, e := range contents.Archive.Entries {
		if e.Owner != "" && !owners[e.Owner] {
			owners[e.Owner] = true
			view.Roles = append(view.Roles, e.Owner)
		}
	}
	sort.Strings(view.Roles)
	return view, nil
}

// Recipe implements ui.Catalogue.
func (b *buckets) Recipe(set backup.Set) []string {
	job := b.job(&set)
	_, bucket, err := b.open(context.Background(), job) // opening resolves settings, it does no I/O
	if err != nil {
		return []string{"# " + err.Error()}
	}
	return backup.Recipe(&set, bucket.Location(), bucket.Endpoint())
}

// planner is ui.Planner: the checks that this user may make; the unit makes all of them again.
type planner struct {
	setup   Setup
	buckets *buckets
}

// quick bounds how long the console waits for a PostgreSQL that does not answer.
const quick = 2 * time.Second

// Databases implements ui.Planner.
func (p *planner) Databases(ctx context.Context) ([]string, error) {
	job := p.buckets.places()[0]
	c := job.Postgres
	server, err := postgres.Connect(ctx, postgres.Target{Host: c.Host, Port: c.Port, Database: "postgres"}, quick)
	if fault.CodeOf(err) == fault.NotPermitted {
		return nil, fault.New(fault.NotPermitted, "PostgreSQL does not let this user in to list its databases; the unit checks the name", "", nil)
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = server.Close(context.WithoutCancel(ctx)) }()
	return server.Databases(ctx)
}

// Preflight implements ui.Planner. What needs a login to PostgreSQL that this user lacks is said
// to be left to the unit, which runs as postgres.
func (p *planner) Preflight(ctx context.Context, r ui.RestoreRequest) ([]ui.Check, error) {
	job := p.buckets.job(&r.Set)
	job.Postgres.User, job.ConnectWait = "", quick
	_, bucket, err := p.buckets.open(ctx, job)
	if err != nil {
		return nil, err
	}
	env := p.setup.Env
	env.Bucket, env.Log = bucket, slog.New(slog.DiscardHandler)
	identities, err := p.setup.Identities(job)
	if err != nil {
		return nil, err
	}
	checks, err := backup.Preflight(ctx, job, env, &r.Set, backup.RestoreRequest{To: r.Target, Globals: r.Globals, Jobs: r.Jobs}, identities)
	if code := fault.CodeOf(err); code == fault.NotPermitted || code == fault.NotFound {
		return []ui.Check{{OK: true, Warn: true, What: "PostgreSQL lets only the unit in: it checks target, tools, roles and extensions as postgres before it starts"}}, nil
	}
	if err != nil {
		return nil, err
	}
	var out []ui.Check
	for _, c := range checks {
		out = append(out, ui.Check{OK: c.OK, Warn: c.Warn, What: c.Name + ": " + c.Detail, Remedy: c.Remedy})
	}
	return out, nil
}
