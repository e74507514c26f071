// Whose set is whose on screen. Package backup decides; here are only the jobs and sets that it is asked
// about, so that no screen finds another answer than `pgbtui status` does.

package ui

import (
	"cmp"
	"slices"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
)

// ours reports whether a set is of an instance that a job of this configuration writes to.
func (sh *shared) ours(s *backup.Set) bool {
	if sh.Identity.Instance == "" || s.Instance == "" || s.Instance == sh.Identity.Instance {
		return true
	}
	return slices.ContainsFunc(sh.Jobs, func(j Job) bool { return j.Instance == s.Instance })
}

// inFolder reports whether a set is one of the database that a job backs up, by whichever job.
func (sh *shared) inFolder(j Job, s *backup.Set) bool {
	instance := cmp.Or(j.Instance, sh.Identity.Instance)
	return s.Database == j.Database && s.Schema == j.Schema && (s.Instance == "" || instance == "" ||
		s.Instance == instance)
}

// setsBeside are all sets of a job's database, newest first.
func (sh *shared) setsBeside(j Job) (all []backup.Set) {
	for i := range sh.sets.value {
		if s := &sh.sets.value[i]; sh.inFolder(j, s) {
			all = append(all, *s)
		}
	}
	return all
}

// jobOf is the job that owns a set, else the only one that backs the set's database up.
func (sh *shared) jobOf(s *backup.Set) (Job, bool) {
	var of []Job
	for _, j := range sh.Jobs {
		switch {
		case !sh.inFolder(j, s):
		case j.Whose.Owns(s):
			return j, true
		default:
			of = append(of, j)
		}
	}
	if len(of) != 1 {
		return Job{}, false
	}
	return of[0], true
}

// noJobOf is why there is no job to ask for a set's database.
func (sh *shared) noJobOf(s *backup.Set) string {
	if slices.ContainsFunc(sh.Jobs, func(j Job) bool { return sh.inFolder(j, s) }) {
		return "several jobs back this database up, and this set is of none of them"
	}
	return "no job is configured for this database"
}

// place is the job's database, or the schema of it.
func (j Job) place() string {
	if j.Schema == "" {
		return j.Database
	}
	return j.Database + "/" + j.Schema
}

// jobTitle is how a job is called beside others: by its database, and by its name too where another
// job has a database of that name.
func (sh *shared) jobTitle(j Job) string {
	for _, other := range sh.Jobs {
		if other.Name != j.Name && other.Database == j.Database && other.Schema == j.Schema {
			return j.place() + " (" + j.Name + ")"
		}
	}
	return j.place()
}

// runTitle names a run: by its job where another job backs up a database of that name, since the database would
// not tell them apart and both do not fit a row.
func (sh *shared) runTitle(r UnitRun) string {
	j, ok := sh.jobNamed(r.Job)
	if ok && r.Target == "" && r.Database == j.Database && sh.jobTitle(j) != j.place() {
		return cmp.Or(clean(r.Action), "run") + " of job " + clean(j.Name)
	}
	return runTitle(r)
}

// setTitle is the database of a set, with what tells it from others of that name: the job, also one that
// is not configured any more, and the instance.
func (sh *shared) setTitle(s *backup.Set) (database, more string) {
	database = orUnknown(s.Database)
	if s.Schema != "" {
		database += "/" + clean(s.Schema)
	}
	j, known := sh.jobOf(s)
	switch {
	case s.Job == "", known && j.Whose.Owns(s) && sh.jobTitle(j) == j.place():
	case known || slices.ContainsFunc(sh.Jobs, func(j Job) bool { return sh.inFolder(j, s) }):
		more = " (" + clean(s.Job) + ")"
	}
	if !sh.ours(s) {
		more += " @" + clean(s.Instance)
	}
	return database, more
}
