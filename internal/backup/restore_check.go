package backup

import (
	"context"
	"fmt"
	"sort"
	"strings"
	"time"
	"unicode/utf8"

	"filippo.io/age"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
)

// Check is one line of a preflight: what was looked at, whether it is fine, what to do if not.
type Check struct {
	Name   string `json:"name"` // "target", "tools", "roles", …
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
	Remedy string `json:"remedy,omitempty"`
}

// Preflight looks at everything that can be known before a restore starts, and changes nothing.
// The console shows it; the unit runs the same again and decides by it.
func Preflight(ctx context.Context, job config.Job, env Env, set *Set, req RestoreRequest, identities []age.Identity) ([]Check, error) {
	r := newRestoring(job, env, set, req, identities)
	if err := r.connect(ctx); err != nil {
		return nil, err
	}
	defer r.close(ctx)
	return r.checks(ctx)
}

func (r *restoring) checks(ctx context.Context) ([]Check, error) {
	checks := []Check{r.checkSource()}
	facts, err := r.server.Facts(ctx)
	if err != nil {
		return nil, err
	}
	checks = append(checks, r.checkTools(ctx, facts))
	target, err := r.checkTarget(ctx)
	if err != nil {
		return nil, err
	}
	checks = append(checks, target)
	if r.req.Jobs > 1 {
		checks = append(checks, r.checkSpool())
	}
	contents, err := ReadContents(ctx, r.env.Bucket, r.set, r.identities)
	if err != nil && fault.CodeOf(err).Retryable() {
		return nil, err // says nothing of the set
	}
	if err != nil {
		return append(checks, Check{"contents", false, err.Error(), fault.Remedy(err)}), nil
	}
	if r.contents = contents; contents == nil || contents.Archive == nil {
		return append(checks, Check{"contents", true, "not known for this set: roles and extensions are not checked", ""}), nil
	}
	needs, err := r.checkNeeds(ctx)
	return append(checks, needs...), err
}

func (r *restoring) checkSource() Check {
	if !r.set.Good() {
		return Check{"source", false, r.set.Problem, "choose another set: `pgbtui list`"}
	}
	level, at := r.set.Proven()
	detail := "proven " + level.String()
	if !at.IsZero() {
		detail += " at " + at.UTC().Format(time.RFC3339)
	}
	if failure := r.set.LastFailure(); failure != nil {
		return Check{"source", false, "its last verification failed: " + failure.Error, "choose another set, or verify this one again"}
	}
	if r.set.Encrypted() && len(r.identities) == 0 {
		return Check{"source", false, "encrypted, and there is no age identity here", "set encryption.identity_file or give --identity"}
	}
	return Check{"source", true, detail, ""}
}

func (r *restoring) checkTools(ctx context.Context, facts postgres.Facts) Check {
	tools, err := readingTools(ctx, r.job.Postgres.BinDir, r.set)
	if err != nil {
		return Check{"tools", false, err.Error(), fault.Remedy(err)}
	}
	r.tools = tools
	detail := fmt.Sprintf("%s into server %s", strings.Replace(tools.Version, "pg_dump", "pg_restore", 1), facts.Version)
	if r.set.Manifest != nil && facts.VersionNum/10000 < r.set.Manifest.Server.VersionNum/10000 {
		return Check{
			"tools", false, fmt.Sprintf("the set is from server %s, the target is %s: an older major version", r.set.Manifest.Server.Version, facts.Version),
			"restore into a server of the same or a newer major version",
		}
	}
	return Check{"tools", true, detail, ""}
}

func (r *restoring) checkTarget(ctx context.Context) (Check, error) {
	if r.req.To == "" {
		return Check{"target", false, "no name", "name the new database with --to"}, nil
	}
	exists, err := r.server.Exists(ctx, r.req.To)
	if err != nil {
		return Check{}, err
	}
	if exists {
		return Check{"target", false, fmt.Sprintf("database %q exists", r.req.To), "choose a name that is free"}, nil
	}
	return Check{"target", true, fmt.Sprintf("database %q does not exist yet", r.req.To), ""}, nil
}

func (r *restoring) checkSpool() Check {
	err := checkSpace(r.job.SpoolDir, r.rawBytes())
	if r.spoolCode = fault.CodeOf(err); err != nil {
		return Check{"spool", false, err.Error(), fault.Remedy(err)}
	}
	return Check{"spool", true, "there is room for the raw dump", ""}
}

// checkNeeds: roles that own things, are granted rights or named by policies, tablespaces, and
// extensions.
func (r *restoring) checkNeeds(ctx context.Context) ([]Check, error) {
	roles, spaces := r.needs()
	missing, err := r.server.Missing(ctx, postgres.Needs{Roles: sorted(roles), Tablespaces: sorted(spaces), Extensions: r.contents.Archive.Extensions()})
	if err != nil {
		return nil, err
	}
	remedyGlobals := "restore with --globals, which creates what is missing"
	return []Check{
		needCheck("roles", missing.Roles, remedyGlobals+", or with --no-owner", r.req.Globals),
		needCheck("tablespaces", missing.Tablespaces, remedyGlobals+", or with --no-tablespaces", r.req.Globals),
		needCheck("extensions", missing.Extensions, "install the packages that bring them (e.g. postgresql-contrib)", false),
	}, nil
}

func (r *restoring) needs() (roles, spaces map[string]bool) {
	roles, spaces = map[string]bool{}, map[string]bool{}
	role := func(name, use string) {
		// Without owners there are no grants either; policies always come.
		if name != "" && (use == "policy" || !r.req.NoOwner) {
			roles[name] = true
		}
	}
	space := func(name string) {
		if name != "" && !r.req.NoTablespaces {
			spaces[name] = true
		}
	}
	for _, e := range r.contents.Archive.Entries {
		if r.legible(e.Owner) {
			role(e.Owner, "owner")
		}
		if r.legible(e.Tablespace) {
			space(e.Tablespace)
		}
	}
	for _, u := range r.contents.Roles {
		role(u.Role, u.Use)
	}
	if d := r.contents.Database; d != nil {
		role(d.Owner, "owner")
		space(d.Tablespace)
	}
	return roles, spaces
}

// legible is false for names that the contents hold only a shadow of: they are the dump's bytes,
// in its encoding, and JSON kept what is UTF-8. Nothing can be asked about the others.
func (r *restoring) legible(name string) bool {
	switch r.contents.Archive.Encoding {
	case "UTF8", "SQL_ASCII": // the latter is never converted
		return !strings.ContainsRune(name, utf8.RuneError)
	}
	return strings.IndexFunc(name, func(c rune) bool { return c >= utf8.RuneSelf }) < 0
}

func needCheck(name string, missing []string, remedy string, comes bool) Check {
	switch {
	case len(missing) == 0:
		return Check{name, true, "all there", ""}
	case comes:
		return Check{name, true, strings.Join(missing, ", ") + " will be created from the set's globals", ""}
	}
	return Check{name, false, "missing: " + strings.Join(missing, ", "), remedy}
}

// preflight refuses a restore that can't work, with everything that is wrong at once.
func (r *restoring) preflight(ctx context.Context) error {
	checks, err := r.checks(ctx)
	if err != nil {
		return err
	}
	var wrong, remedies []string
	for _, c := range checks {
		if !c.OK {
			wrong = append(wrong, c.Name+": "+c.Detail)
			remedies = append(remedies, c.Remedy)
		}
	}
	if len(wrong) > 0 {
		code := fault.Refused
		if len(wrong) == 1 && r.spoolCode != fault.OK {
			code = r.spoolCode // that alone: room can come by itself
		}
		return fault.New(code, "restore: "+strings.Join(wrong, "; "), strings.Join(remedies, "; "), nil)
	}
	return nil
}

func sorted(set map[string]bool) []string {
	names := make([]string, 0, len(set))
	for name := range set {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}
