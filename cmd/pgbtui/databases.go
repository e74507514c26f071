package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/dump"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// The databases of a job of several as verbs see them that do not ask the server: those of which the job has sets in
// the bucket, and those that this host's runs found. A database of which no run has made a set yet is among them.

// expand is a configuration with a job for each database that is known. A bucket that cannot be read is left to
// whoever reads it next.
func (c client) expand(ctx context.Context, of *config.Config) *config.Config {
	return of.Expand(func(job config.Job) []string {
		names := c.remembered(job).Names()
		sets, err := c.setsOfInstance(ctx, job)
		if err != nil {
			return names
		}
		for i := range sets {
			s := &sets[i]
			of, ok := job.Of(s.Database, s.Schema)
			if ok && backup.WhoseOf(of).Owns(s) && !slices.Contains(names, of.PartName()) {
				names = append(names, of.PartName())
			}
		}
		return names
	})
}

// stateDirs are where this host may remember what its backups did.
func (e *environment) stateDirs() []string {
	return []string{e.getenv("STATE_DIRECTORY"), dump.DefaultStateDir}
}

// rememberedServer is what the newest backup of this host saw of a server; nil where nothing is remembered, or this
// user may not look.
func (e *environment) rememberedServer(of config.Postgres) *dump.Server {
	for _, dir := range e.stateDirs() {
		if seen, err := dump.ReadServer(dir, of); err == nil && seen != nil {
			return seen
		}
	}
	return nil
}

// remembered is what this host's runs found; nil where it has none, or this user may not look.
func (c client) remembered(job config.Job) *dump.Found {
	for _, dir := range c.stores.env.stateDirs() {
		if found, err := dump.ReadFound(dir, job); err == nil && found != nil {
			return found
		}
	}
	return nil
}

// instanceID is where the sets of one instance are, and whose key reaches them.
type instanceID struct {
	storeID
	instance string
}

// setsOfInstance are all sets of a job's instance, listed once in a call.
func (c client) setsOfInstance(ctx context.Context, job config.Job) ([]backup.Set, error) {
	key := instanceID{storeID: storeID{S3: job.S3, duty: c.duty}, instance: job.Instance}
	if sets, listed := c.stores.listed[key]; listed {
		return sets, nil
	}
	bucket, err := c.bucket(ctx, job)
	if err != nil {
		return nil, err
	}
	sets, err := c.catalogue(bucket, job).Sets(ctx, backup.Scope{Instance: job.Instance})
	if err != nil {
		return nil, err
	}
	if c.stores.listed == nil {
		c.stores.listed = map[instanceID][]backup.Set{}
	}
	c.stores.listed[key] = sets
	return sets, nil
}

// setsOf are the sets of a job's database or schema; none of a divided job of which none is known.
func (c client) setsOf(ctx context.Context, job config.Job) ([]backup.Set, error) {
	if job.Divided() {
		all, err := c.setsOfInstance(ctx, job)
		return slices.DeleteFunc(slices.Clone(all), func(s backup.Set) bool {
			return job.Open() || s.Database != job.Database || s.Schema != job.Schema
		}), err
	}
	bucket, err := c.bucket(ctx, job)
	if err != nil {
		return nil, err
	}
	return c.catalogue(bucket, job).Sets(ctx, backup.ScopeOf(job))
}

// on is the job of the database or schema that was named, or the job as it is where neither was.
func on(job config.Job, database, schema string) (config.Job, error) {
	const remedy = "Name one of its own; `pgbtui config show` says which these are."
	if schema != "" {
		of, ok := job.Of(cmp.Or(database, job.Database), schema)
		if !ok {
			return job, fault.New(fault.Usage, fmt.Sprintf("job %q does not back schema %q up", job.Name, schema), remedy, nil)
		}
		return of, nil
	}
	switch {
	case database == "", job.Tenants() && database == job.Database:
		return job, nil
	case !job.Covers(database):
		return job, fault.New(fault.Usage, fmt.Sprintf("job %q does not back database %q up", job.Name, database), remedy,
			nil)
	}
	return job.On(database), nil
}

// jobOf is the job of this name, or the only one; of a job of several databases or schemas that of the named one.
func jobOf(c *config.Config, name, database, schema string) (config.Job, error) {
	job, err := c.Job(name)
	if err != nil {
		return job, err
	}
	return on(job, database, schema)
}
