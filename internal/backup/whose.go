package backup

import (
	"slices"

	"codeberg.org/pgbtui/pgbtui/internal/config"
)

// Several jobs may back one database up: every hour for a week, every week for a year. So a set belongs
// to an instance, a database and a job, and this file is the one place that says to which job. Rules:
//
//   - a set is of the job that its manifest names, or of the job that was called so before (`formerly`)
//   - a tenant's set, of one schema, is of a job of that schema alone, and never of one of its database
//   - a set that names no job is of the only job that is configured for its database; of several, of none
//   - a set of a job that is not configured here is nobody's: it is shown, and no other job deletes it
//   - what an unfinished run left is of the database: whose it was to be, nobody knows
//   - an object of the old script is of the only job of its database, and of each that is asked to delete it

// Whose says which sets of one instance and database are a job's own.
type Whose struct {
	Job    string
	Former []string // names that the job had before
	Beside []string // other jobs of the configuration that back the same database up into the same place
	Schema string   // of a tenant; its sets are no other's
}

// WhoseOf is for a job of the configuration.
func WhoseOf(job config.Job) Whose {
	return Whose{Job: job.Name, Former: job.Formerly, Beside: job.Beside, Schema: job.Schema}
}

// Owns reports whether a set is the job's own: what its rules count and may delete.
func (w Whose) Owns(s *Set) bool {
	switch {
	case s.Kind == KindIncomplete, s.Schema != w.Schema:
		return false
	case s.Kind == KindLegacy || s.Job == "":
		return len(w.Beside) == 0
	}
	return s.Job == w.Job || slices.Contains(w.Former, s.Job)
}

// Own are the job's own sets, in their order.
func (w Whose) Own(sets []Set) (own []Set) {
	for i := range sets {
		if w.Owns(&sets[i]) {
			own = append(own, sets[i])
		}
	}
	return own
}

// Nobodys reports whether no job that is configured here for the database owns a set.
func (w Whose) Nobodys(s *Set) bool {
	return !w.Owns(s) && (s.Job == "" || !slices.Contains(w.Beside, s.Job))
}

// Of are the sets that a job is judged by: its own, in their order, and what may be its own as far as
// anybody can tell.
//
// The only job of a database that has no set under its name yet is judged by all that are there: it was
// renamed, or the configuration is one of a host that only looks and calls its jobs otherwise. That goes
// for looking alone; such a job deletes none of them.
func (w Whose) Of(sets []Set) []Set {
	if len(w.Beside) == 0 && !slices.ContainsFunc(sets, func(s Set) bool { return s.Kind == KindNative && w.Owns(&s) }) {
		return slices.DeleteFunc(slices.Clone(sets), func(s Set) bool { return s.Schema != w.Schema })
	}
	var own []Set
	for i := range sets {
		if s := &sets[i]; w.Owns(s) || w.mayOwn(s) {
			own = append(own, *s)
		}
	}
	return own
}

// mayOwn is for what names no job that could be believed: what an unfinished run left, a manifest that
// cannot be read, and a set that nobody vouches for and no other job claims.
func (w Whose) mayOwn(s *Set) bool {
	switch {
	case s.Schema != w.Schema:
		return false
	case s.Kind == KindIncomplete, s.Kind == KindNative && s.Job == "" && s.Manifest == nil:
		return true
	case s.Signature == SignatureForged, s.Signature == SignatureMissing && !s.Good():
		return w.Nobodys(s)
	}
	return false
}

// JobFor is the job whose settings fit a set that was found in the place of another job: the one that owns it,
// else one that backs the same database up, else that other job with the set's database.
func JobFor(jobs []config.Job, reached config.Job, set *Set) config.Job {
	found := reached
	for _, job := range slices.Backward(jobs) {
		if job.Instance == set.Instance && job.S3.SamePlace(reached.S3) {
			found = job // of the instance at least
		}
	}
	found.Database, found.Schema = set.Database, set.Schema
	for _, job := range slices.Backward(jobs) {
		of, covered := job.Of(set.Database, set.Schema)
		if !covered || set.Instance != "" && job.Instance != set.Instance || !job.S3.SamePlace(reached.S3) {
			continue
		}
		if found = of; WhoseOf(found).Owns(set) {
			return found
		}
	}
	return found
}
