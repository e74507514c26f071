package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/thaw"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/request"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

// Which one set a verb is about: `latest`, an ID or its beginning, or a whole address, with --job,
// --instance and --at.
//
// Rules: the flags, the address or the request decide about instance and database. Where nothing does,
// this host's own instances are meant and never another's: somebody else may have stored a set under the
// same ID. More than one set that fits is refused.

// finder finds the sets that a verb is about.
type finder struct {
	client
	streams  *streams
	settings *settings
}

// located is a set, where it was found, and the job whose settings fit it.
type located struct {
	set    *backup.Set
	among  []backup.Set // all of its database, of every job: a listing can be large, and one is enough
	bucket *s3.Bucket
	job    config.Job
}

// locate finds the one set that is meant.
func (f *finder) locate(ctx context.Context, s selection) (*located, error) {
	c, err := f.settings.config()
	if err != nil {
		return nil, err
	}
	look, err := s.search(c)
	if err != nil {
		return nil, err
	}
	places, err := f.places(ctx, c, look.job)
	if err != nil {
		return nil, err
	}
	found, err := gather(ctx, c, places, look)
	if err != nil {
		return nil, err
	}
	set, err := backup.One(backup.Candidates(found.sets, look.want), look.want)
	if err != nil {
		return nil, err
	}
	f.notePassedOver(found.sets, set, look.want)
	if set == nil {
		return nil, noSet(ctx, places, look)
	}
	return found.located(c, set), nil
}

// all are the sets of a job, or every one of every place without a name.
func (f *finder) all(ctx context.Context, job string) ([]backup.Set, error) {
	c, err := f.settings.config()
	if err != nil {
		return nil, err
	}
	places, err := f.places(ctx, c, job)
	if err != nil {
		return nil, err
	}
	var scope backup.Scope
	if job != "" {
		scope = backup.ScopeOf(places[0].job)
		if places[0].job.Open() {
			scope = backup.Scope{Instance: places[0].job.Instance}
		}
	}
	var all []backup.Set
	for _, at := range places {
		sets, err := at.catalogue.Sets(ctx, scope)
		if err != nil {
			return nil, err
		}
		if job != "" {
			sets = setsOfJob(at.job, sets)
		}
		thaw.Look(ctx, at.bucket, sets)
		all = append(all, sets...)
	}
	jobs, err := c.Named(job)
	if err != nil {
		return nil, err
	}
	backup.MarkCopies(all, f.copiesOf(ctx, jobs, func(config.Job) backup.Scope { return scope }))
	return all, nil
}

// setsOfJob are those of a job among sets, in their order: of each of its databases, where it has several.
func setsOfJob(job config.Job, sets []backup.Set) []backup.Set {
	if !job.Open() {
		return backup.WhoseOf(job).Of(sets)
	}
	byPart := map[string][]backup.Set{}
	for i := range sets {
		if of, ok := job.Of(sets[i].Database, sets[i].Schema); ok {
			byPart[of.PartName()] = append(byPart[of.PartName()], sets[i])
		}
	}
	var own []backup.Set
	for name, of := range byPart {
		own = append(own, backup.WhoseOf(job.Part(name)).Of(of)...)
	}
	slices.SortFunc(own, func(a, b backup.Set) int {
		if backup.Newer(&a, &b) {
			return -1
		}
		return 1
	})
	return own
}

// notePassedOver says why newer sets than the latest are not it.
func (f *finder) notePassedOver(sets []backup.Set, latest *backup.Set, want backup.Wanted) {
	if want.ID != backup.Latest || !want.At.IsZero() {
		return
	}
	_, passed := backup.NewestGood(sets)
	for _, o := range passed {
		if o.Set == latest {
			return
		}
		if latest == nil || o.Set.Scope() == latest.Scope() {
			f.streams.notef("%s", o.String())
		}
	}
}

// again is a set as it lies in the bucket now.
func (f *finder) again(ctx context.Context, at *located) (*backup.Set, error) {
	return f.catalogue(at.bucket, at.job).Find(ctx, databaseOf(at.set), at.set.ID)
}

// databaseOf is where the sets of a set's database are.
func databaseOf(s *backup.Set) backup.Scope {
	return s.Scope()
}

// locateAsked finds exactly the set of a request: its whole address, with the manifest that the operator saw.
func (f *finder) locateAsked(ctx context.Context, asked request.Restore) (*located, error) {
	c, err := f.settings.config()
	if err != nil {
		return nil, err
	}
	places, err := f.places(ctx, c, "")
	if err != nil {
		return nil, err
	}
	wanted := backup.Address{Instance: asked.Instance, Database: asked.Database, Schema: asked.Schema, ID: asked.Set}
	scope := wanted.Scope()
	found, err := gather(ctx, c, places, search{scope: []backup.Scope{scope}})
	if err != nil {
		return nil, err
	}
	var other bool
	for i := range found.sets {
		set := &found.sets[i]
		switch {
		case set.Address() != wanted:
		case set.ManifestSHA256() != asked.ManifestSHA256:
			other = true
		case !ownedBy(c, asked.Job, set):
			what := fmt.Sprintf("set %s is not one of job %q, which the request names", wanted, asked.Job)
			return nil, fault.New(fault.Refused, what,
				"Choose the set in the console again, or see which job made it: `pgbtui show "+wanted.String()+"`.", nil)
		default:
			return found.located(c, set), nil
		}
	}
	if other {
		what := fmt.Sprintf("the manifest of set %s is not the one that was asked for: it was replaced since then, "+
			"or the request is for another bucket", wanted)
		return nil, fault.New(fault.Integrity, what, "Find out who writes to the bucket (`sudo pgbtui verify "+
			wanted.String()+"` reads what there is now), then ask for the restore again.", nil)
	}
	return nil, fault.New(fault.NotFound, fmt.Sprintf("no set %s", wanted), listRemedy, nil)
}

// ownedBy reports whether a set is one of the job that a request names. One that names none is taken at its
// word: sets of the old script have no job.
func ownedBy(c *config.Config, name string, set *backup.Set) bool {
	if name == "" || name == set.Job {
		return true
	}
	job, err := c.Job(name)
	if err != nil {
		return false
	}
	of, ok := job.Of(set.Database, set.Schema)
	return ok && backup.WhoseOf(of).Owns(set)
}

// gathered are the sets of a search, newest first, and where each was found.
type gathered struct {
	sets  []backup.Set     // that fit the search
	every []backup.Set     // of their databases, of any job
	where map[string]place // by identity
}

// identity is one for the copies of a set that several places hold, and for a place that several jobs share.
func identity(s *backup.Set) string { return s.Address().String() + "\x00" + s.ManifestSHA256() }

func (g *gathered) located(c *config.Config, set *backup.Set) *located {
	at := g.where[identity(set)]
	among := slices.Clone(g.every)
	among = slices.DeleteFunc(among, func(s backup.Set) bool {
		return s.Scope() != set.Scope()
	})
	return &located{set: set, among: among, bucket: at.bucket, job: backup.JobFor(c.Jobs, at.job, set)}
}

// gather finds the sets of a search. Of a named job they are that job's own.
func gather(ctx context.Context, c *config.Config, places []place, look search) (gathered, error) {
	found := gathered{where: map[string]place{}}
	for _, at := range places {
		scopes := look.scope
		if len(scopes) == 0 {
			scopes = ownScopes(c, at)
		}
		for _, scope := range scopes {
			sets, err := at.catalogue.Sets(ctx, scope)
			if err != nil {
				return found, err
			}
			found.add(at, sets)
		}
	}
	slices.SortStableFunc(found.sets, func(a, b backup.Set) int { return b.FinishedAt.Compare(a.FinishedAt) })
	found.every = found.sets
	if look.of != nil {
		found.sets = setsOfJob(*look.of, found.sets)
	}
	return found, nil
}

// ownScopes are this host's instances at a place: those of the jobs that write there.
func ownScopes(c *config.Config, at place) (scopes []backup.Scope) {
	for _, job := range append(slices.Clone(c.Jobs), at.job) {
		scope := backup.Scope{Instance: job.Instance}
		if job.S3.SamePlace(at.job.S3) && !slices.Contains(scopes, scope) {
			scopes = append(scopes, scope)
		}
	}
	return scopes
}

// add leaves out what was found already at another place.
func (g *gathered) add(at place, sets []backup.Set) {
	for i := range sets {
		if _, again := g.where[identity(&sets[i])]; !again {
			g.where[identity(&sets[i])] = at
			g.sets = append(g.sets, sets[i])
		}
	}
}

// listRemedy is for who named a set that is not there.
const listRemedy = "`pgbtui list` shows which there are."

// noSet says where nothing fits, and what there is elsewhere: on a new host, the old one's sets.
func noSet(ctx context.Context, places []place, look search) error {
	what := "no good set"
	if look.want.ID != backup.Latest {
		what = fmt.Sprintf("no set %q", look.want.ID)
	}
	if !look.want.At.IsZero() {
		what += " that had ended at " + look.want.At.UTC().Format(time.RFC3339)
	}
	if look.job != "" {
		what += fmt.Sprintf(" of job %q", look.job)
	}
	what += " of " + scopeText(look.scope)
	remedy := listRemedy
	all := gathered{where: map[string]place{}}
	for _, at := range places {
		if sets, err := at.catalogue.Sets(ctx, backup.Scope{}); err == nil { // else that is all there is to be said
			all.add(at, sets)
		}
	}
	if elsewhere, example := backup.Elsewhere(all.sets, look.want, databaseIn(look.scope)); elsewhere != "" {
		what += "; " + elsewhere
		remedy = "If you mean one of these, give its whole address, as " + example + ", or --instance. " + remedy
	}
	return fault.New(fault.NotFound, what, remedy, nil)
}

// databaseIn is the database that was looked for, or "".
func databaseIn(scopes []backup.Scope) string {
	if len(scopes) == 0 {
		return ""
	}
	return scopes[0].Database
}

// scopeText is what was looked at.
func scopeText(scopes []backup.Scope) string {
	if len(scopes) == 0 {
		return "this host's own instance"
	}
	var words []string
	if scopes[0].Database != "" {
		words = append(words, fmt.Sprintf("database %q", scopes[0].Database))
	}
	if scopes[0].Schema != "" {
		words = slices.Insert(words, 0, fmt.Sprintf("schema %q", scopes[0].Schema))
	}
	if scopes[0].Instance != "" {
		words = append(words, fmt.Sprintf("instance %q", scopes[0].Instance))
	}
	return strings.Join(words, " of ")
}
