package config

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Where each setting was written. Rules: the place that won is named; a variable that the units' environment file
// sets to the same value counts as set there; and what only this shell sets, against what the units use, is an
// override, which people are told of at every call.

// origins are kept of a loading, to answer later where something came from.
type origins struct {
	documents []*document
	getenv    func(string) string
	inFile    map[string]variable // of the environment file
	file      string              // the environment file
}

// Override is a variable of this shell that takes the place of what the units use.
type Override struct {
	Variable string
	Key      string // of the file
	Here     string // its value here; of a secret, Hidden
	Units    string // what the units use; "" when it is a secret, or nothing
	Where    string // where that is written
}

// String is the override in a sentence.
func (o Override) String() string {
	units := o.Key + " of " + o.Where
	if o.Units != "" {
		units = fmt.Sprintf("%s %q of %s", o.Key, o.Units, o.Where)
	}
	return fmt.Sprintf("%s=%s in the environment of this shell overrides %s; the units do not see this shell's variables",
		o.Variable, o.Here, units)
}

// Settings are all settings of a job, in the reference's order.
func (c *Config) Settings(j Job) []Setting {
	var all []Setting
	for _, row := range settingRows() {
		s := Setting{Key: row.key, Value: row.value(c, j), Secret: row.secret}
		s.From = c.origins.from(row, j)
		if name := c.origins.weakerSet(row); s.From == FromDefault && name != "" && s.Value == "" {
			s.Value, s.From = withoutPassword(c.origins.look(name)), c.origins.variable(name)
		}
		if row.key == "database" {
			s.From = c.databaseFrom(j)
		}
		if s.Secret && s.Value != "" {
			s.Value = Hidden
		}
		all = append(all, s)
	}
	return all
}

// databaseFrom is settled otherwise than the rest: a job is named after its database, and DB_NAME makes a job.
func (c *Config) databaseFrom(j Job) string {
	o := c.origins
	switch line, written := o.line(j, "database"); {
	case j.Several(), j.Database == "":
		return FromDefault
	case j.fromFile && written:
		return line
	case j.fromFile || j.Database != cmp.Or(o.look("DB_NAME"), c.base.Database, o.look("PGDATABASE")):
		return FromDefault + ": the job's name"
	case o.look("DB_NAME") != "":
		return o.variable("DB_NAME")
	case written:
		return line
	}
	return o.variable("PGDATABASE")
}

// Overrides are those of this process's environment, in the reference's order.
func (c *Config) Overrides() []Override {
	var found []Override
	for _, row := range settingRows() {
		for _, name := range row.stronger {
			if o, is := c.overrides(row, name); is {
				found = append(found, o)
			}
			if c.origins.look(name) != "" {
				break // a weaker variable of the same setting has no effect
			}
		}
	}
	if o, is := c.overrides(settingRow{key: "database"}, "DB_NAME"); is {
		found = append(found, o)
	}
	return found
}

func (c *Config) overrides(row settingRow, name string) (Override, bool) {
	o := c.origins
	here := o.shell(name)
	if here == "" {
		return Override{}, false
	}
	over := Override{Variable: name, Key: row.key, Here: strconv.Quote(here)}
	if set, inFile := o.inFile[name]; inFile && set.value != "" {
		over.Key, over.Units = name, set.value
		over.Where = fmt.Sprintf("%s:%d", o.file, set.line)
	} else if !o.written(c, row.key, &over) {
		return Override{}, false
	}
	differs := over.Units != here
	if row.secret {
		over.Here, over.Units = Hidden, ""
	}
	return over, differs
}

// written finds the first place in the file that says otherwise. The days of RETENTION_DAYS are a rule more where
// the file has others.
func (o origins) written(c *Config, key string, over *Override) bool {
	path := strings.Split(key, ".")
	for _, job := range append(slices.Clone(c.Jobs), Job{}) {
		node, file := o.node(job, path...)
		if node != nil && node.Value != unquoted(over.Here) {
			over.Units = node.Value
			over.Where = fmt.Sprintf("%s:%d", file, node.Line)
			return true
		}
		if keep, file := o.node(job, "keep"); node == nil && key == "keep.days" && keep != nil {
			over.Key = "keep"
			over.Where = fmt.Sprintf("%s:%d", file, keep.Line)
			return true
		}
	}
	return false
}

func unquoted(text string) string {
	plain, _ := strconv.Unquote(text)
	return plain
}

func (o origins) from(row settingRow, j Job) string {
	for _, name := range row.stronger {
		if o.look(name) != "" {
			return o.variable(name)
		}
	}
	owner := j
	if row.topOnly {
		owner = Job{}
	}
	if line, written := o.line(owner, strings.Split(row.key, ".")...); written {
		return line
	}
	return FromDefault
}

func (o origins) weakerSet(row settingRow) string {
	for _, name := range row.weaker {
		if o.look(name) != "" {
			return name
		}
	}
	return ""
}

// line is FILE:LINE of a setting of a job, or of the top where the job says nothing.
func (o origins) line(j Job, path ...string) (string, bool) {
	node, file := o.node(j, path...)
	if node == nil {
		return "", false
	}
	return fmt.Sprintf("%s:%d", file, node.Line), true
}

// node is what is written of a setting of a job, or of all jobs where the job says nothing, and in which file.
func (o origins) node(j Job, path ...string) (written *yaml.Node, file string) {
	if own := documentOf(o.documents, j.Name); j.fromFile && own != nil {
		if node := own.node(append([]string{"jobs", j.Name}, path...)...); node != nil {
			return node, own.file
		}
		if path[0] == "database" || path[0] == "databases" {
			return nil, "" // a job does not take the top's
		}
	}
	top := documentOf(o.documents, "")
	if top == nil {
		return nil, ""
	}
	return top.node(path...), top.file
}

// look is a variable as settings see it: this process's, else the environment file's.
func (o origins) look(name string) string {
	if v := o.shell(name); v != "" {
		return v
	}
	return o.inFile[name].value
}

func (o origins) shell(name string) string {
	if o.getenv == nil {
		return ""
	}
	return o.getenv(name)
}

// variable is where a variable was set.
func (o origins) variable(name string) string {
	if set, is := o.inFile[name]; is && set.value == o.look(name) {
		return fmt.Sprintf("%s:%d (%s)", o.file, set.line, name)
	}
	return "environment variable " + name
}

// node finds what is written at exactly this path, through anchors and merges; nil when nothing is.
func (d *document) node(path ...string) *yaml.Node {
	if d == nil || len(d.root.Content) == 0 {
		return nil
	}
	node := d.root.Content[0]
	for _, key := range path {
		if node = child(node, key); node == nil {
			return nil
		}
	}
	return node
}
