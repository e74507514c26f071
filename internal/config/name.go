package config

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// What the name of a job means, or that none was given: which jobs, which places, which server. Command line,
// units and console ask here, so that a name means the same to all of them.

// Job finds a job by name. An empty name is the only job there is. A name without a section in
// a file that lists no jobs is a database of that name, as in a template unit's instance.
func (c *Config) Job(name string) (Job, error) {
	if name == "" {
		if c.one() {
			return c.Jobs[0], nil
		}
		if len(c.Jobs) == 0 {
			return Job{}, fault.New(fault.Config, "config: no database to back up",
				"Set DB_NAME, or add `jobs:` to "+DefaultFile+", or give --job.", nil)
		}
		return Job{}, fault.New(fault.Usage, "config: several jobs, none chosen: "+c.names(), "Choose one with --job.", nil)
	}
	for _, j := range c.Jobs {
		if j.Name == name {
			return j, nil
		}
	}
	if c.ListsJobs() {
		return Job{}, fault.New(fault.Config,
			fmt.Sprintf("config: no job %q in %s; there are %s", name, c.places(), c.names()),
			"Add it there, or name one of these.", nil)
	}
	j := c.base
	j.Name, j.Database = name, name
	return j, nil
}

// one reports whether there is one job, of however many databases.
func (c *Config) one() bool {
	return len(c.Jobs) > 0 && !slices.ContainsFunc(c.Jobs, func(j Job) bool { return j.Name != c.Jobs[0].Name })
}

// Defaults are the settings of a job without a section of its own, and without a name.
func (c *Config) Defaults() Job { return c.base }

// ListsJobs tells a file with a jobs section from settings whose jobs are only unit instances.
func (c *Config) ListsJobs() bool {
	return slices.ContainsFunc(c.Jobs, func(j Job) bool { return j.fromFile })
}

// places are the file and the folder where jobs may stand.
func (c *Config) places() string {
	if len(c.JobFiles) == 0 {
		return c.File
	}
	dir := filepath.Dir(c.JobFiles[0])
	if c.File == "" {
		return dir
	}
	return c.File + " and " + dir
}

func (c *Config) names() string {
	var names []string
	for _, j := range c.Jobs {
		names = append(names, strconv.Quote(j.Name))
	}
	return strings.Join(slices.Compact(names), ", ")
}

// All are the jobs; where none is configured, one with the settings of a job without a section of its own.
func (c *Config) All() []Job {
	if len(c.Jobs) == 0 {
		return []Job{c.Defaults()}
	}
	return c.Jobs
}

// Named are the jobs that a name means to a verb that looks: that one, or All without a name.
func (c *Config) Named(name string) ([]Job, error) {
	if name == "" {
		return c.All(), nil
	}
	return c.called(name)
}

// called are the job of a name, or the jobs of its databases once they are known.
func (c *Config) called(name string) ([]Job, error) {
	job, err := c.Job(name)
	if err != nil {
		return nil, err
	}
	if !job.Divided() {
		return []Job{job}, nil
	}
	return slices.DeleteFunc(slices.Clone(c.Jobs), func(j Job) bool { return j.Name != job.Name }), nil
}

// Backed are the jobs that a name means to a verb that needs their databases: that one, or all without a name. A
// configuration without any is an error.
func (c *Config) Backed(name string) ([]Job, error) {
	if name == "" && len(c.Jobs) > 0 {
		return c.Jobs, nil
	}
	return c.called(name)
}

// Places are jobs by which every place is reached once, however many write there: jobs that differ in how they
// write to one prefix of one bucket find the same sets in it.
func Places(jobs []Job) (distinct []Job) {
	for _, job := range jobs {
		if !slices.ContainsFunc(distinct, func(other Job) bool { return other.S3.SamePlace(job.S3) }) {
			distinct = append(distinct, job)
		}
	}
	return distinct
}

// ServerOf is a job whose PostgreSQL is the one with a database: the named one, that of the database, or the only
// one. Jobs of one database on two servers are an error: which one is meant is not guessed.
func (c *Config) ServerOf(name, database string) (Job, error) {
	if name != "" {
		job, err := c.Job(name)
		return job.On(database), err
	}
	if len(c.Jobs) == 0 {
		return c.Defaults(), nil
	}
	var found *Job
	for i := range c.Jobs {
		job := &c.Jobs[i]
		if !job.Covers(database) && (!job.Tenants() || job.Database != database) {
			continue
		}
		if found != nil && (found.Postgres.Host != job.Postgres.Host || found.Postgres.Port != job.Postgres.Port) {
			return Job{}, fault.New(fault.Usage, "jobs "+found.Name+" and "+job.Name+
				" are of two servers that have this database", "Name one by --job.", nil)
		}
		found = job
	}
	if found != nil {
		return found.On(database), nil
	}
	return c.Job("")
}
