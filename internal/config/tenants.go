package config

import (
	"fmt"
	"slices"
	"strings"
)

// Jobs of tenants: `schemas: ["tenant_*"]` makes one set of each schema that the patterns find. Rules:
//
//   - which schemas there are is found at each run; In makes of such a job the job of one schema
//   - a schema's sets are its own: folder, chain, retention and keys; the lock is the database's
//   - no such set counts as one of the database
//   - the first of per_schema whose patterns fit a schema says what is otherwise for it

// SchemaSettings are what some schemas of a job of tenants have otherwise than the others.
type SchemaSettings struct {
	Schemas    []string
	Keep       *Keep    // nil: the job's
	Recipients []string // none: the job's
}

type fileSchema struct {
	Schemas    names     `yaml:"schemas"`
	Keep       *fileKeep `yaml:"keep"`
	Recipients []string  `yaml:"recipients"`
}

// Tenants reports whether the job makes sets of schemas.
func (j Job) Tenants() bool { return len(j.Schemas) > 0 }

// CoversSchema reports whether the job backs a schema of its database up as a tenant.
func (j Job) CoversSchema(database, schema string) bool {
	return j.Tenants() && database == j.Database && schema != "" &&
		matchesAny(j.Schemas, schema) && !matchesAny(j.ExcludeSchemas, schema)
}

// In is the job of one of its schemas.
func (j Job) In(schema string) Job {
	if !j.Tenants() {
		return j
	}
	j.Schema = schema
	j.Beside = nil
	for _, other := range j.others {
		if other.CoversSchema(j.Database, schema) {
			j.Beside = append(j.Beside, other.Name)
		}
	}
	for _, own := range j.PerSchema {
		if !matchesAny(own.Schemas, schema) {
			continue
		}
		if own.Keep != nil {
			j.Keep = *own.Keep
		}
		if len(own.Recipients) > 0 {
			j.Encryption.Recipients = own.Recipients
		}
		break
	}
	return j
}

// Divided reports whether what the job backs up is found at each run: several databases, or schemas.
func (j Job) Divided() bool { return j.Several() || j.Tenants() }

// Open reports whether the job is of several still, and not of one of them.
func (j Job) Open() bool { return j.Several() && j.Database == "" || j.Tenants() && j.Schema == "" }

// Part is the job of one of those that a run finds: On for databases, In for schemas.
func (j Job) Part(name string) Job {
	if j.Tenants() {
		return j.In(name)
	}
	return j.On(name)
}

// PartName is which one it is of; "" where the job is not divided, or open.
func (j Job) PartName() string {
	switch {
	case j.Tenants():
		return j.Schema
	case j.Several():
		return j.Database
	}
	return ""
}

// CoversPart reports whether a run would take one that it finds.
func (j Job) CoversPart(name string) bool {
	if j.Tenants() {
		return j.CoversSchema(j.Database, name)
	}
	return j.Covers(name)
}

// PartKind is what it is divided into, in a word.
func (j Job) PartKind() string {
	if j.Tenants() {
		return "schema"
	}
	return "database"
}

// Of is the job of what a set is of: a database, or a schema of one. ok is false where the job backs up no such thing.
func (j Job) Of(database, schema string) (of Job, ok bool) {
	switch {
	case schema != "":
		return j.In(schema), j.CoversSchema(database, schema)
	case j.Tenants():
		return j, false
	}
	return j.On(database), j.Covers(database)
}

// Subject is what the job backs up: a database, or a schema of it.
func (j Job) Subject() string {
	if j.Schema == "" {
		return j.Database
	}
	return j.Database + "/" + j.Schema
}

func (l loader) checkTenants(name string, j *Job, f fileSettings) error {
	written := documentOf(l.documents(), name)
	switch {
	case len(f.Schemas) == 0 && (len(f.ExcludeSchemas) > 0 || len(f.PerSchema) > 0):
		key := "exclude_schemas"
		if len(f.PerSchema) > 0 {
			key = "per_schema"
		}
		return l.problem(name, "without schemas", "Write `schemas:` for a job that makes one set a schema, or take it out.",
			key)
	case len(f.Schemas) == 0:
		return nil
	case name == "":
		return l.problem("", "not at the top: which job would it be?", "Put it into a job.", "schemas")
	case j.Several():
		return l.problem(name, "a job of several databases makes no sets of schemas", "Write a job for each database.",
			"schemas")
	case j.Partial():
		return l.problem(name, "a job of schemas leaves out no tables", "Take exclude_tables and exclude_table_data out.",
			"schemas")
	}
	for key, list := range map[string][]string{"schemas": j.Schemas, "exclude_schemas": j.ExcludeSchemas} {
		if slices.Contains(list, "") {
			return l.problem(name, "an empty name", "Give the name of a schema, or a pattern such as \"tenant_*\".", key)
		}
	}
	for i, own := range f.PerSchema {
		settings, err := l.schemaSettings(name, *j, own)
		if err != nil {
			return err
		}
		if written != nil && emptyKeepIn(written, name, i) {
			return l.problem(name, "an empty keep", "Give it rules, or leave the key out: then the job's apply.", "per_schema")
		}
		j.PerSchema = append(j.PerSchema, settings)
	}
	return nil
}

func (l loader) schemaSettings(name string, j Job, own fileSchema) (SchemaSettings, error) {
	settings := SchemaSettings{Schemas: own.Schemas, Recipients: own.Recipients}
	if len(own.Schemas) == 0 || slices.Contains(own.Schemas, "") {
		return settings, l.problem(name, "an entry without schemas", "Say by `schemas:` which ones it is for.", "per_schema")
	}
	if own.Recipients != nil && len(own.Recipients) == 0 {
		return settings, l.problem(name, "an empty list of recipients",
			"List age public keys, or leave the key out: then the job's apply.",
			"per_schema")
	}
	for _, key := range own.Recipients {
		if !strings.HasPrefix(key, "age1") {
			return settings, l.problem(name, fmt.Sprintf("%.12q… is not an age public key", key),
				"List public keys as age-keygen prints them (age1…).", "per_schema")
		}
	}
	if own.Keep == nil {
		return settings, nil
	}
	if own.Keep.By != "" {
		return settings, l.problem(name, "who deletes is the same for all schemas of a job",
			"Write `by:` into keep of the job.", "per_schema")
	}
	keep, err := l.keep(name, *own.Keep)
	keep.By = j.Keep.By
	settings.Keep = &keep
	return settings, err
}

// emptyKeepIn reports whether an entry of per_schema has a keep without a value, which YAML reads as none.
func emptyKeepIn(written *document, name string, entry int) bool {
	node := written.node("jobs", name, "per_schema")
	if node == nil || entry >= len(node.Content) {
		return false
	}
	keep := child(node.Content[entry], "keep")
	return keep != nil && keep.ShortTag() == "!!null"
}

func perSchemaText(j Job) string {
	var said []string
	for _, own := range j.PerSchema {
		text := list(own.Schemas)
		if own.Keep != nil {
			text += ": keep " + own.Keep.String()
		}
		if n := len(own.Recipients); n > 0 {
			text += fmt.Sprintf(", recipients %s", list(own.Recipients))
		}
		said = append(said, text)
	}
	return strings.Join(said, "; ")
}
