package restore

import (
	"context"
	"fmt"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
)

// What a drill holds against the set besides rows. The dump's table of contents is exact: it was
// made in the dump's own snapshot. What was asked beside the dump (roles, extensions) can differ
// by what somebody did in those seconds, so a difference there is a warning.

// owned is a relation or, without a name, a schema.
type owned struct{ schema, name string }

// relations are the kinds of entries whose owners are looked at.
var relations = map[string]bool{
	"TABLE": true, "VIEW": true, "MATERIALIZED VIEW": true, "SEQUENCE": true, "FOREIGN TABLE": true,
}

// compareOwners holds the owner of every relation and schema, and whether it has rights of its
// own, against the dump.
func (d *drilling) compareOwners(ctx context.Context) error {
	d.meter.Enter(backup.StageCheck, 0)
	if d.req.NoOwner {
		return nil
	}
	here, err := d.ownerships(ctx)
	if err != nil {
		return err
	}
	var wrong []string
	for _, e := range d.source.contents.Archive.Entries {
		if !d.legible(e.Namespace) || !d.legible(e.Tag) || !d.legible(e.Owner) {
			continue
		}
		switch what, ok := ownedBy(e.Desc, e.Namespace, e.Tag); {
		case ok && e.Owner != "":
			if got := here[what].Owner; got != e.Owner {
				wrong = append(wrong, fmt.Sprintf("%s belongs to %q, in the dump to %q", what, got, e.Owner))
			}
			d.facts.Owners++
		case e.Desc == "ACL":
			what, ok := grantedOn(e.Namespace, e.Tag)
			if !ok {
				continue
			}
			if !here[what].ACL {
				wrong = append(wrong, fmt.Sprintf("the grants on %s are missing", what))
			}
			d.facts.Grants++
		}
	}
	if len(wrong) > 0 {
		return fault.New(fault.Integrity, fmt.Sprintf("drill: %d owners or grants differ, first: %s", len(wrong), wrong[0]),
			"Restore another set, and check in the source what is named.", nil)
	}
	return nil
}

func (o owned) String() string {
	if o.name == "" {
		return "schema " + o.schema
	}
	return o.schema + "." + o.name
}

func (d *drilling) ownerships(ctx context.Context) (map[owned]postgres.Ownership, error) {
	here := map[owned]postgres.Ownership{}
	err := d.target.in(ctx, d.req.To, func(s *postgres.Server) error {
		found, err := s.Ownerships(ctx)
		for _, o := range found {
			here[owned{o.Schema, o.Name}] = o
		}
		return err
	})
	return here, err
}

// ownedBy is what an entry of the table of contents defines.
func ownedBy(desc, namespace, tag string) (owned, bool) {
	if desc == "SCHEMA" {
		return owned{schema: tag}, true
	}
	return owned{namespace, tag}, relations[desc]
}

// grantedOn reads the tag of an ACL entry, "TABLE items" or `SCHEMA "odd name"`. Rights on columns,
// functions and the rest are not looked at one by one.
func grantedOn(namespace, tag string) (owned, bool) {
	kind, name, _ := strings.Cut(tag, " ")
	if inner, quoted := strings.CutPrefix(name, `"`); quoted {
		name = strings.ReplaceAll(strings.TrimSuffix(inner, `"`), `""`, `"`)
	}
	switch kind {
	case "SCHEMA":
		return owned{schema: name}, true
	case "TABLE", "SEQUENCE":
		return owned{namespace, name}, true
	}
	return owned{}, false
}

// compareGrants looks for roles that something was granted to, or that policies name.
func (d *drilling) compareGrants(ctx context.Context) error {
	if d.req.NoOwner || d.source.contents.Roles == nil {
		return nil
	}
	return d.target.in(ctx, d.req.To, func(s *postgres.Server) error {
		found, err := s.RoleUses(ctx)
		if err != nil {
			return err
		}
		here := map[postgres.RoleUse]bool{}
		for _, use := range found {
			here[use] = true
		}
		for _, use := range d.source.contents.Roles {
			// Extensions belong to whoever creates them.
			if use.Use != "owner" && !here[use] {
				d.warn(fmt.Sprintf("role %q has no %s in the copy, it had one in the source", use.Role, use.Use))
			}
		}
		return nil
	})
}

// compareExtensions: a restore creates the version that is installed where it takes place.
func (d *drilling) compareExtensions(ctx context.Context) error {
	source := map[string]string{}
	if d.source.contents != nil {
		for _, e := range d.source.contents.Extensions {
			source[e.Name] = e.Version
		}
	}
	return d.target.in(ctx, d.req.To, func(s *postgres.Server) error {
		found, err := s.Extensions(ctx)
		for _, e := range found {
			d.facts.Extensions = append(d.facts.Extensions,
				backup.DrillExtension{Name: e.Name, Source: source[e.Name], Here: e.Version})
			if was := source[e.Name]; was != "" && was != e.Version {
				d.warn(fmt.Sprintf("extension %s is version %s here, %s in the source", e.Name, e.Version, was))
			}
			delete(source, e.Name)
		}
		for name := range source {
			d.warn(fmt.Sprintf("extension %s of the source is not in the copy", name))
		}
		return err
	})
}
