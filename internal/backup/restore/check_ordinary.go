package restore

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
	"codeberg.org/pgbtui/pgbtui/internal/postgres/archive"
)

// What a restore by a role that is no superuser cannot bring, known before anything is created.

// superusers are the kinds of entries that PostgreSQL lets nobody else create.
var superusers = []string{
	"ACCESS METHOD", "EVENT TRIGGER", "FOREIGN DATA WRAPPER", "OPERATOR CLASS", "OPERATOR FAMILY", "TEXT SEARCH PARSER",
	"TEXT SEARCH TEMPLATE",
}

func (r *restoring) checkOrdinary(ctx context.Context, extensions []string) ([]Check, error) {
	if r.target.place.Superuser {
		return nil, nil
	}
	serviced, err := r.target.server.Serviced(ctx)
	if err != nil {
		return nil, err
	}
	untrusted, err := r.target.server.Untrusted(ctx, extensions)
	if err != nil {
		return nil, err
	}
	for i, name := range untrusted {
		untrusted[i] = "extension " + name
	}
	for _, e := range r.entries() {
		if slices.Contains(superusers, e.Desc) {
			untrusted = append(untrusted, strings.ToLower(e.Desc)+" "+e.Tag)
		}
	}
	rights := r.superusersOnly(backup.Shorten(untrusted), serviced)
	owners, err := r.checkOwners(ctx)
	return append([]Check{rights}, owners...), err
}

func (r *restoring) superusersOnly(what []string, serviced bool) Check {
	if len(what) == 0 {
		return passes("rights", fmt.Sprintf("nothing in it needs a superuser, and %q is not one", r.target.place.Role))
	}
	detail := fmt.Sprintf("only a superuser may create %s, and %q is not one", strings.Join(what, ", "),
		r.target.place.Role)
	if serviced {
		return warns("rights", detail+"; this service may let it create them nevertheless", "")
	}
	return fails("rights", detail, "Have a superuser restore it (`sudo -u postgres -g pgbtui pgbtui restore …`), or "+
		"restore what does not need it: "+
		"--schema or --table leave out what no chosen table uses.")
}

// checkOwners: an object is given to a role only by its members.
func (r *restoring) checkOwners(ctx context.Context) ([]Check, error) {
	if r.req.NoOwner {
		return []Check{
			passes("owners", fmt.Sprintf("everything will belong to %q, and nobody gets grants", r.target.place.Role)),
		}, nil
	}
	cannot, err := r.strangers(ctx)
	if err != nil {
		return nil, err
	}
	if len(cannot) == 0 {
		return []Check{passes("owners", fmt.Sprintf("%q is a member of all of them", r.target.place.Role))}, nil
	}
	return []Check{fails("owners",
		fmt.Sprintf("%q is not a superuser and may not give anything to %s", r.target.place.Role, strings.Join(cannot, ", ")),
		"Restore with --no-owner: everything then belongs to the restoring role, and "+
			"nobody gets grants. Or have a superuser restore it "+
			"(`sudo -u postgres -g pgbtui pgbtui restore …`), or make the restoring role a member of these (GRANT … TO "+
			"…; WITH SET TRUE from PostgreSQL 16 on).")}, nil
}

// strangers are the owners that the restoring role cannot give anything to. A role that comes from the set's globals
// is one of them: whoever creates a role is no member of it.
func (r *restoring) strangers(ctx context.Context) ([]string, error) {
	owners := map[string]bool{}
	for _, e := range r.entries() {
		// A right or a comment is given by whoever has the object. The owner of a database, which the restoring
		// role is, is a member of pg_database_owner there.
		named := e.Desc == "ACL" || e.Desc == "COMMENT" || e.Desc == "SECURITY LABEL" || e.Owner == "pg_database_owner"
		if e.Owner != "" && !named && r.common(e.Owner) {
			owners[r.rights.role(e.Owner)] = true
		}
	}
	names := sorted(owners)
	cannot, err := r.target.server.CannotBecome(ctx, names)
	if err != nil || !r.req.Globals {
		return cannot, err
	}
	missing, err := r.target.server.Missing(ctx, postgres.Needs{Roles: names})
	for _, name := range append(cannot, missing.Roles...) {
		owners[name] = false
	}
	maps.DeleteFunc(owners, func(_ string, fine bool) bool { return fine })
	return sorted(owners), err
}

// entries are those of the dump that come.
func (r *restoring) entries() []archive.Entry {
	if r.part == nil {
		return r.source.contents.Archive.Entries
	}
	var chosen []archive.Entry
	for _, e := range r.part.head.Entries {
		if slices.Contains(r.part.ids, e.DumpID) {
			chosen = append(chosen, e)
		}
	}
	return chosen
}
