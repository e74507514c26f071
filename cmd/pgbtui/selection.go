package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
	"codeberg.org/pgbtui/pgbtui/internal/request"
)

// Which one set a verb is about: `latest`, an ID or its beginning, or a whole address, with --job,
// --instance and --at.
//
// Rules: the flags, the address or the request decide about instance and database. Where nothing does,
// this host's own instances are meant and never another's: somebody else may have stored a set under the
// same ID. More than one set that fits is refused.

// selection is what was said of the set, and whether a failed verification keeps it from being the latest.
type selection struct {
	id, job, instance, at string
	doubted               bool
}

func (s *selection) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&s.job, "job", "", "look among the sets of this `job`")
	cmd.Flags().StringVar(&s.instance, "instance", "", "look among the sets of this `instance` instead of this host's own")
	cmd.Flags().StringVar(&s.at, "at", "", "instead of an ID: the newest good set that had ended at this `time`, as 2026-11-23T02:00:00Z or \"2026-11-23 02:00\" here")
}

// theOne is what verbs need that are about one set.
const theOne = "the ID of one set or its beginning, INSTANCE/DATABASE/ID, latest, or --at TIME"

// args takes the ID from the arguments; --at stands in its place.
func (s *selection) args(cmd *cobra.Command, args []string) error {
	if len(args) == 0 && s.at != "" {
		s.id = backup.Latest
		return nil
	}
	if err := one(theOne)(cmd, args); err != nil {
		return err
	}
	s.id = args[0]
	return nil
}

// parseAt reads a moment: with its zone as in documents, or as a wall clock here shows it.
func parseAt(text string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z07:00"} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, nil
		}
	}
	for _, layout := range []string{"2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02T15:04:05", "2006-01-02T15:04"} {
		if at, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			return at, nil
		}
	}
	return time.Time{}, usageText("--at is a time such as 2026-11-23T02:00:00Z or \"2026-11-23 02:00\", not " + strconv.Quote(text))
}

// search is a selection as it is looked for.
type search struct {
	want  backup.Wanted
	job   string         // whose place is looked at; "" for all places
	scope []backup.Scope // of which sets; none: this host's own instances at each place
	whose *backup.Whose  // of which job; nil: of all of the database
}

// search settles what decides: the address, then the flags, then what is the only job.
func (s selection) search(c *config.Config) (search, error) {
	found := search{want: backup.Wanted{ID: s.id, Doubted: s.doubted}, job: s.job}
	var scope backup.Scope
	if s.at != "" {
		at, err := parseAt(s.at)
		if err != nil {
			return found, err
		}
		found.want.At = at
	}
	address, whole := backup.ParseAddress(s.id)
	if whole {
		found.want.ID = address.ID
		scope = backup.Scope{Instance: address.Instance, Database: address.Database}
	}
	if s.at != "" && found.want.ID != backup.Latest {
		return found, usageText("--at stands in the place of an ID")
	}
	if err := s.narrow(c, &found, &scope); err != nil {
		return found, err
	}
	if whole && (scope.Instance != address.Instance || scope.Database != address.Database) {
		return found, usageText("the address " + s.id + " is of another instance or database than --job and --instance")
	}
	if scope != (backup.Scope{}) {
		found.scope = []backup.Scope{scope}
	}
	return found, nil
}

// narrow adds what the flags say, and for `latest` what is the only job.
func (s selection) narrow(c *config.Config, found *search, scope *backup.Scope) error {
	latest := found.want.ID == backup.Latest
	if s.job != "" || (latest && *scope == (backup.Scope{})) {
		job, err := c.Job(s.job)
		switch {
		case err == nil:
			scope.Instance, scope.Database = job.Instance, job.Database
			whose := backup.WhoseOf(job)
			found.whose = &whose
		case s.job != "" || s.instance == "":
			return err
		}
	}
	if s.instance != "" {
		scope.Instance = s.instance
	}
	return nil
}

// locate finds the one set that is meant.
func (p *program) locate(ctx context.Context, s selection) (*located, error) {
	c, err := p.config()
	if err != nil {
		return nil, err
	}
	look, err := s.search(c)
	if err != nil {
		return nil, err
	}
	places, err := p.places(ctx, c, look.job)
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
	p.tellPassedOver(found.sets, set, look.want)
	if set == nil {
		return nil, noSet(ctx, places, look)
	}
	return found.located(c, set), nil
}

// tellPassedOver says why newer sets than the latest are not it.
func (p *program) tellPassedOver(sets []backup.Set, latest *backup.Set, want backup.Wanted) {
	if want.ID != backup.Latest || !want.At.IsZero() {
		return
	}
	_, passed := backup.NewestGood(sets)
	for _, o := range passed {
		if o.Set == latest {
			return
		}
		if latest == nil || o.Set.Database == latest.Database && o.Set.Instance == latest.Instance {
			_, _ = fmt.Fprintln(p.err, printable.Text(o.String()))
		}
	}
}

// again is the set as it lies in the bucket now.
func (l *located) again(ctx context.Context, p *program) (*backup.Set, error) {
	scope := backup.Scope{Instance: l.set.Instance, Database: l.set.Database}
	return p.client().catalogue(l.bucket, l.job).Find(ctx, scope, l.set.ID)
}

// locateAsked finds exactly the set of a request: its whole address, with the manifest that the operator saw.
func (p *program) locateAsked(ctx context.Context, asked request.Restore) (*located, error) {
	c, err := p.config()
	if err != nil {
		return nil, err
	}
	places, err := p.places(ctx, c, "")
	if err != nil {
		return nil, err
	}
	wanted := backup.Address{Instance: asked.Instance, Database: asked.Database, ID: asked.Set}
	found, err := gather(ctx, c, places, search{scope: []backup.Scope{{Instance: asked.Instance, Database: asked.Database}}})
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
			return nil, fault.New(fault.Refused, fmt.Sprintf("set %s is not one of job %q, which the request names", wanted, asked.Job),
				"choose the set in the console again, or look which job made it: `pgbtui show "+wanted.String()+"`", nil)
		default:
			return found.located(c, set), nil
		}
	}
	if other {
		return nil, fault.New(fault.Integrity, fmt.Sprintf("the manifest of set %s is not the one that was asked for: it was exchanged since, or the request is of another bucket", wanted),
			"find out who writes to the bucket (`sudo pgbtui verify "+wanted.String()+"` reads what there is now), then ask for the restore again", nil)
	}
	return nil, fault.New(fault.NotFound, fmt.Sprintf("no set %s", wanted), "`pgbtui list` shows what there is", nil)
}

// ownedBy reports whether a set is one of the job that a request names. One that names none is taken at its
// word: sets of the old script have no job.
func ownedBy(c *config.Config, name string, set *backup.Set) bool {
	if name == "" || name == set.Job {
		return true
	}
	job, err := c.Job(name)
	return err == nil && backup.WhoseOf(job).Owns(set)
}

// gathered are the sets of a search, newest first, and where each was found.
type gathered struct {
	sets  []backup.Set
	where map[string]place // by identity
}

// identity is one for the copies of a set that several places hold, and for a place that several jobs share.
func identity(s *backup.Set) string { return s.Address().String() + "\x00" + s.ManifestSHA256() }

func (g *gathered) located(c *config.Config, set *backup.Set) *located {
	at := g.where[identity(set)]
	return &located{set, at.bucket, backup.JobFor(c.Jobs, at.job, set)}
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
	if look.whose != nil {
		found.sets = look.whose.Of(found.sets)
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

// noSet says where nothing fits, and what there is elsewhere: on a new host, the old one's sets.
func noSet(ctx context.Context, places []place, look search) error {
	what, remedy := "no good set", "`pgbtui list` shows what there is"
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
	all := gathered{where: map[string]place{}}
	for _, at := range places {
		if sets, err := at.catalogue.Sets(ctx, backup.Scope{}); err == nil { // else that is all there is to be said
			all.add(at, sets)
		}
	}
	if elsewhere, example := backup.Elsewhere(all.sets, look.want); elsewhere != "" {
		what, remedy = what+"; "+elsewhere, "if one of these is meant, say so by its whole address, as "+example+", or by --instance; "+remedy
	}
	return fault.New(fault.NotFound, what, remedy, nil)
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
	if scopes[0].Instance != "" {
		words = append(words, fmt.Sprintf("instance %q", scopes[0].Instance))
	}
	return strings.Join(words, " of ")
}
