package config

import (
	"fmt"
	"slices"
)

// neighbours tells each job of the others that back the same database up into the same place: whose a set
// is, such jobs have to tell apart by name. A name may have one owner only.
func (l loader) neighbours(jobs []Job) error {
	for i := range jobs {
		j := &jobs[i]
		for k := range jobs {
			if k != i && j.sharesPlace(jobs[k]) {
				j.others = append(j.others, jobs[k].alone())
				j.sharesLock = j.sharesLock || j.sharesLockWith(jobs[k])
			}
			if k != i && j.sharesFolder(jobs[k]) {
				j.Beside = append(j.Beside, jobs[k].Name)
			}
		}
		for k, former := range j.Formerly {
			switch {
			case former == "" || former == j.Name || slices.Contains(j.Formerly[:k], former):
				return l.problem(j.Name, fmt.Sprintf("%q is not a former name of this job", former),
					"List each name that it had before, once.", "formerly")
			case slices.Contains(j.Beside, former):
				return l.problem(j.Name, fmt.Sprintf("%q is another job of the same database: its sets are its own", former),
					"Take the name out, or the section of that job.", "formerly")
			}
		}
	}
	return l.oneHeir(jobs)
}

// oneHeir refuses two jobs of one database that both were called the same before.
func (l loader) oneHeir(jobs []Job) error {
	for i, j := range jobs {
		for _, other := range jobs[:i] {
			for _, former := range j.Formerly {
				if other.sharesFolder(j) && slices.Contains(other.Formerly, former) {
					return l.problem(j.Name, fmt.Sprintf("the sets of %q are given to job %q too", former, other.Name),
						"Leave the name with one of them.", "formerly")
				}
			}
		}
	}
	return nil
}

// alone is a job without what it knows of others.
func (j Job) alone() Job {
	j.others = nil
	return j
}

// sharesFolder reports whether both may write the sets of one database into one folder of a bucket.
func (j Job) sharesFolder(other Job) bool { return j.sharesPlace(other) && j.mayShare(other) }

// sharesLockWith is for jobs of one database that write into folders of their own: the lock is the database's.
func (j Job) sharesLockWith(other Job) bool {
	switch {
	case j.Tenants() && other.Tenants():
		return j.Database == other.Database
	case j.Tenants():
		return other.Covers(j.Database)
	case other.Tenants():
		return j.Covers(other.Database)
	}
	return false
}

func (j Job) sharesPlace(other Job) bool {
	return j.Instance == other.Instance && j.S3.SamePlace(other.S3)
}

// SamePlace reports whether both are one prefix of one bucket, whatever else is set: the same sets are
// there, by whichever key, class or profile they are reached.
func (s S3) SamePlace(other S3) bool {
	return s.Endpoint == other.Endpoint && s.Bucket == other.Bucket && s.Prefix == other.Prefix
}
