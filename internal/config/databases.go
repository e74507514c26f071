package config

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Jobs of several databases: `databases: "*"`, or a list of names and patterns, without those of `exclude`. Which
// databases there are is found at each run. Rules:
//
//   - such a job has no database of its own; On makes of it the job of one database
//   - a set belongs to instance, database and job as ever, so each database has its sets, lock, retention and result
//   - a name without a star is asked for: that it is missing is a failure. What a pattern does not find any more was
//     dropped
//   - in a pattern a star stands for any text, and nothing else is special

// names are one name or pattern, or a list of them.
type names []string

func (n *names) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode {
		if node.ShortTag() == "!!null" {
			return fmt.Errorf("line %d: no name and no pattern; leave the key out, or write \"*\" for every database", node.Line)
		}
		*n = names{node.Value}
		return nil
	}
	var list []string
	if err := node.Decode(&list); err != nil {
		return err
	}
	*n = list
	return nil
}

// Several reports whether the job's databases are found at each run.
func (j Job) Several() bool { return len(j.Databases) > 0 }

// Covers reports whether the job backs a database of this name up.
func (j Job) Covers(database string) bool {
	if j.Tenants() {
		return false // schemas of it are no backup of a database
	}
	if !j.Several() {
		return database != "" && j.Database == database
	}
	return database != "" && matchesAny(j.Databases, database) && !matchesAny(j.Exclude, database)
}

// AskedFor are the databases or schemas that the job names, which have to be there.
func (j Job) AskedFor() (named []string) {
	for _, name := range append(slices.Clone(j.Databases), j.Schemas...) {
		if !strings.Contains(name, "*") && j.CoversPart(name) {
			named = append(named, name)
		}
	}
	return named
}

// On is the job of one of its databases.
func (j Job) On(database string) Job {
	if !j.Several() {
		return j
	}
	j.Database = database
	j.Beside = nil
	for _, other := range j.others {
		if other.Covers(database) {
			j.Beside = append(j.Beside, other.Name)
		}
	}
	return j
}

// Title names a job and, where it has several, its database.
func (j Job) Title() string {
	if part := j.PartName(); part != "" {
		return j.Name + "/" + part
	}
	return j.Name
}

// Expand is the configuration with a job for each database or schema that a divided job has. found says which these
// are; where there is none the job stays, without a database, so that nothing looks well that is not backed up at all.
func (c *Config) Expand(found func(Job) []string) *Config {
	expanded := *c
	expanded.Jobs = nil
	for _, j := range c.Jobs {
		if !j.Open() {
			expanded.Jobs = append(expanded.Jobs, j)
			continue
		}
		names := append(found(j), j.AskedFor()...)
		slices.Sort(names)
		names = slices.DeleteFunc(slices.Compact(names), func(name string) bool { return !j.CoversPart(name) })
		for _, name := range names {
			expanded.Jobs = append(expanded.Jobs, j.Part(name))
		}
		if len(names) == 0 {
			expanded.Jobs = append(expanded.Jobs, j)
		}
	}
	return &expanded
}

// Excluded reports whether nothing is to back a database up: by the settings for all jobs, or by a job of several
// that would else take it.
func (c *Config) Excluded(database string) bool {
	if matchesAny(c.base.Exclude, database) {
		return true
	}
	return slices.ContainsFunc(c.Jobs, func(j Job) bool {
		return j.Several() && matchesAny(j.Databases, database) && matchesAny(j.Exclude, database)
	})
}

func matchesAny(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool { return matches(pattern, name) })
}

// matches compares by the parts between the stars: the first begins the name, the last ends it.
func matches(pattern, name string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == name
	}
	return between(parts, name)
}

// between reports whether a name begins with the first part, ends with the last, and has the others between them, in
// their order.
func between(parts []string, name string) bool {
	first, last := parts[0], parts[len(parts)-1]
	if len(name) < len(first)+len(last) || !strings.HasPrefix(name, first) || !strings.HasSuffix(name, last) {
		return false
	}
	name = name[len(first) : len(name)-len(last)]
	for _, part := range parts[1 : len(parts)-1] {
		at := strings.Index(name, part)
		if at < 0 {
			return false
		}
		name = name[at+len(part):]
	}
	return true
}

// mayShare reports whether both may back the same database up.
func (j Job) mayShare(other Job) bool {
	switch {
	case j.Tenants() && other.Tenants():
		return j.Database == other.Database // which schemas there are, nobody knows before a run
	case j.Tenants() || other.Tenants():
		return false // a schema's sets are not where the database's are
	case j.Several() && other.Several():
		return true // which databases there are, nobody knows before a run
	case j.Several():
		return j.Covers(other.Database)
	}
	return other.Covers(j.Database)
}

func (l loader) checkDatabases(name string, j Job, f fileSettings) error {
	if !j.Several() {
		if ownExclude := documentOf(l.documents(), name).node("jobs", name, "exclude"); ownExclude != nil {
			return l.problem(name, "there is nothing to exclude from: this job has one database",
				"Write `databases:` for a job of several, or take exclude out.", "exclude")
		}
		return nil
	}
	if name == "" {
		return l.problem("", "not at the top: which job would it be?", "Put it into a job.", "databases")
	}
	if f.Database != "" {
		return l.problem(name, "a job has either database or databases", "Take one of the two out.", "databases")
	}
	for key, list := range map[string][]string{"databases": j.Databases, "exclude": j.Exclude} {
		if slices.Contains(list, "") {
			return l.problem(name, "an empty name", "Give the name of a database, or a pattern such as \"crm_*\".", key)
		}
	}
	return nil
}
