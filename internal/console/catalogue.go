package console

import (
	"context"
	"sort"
	"strings"
	"sync"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/backup/stored"
	"codeberg.org/pgbtui/pgbtui/internal/backup/thaw"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres/archive"
	"codeberg.org/pgbtui/pgbtui/internal/price"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
	"codeberg.org/pgbtui/pgbtui/internal/ui"
)

// buckets is ui.Catalogue over every place that a job writes to.
type buckets struct {
	setup  Setup
	copies copies

	mu    sync.Mutex
	sets  map[config.S3]*backup.Catalogue
	at    map[config.S3]price.Place // of those that were opened
	found map[string]config.Job     // by set folder: whose settings reach it
	all   []backup.Set              // as read last
	read  bool
}

// places are the jobs with distinct places.
func (b *buckets) places() []config.Job { return config.Places(b.setup.Config.All()) }

func (b *buckets) open(ctx context.Context, job config.Job) (*backup.Catalogue, *s3.Bucket, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	bucket, err := b.setup.Open(ctx, job)
	if err != nil {
		return nil, nil, err
	}
	if b.at == nil {
		b.at = map[config.S3]price.Place{}
	}
	b.at[job.S3] = b.setup.storedAt(bucket)
	if b.sets[job.S3] == nil {
		b.sets[job.S3] = backup.NewCatalogue(bucket, job).KeepIn(b.setup.Env.CacheDir)
	}
	return b.sets[job.S3], bucket, nil
}

// ofCopies are the sets that copies have, each once, for when the main place does not answer.
func (b *buckets) ofCopies(places []*backup.AtCopy) (all []backup.Set) {
	seen := map[string]bool{}
	for _, p := range places {
		for _, s := range p.Sets {
			if key := s.Address().String() + s.ManifestSum; !seen[key] && s.Kind == backup.KindNative {
				seen[key] = true
				s.At = p.Name
				all = append(all, s)
			}
		}
	}
	sort.SliceStable(all, func(i, k int) bool { return all[i].FinishedAt.After(all[k].FinishedAt) })
	return all
}

// Sets implements ui.Catalogue.
func (b *buckets) Sets(ctx context.Context) ([]backup.Set, error) {
	var all []backup.Set
	found := map[string]config.Job{}
	copied := b.beginCopies(ctx)
	for _, job := range b.places() {
		catalogue, bucket, err := b.open(ctx, job)
		if err != nil {
			return b.ofCopies(copied()), err
		}
		sets, err := catalogue.Sets(ctx, backup.Scope{})
		if err != nil {
			return b.ofCopies(copied()), err
		}
		thaw.Look(ctx, bucket, sets)
		for i := range sets {
			found[sets[i].Dir] = job
		}
		all = append(all, sets...)
	}
	sort.SliceStable(all, func(i, k int) bool { return all[i].FinishedAt.After(all[k].FinishedAt) })
	backup.MarkCopies(all, copied())
	b.mu.Lock()
	b.found = found
	b.all = all
	b.read = true
	b.mu.Unlock()
	return all, nil
}

// latest is what was read last of one database's sets, or of all, newest first; read is false before that.
func (b *buckets) latest(of backup.Scope) (sets []backup.Set, read bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range b.all {
		if s := &b.all[i]; of == (backup.Scope{}) || s.Scope() == of {
			sets = append(sets, *s)
		}
	}
	return sets, b.read
}

// job is the job whose settings reach a set, preferring the one that wrote it.
func (b *buckets) job(set *backup.Set) config.Job {
	if set.At != "" {
		if at, err := b.jobAt(set, set.At); err == nil {
			return at
		}
	}
	b.mu.Lock()
	at, ok := b.found[set.Dir]
	b.mu.Unlock()
	if !ok {
		at = b.places()[0]
	}
	return backup.JobFor(b.setup.Config.Jobs, at, set)
}

// jobAt is the same at a copy; "" is the main place.
func (b *buckets) jobAt(set *backup.Set, from string) (config.Job, error) {
	if from == "" {
		main := *set
		main.At = ""
		return b.job(&main), nil
	}
	c, err := b.setup.Config.From(from)
	if err != nil {
		return config.Job{}, err
	}
	return backup.JobFor(c.Jobs, c.All()[0], set), nil
}

// named is why a unit that is told a set's ID only would not work on this one, or nil. Its verb looks among
// this host's own instances, and takes nothing where two sets have the ID.
func (b *buckets) named(set *backup.Set, verb string) error {
	line := "sudo pgbtui " + verb + " " + set.Address().String()
	if set.At != "" {
		return fault.New(fault.Refused, "the unit looks in the main bucket, and this set was found at copy "+set.At+" only",
			"On the command line: `"+line+" --from "+set.At+"`.", nil)
	}
	remedy := "Name it by its whole address on the command line: `" + line + "`."
	if set.Instance != "" && set.Instance != b.job(set).Instance {
		what := "the unit knows a set by its ID only, and looks among this host's own: this one is of instance " +
			set.Instance
		return fault.New(fault.Refused, what, remedy, nil)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range b.all {
		s := &b.all[i]
		if s.ID == set.ID && s.Address() != set.Address() && (s.Instance == set.Instance || s.Instance == "") {
			what := "the unit knows a set by its ID only, and " + s.Address().String() + " has the same"
			return fault.New(fault.Refused, what, remedy, nil)
		}
	}
	return nil
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
	contents, err := stored.ReadContents(ctx, bucket, &set, identities)
	if err != nil {
		return ui.ContentsView{}, err
	}
	if contents == nil || contents.Archive == nil {
		return ui.ContentsView{}, fault.New(fault.NotFound, "the contents of this set were not recorded",
			"`sudo pgbtui verify "+set.Address().String()+"` counts its rows.", nil)
	}
	view := ui.ContentsView{Extensions: contents.Archive.Extensions()}
	for _, t := range contents.Archive.Tables() {
		view.Tables = append(view.Tables, ui.TableView{
			Schema: t.Schema, Name: t.Name, Ref: restore.TableName(t.Schema, t.Name), Rows: t.Rows, Bytes: t.RawBytes,
		})
	}
	view.Others = others(contents.Archive)
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

// others are the tables and views that have no rows of their own.
func others(a *archive.Archive) (found []ui.TableView) {
	type name struct{ schema, name string }
	full := map[name]bool{}
	for _, t := range a.Tables() {
		full[name{t.Schema, t.Name}] = true
	}
	for _, e := range a.Relations() {
		if full[name{e.Namespace, e.Tag}] {
			continue
		}
		view := ui.TableView{
			Schema: e.Namespace, Name: e.Tag, Ref: restore.TableName(e.Namespace, e.Tag), Kind: strings.ToLower(e.Desc),
		}
		if e.Desc == "TABLE" { // partitioned, or its rows were left out by pg_dump
			view.Kind = "no own rows"
			view.Rows = -1
			view.Bytes = -1
		}
		found = append(found, view)
	}
	return found
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
