// Which databases no job backs up, by what the newest runs of this host saw of their servers.

package watch

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup/dump"
	"codeberg.org/pgbtui/pgbtui/internal/config"
)

// Coverage is what is known of one server.
type Coverage struct {
	Host      string // as the first of its jobs names it; "" is libpq's default
	Port      string
	At        time.Time // when a run asked it; zero: none has, and nothing is known
	Uncovered []string  // databases that no job backs up and no exclude names
	InPart    []string  // databases of which each job leaves something out
}

// Coverages compares the databases of servers with the jobs. Servers that are one, reached in several ways, are one.
func Coverages(c *config.Config, read func(config.Postgres) *dump.Server) (all []Coverage) {
	type group struct {
		ways []config.Postgres
		seen *dump.Server
	}
	var groups []*group
	for _, job := range c.Servers() {
		seen := read(job.Postgres)
		known := slices.IndexFunc(groups, func(g *group) bool {
			return seen != nil && seen.Identifier != "" && g.seen != nil && g.seen.Identifier == seen.Identifier
		})
		if known < 0 {
			groups = append(groups, &group{ways: []config.Postgres{job.Postgres}, seen: seen})
			continue
		}
		g := groups[known]
		g.ways = append(g.ways, job.Postgres)
		if seen.At.After(g.seen.At) {
			g.seen = seen
		}
	}
	for _, g := range groups {
		one := Coverage{Host: g.ways[0].Host, Port: g.ways[0].Port}
		if g.seen != nil {
			one.At = g.seen.At
			one.Uncovered = c.Uncovered(g.seen.Databases, g.ways...)
			one.InPart = c.InPart(g.seen.Databases, g.ways...)
		}
		all = append(all, one)
	}
	return all
}

// Server names it for people.
func (c Coverage) Server() string {
	name := c.Host
	if name == "" || strings.HasPrefix(name, "/") {
		name = strings.TrimSpace("the server of this host " + name)
	}
	if c.Port != "" {
		name += " port " + c.Port
	}
	return name
}

// namedDatabases is how many of them are named in one sentence.
const namedDatabases = 10

// uncoveredRemedy is what to do about them.
const uncoveredRemedy = "Add a job for what should be backed up, and name the rest in exclude at the top of the " +
	"configuration; `pgbtui jobs` lists them all."

// judge is one finding a server, however many databases there are.
func (c Coverage) judge() []Finding {
	if len(c.Uncovered) == 0 {
		return nil
	}
	named := c.Uncovered[:min(namedDatabases, len(c.Uncovered))]
	text := strings.Join(named, ", ")
	if more := len(c.Uncovered) - len(named); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return []Finding{{
		Subject: c.Server(), Kind: KindUncovered, Severity: Warning, Remedy: uncoveredRemedy,
		What: fmt.Sprintf("no job backs up %s %s", databasesWord(len(c.Uncovered)), text), Cause: text,
	}}
}

func databasesWord(n int) string {
	if n == 1 {
		return "database"
	}
	return fmt.Sprintf("%d databases:", n)
}

// coverage reads what this host's runs remember.
func (p Prober) coverage(c *config.Config) []Coverage {
	return Coverages(c, func(of config.Postgres) *dump.Server {
		for _, dir := range p.StateDirs {
			if seen, err := dump.ReadServer(dir, of); err == nil && seen != nil {
				return seen
			}
		}
		return nil
	})
}
