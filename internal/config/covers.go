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
		covered := slices.ContainsFunc(c.All(), func(j Job) bool {
			return j.Covers(name) && slices.ContainsFunc(on, j.Postgres.SameServer)
		})
		if !covered && !c.Excluded(name) {
			uncovered = append(uncovered, name)
		}
	}
	return uncovered
}
