package config

import (
	"cmp"
	"slices"
)

// Which databases of a server no job backs up.

// defaultPort is PostgreSQL's.
const defaultPort = "5432"

// SameServer reports whether both reach the same server, as far as that can be seen from the settings.
func (p Postgres) SameServer(other Postgres) bool {
	return p.Host == other.Host && cmp.Or(p.Port, defaultPort) == cmp.Or(other.Port, defaultPort)
}

// Servers are jobs by which every server is reached once.
func (c *Config) Servers() (distinct []Job) {
	for _, job := range c.All() {
		if !slices.ContainsFunc(distinct, func(other Job) bool { return other.Postgres.SameServer(job.Postgres) }) {
			distinct = append(distinct, job)
		}
	}
	return distinct
}

// Uncovered are those of the databases of a server that no job backs up and no exclude names. A server may be reached
// in several ways, which are all of those that on names.
func (c *Config) Uncovered(databases []string, on ...Postgres) (uncovered []string) {
	for _, name := range databases {
		if covered, _ := c.coverage(name, on); !covered && !c.Excluded(name) {
			uncovered = append(uncovered, name)
		}
	}
	return uncovered
}

// InPart are those of the databases of a server that jobs back up, but each of them without something.
func (c *Config) InPart(databases []string, on ...Postgres) (inPart []string) {
	for _, name := range databases {
		if covered, whole := c.coverage(name, on); covered && !whole {
			inPart = append(inPart, name)
		}
	}
	return inPart
}

// coverage is whether a job backs a database of a server up, and whether one does so as a whole.
func (c *Config) coverage(database string, on []Postgres) (covered, whole bool) {
	for _, j := range c.All() {
		if j.Covers(database) && slices.ContainsFunc(on, j.Postgres.SameServer) {
			covered = true
			whole = whole || !j.Partial()
		}
	}
	return covered, whole
}
