package restore

import (
	"context"
	"fmt"
	"sort"
	"strings"
	"unicode/utf8"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
	"codeberg.org/pgbtui/pgbtui/internal/postgres/archive"
)

// What a set needs the target's server to have, by its contents.

func (r *restoring) checkContents(ctx context.Context) ([]Check, error) {
	err := r.source.readContents(ctx, r.env)
	if err != nil && fault.CodeOf(err).Retryable() {
		return nil, err
	}
	if err != nil {
		return []Check{fails("contents", err.Error(), fault.Remedy(err))}, nil
	}
	if r.req.Partial() {
		return r.checkPart(ctx)
	}
	if !r.source.listed() {
		return append(r.checkServerGrants(),
			warns("contents", "not known for this set: roles, extensions and locale are not checked", "")), nil
	}
	locale, err := r.checkLocale(ctx)
	if err != nil {
		return nil, err
	}
	needs, err := r.checkNeeds(ctx)
	return append(locale, needs...), err
}

// checkLocale: only CREATE DATABASE can set encoding and locale, and not every server knows all.
func (r *restoring) checkLocale(ctx context.Context) ([]Check, error) {
	if r.source.contents == nil || r.source.contents.Database == nil {
		return []Check{warns("locale", "not known for this set: the server's default is used", "")}, nil
	}
	l := r.source.contents.Database.Locale
	err := r.target.server.CheckLocale(ctx, l)
	switch {
	case fault.CodeOf(err) == fault.Refused:
		return []Check{fails("locale", err.Error(), fault.Remedy(err))}, nil
	case err != nil:
		return nil, err
	}
	return []Check{passes("locale", strings.Join(present(l.Encoding, l.Provider, l.Name, l.Collate), ", "))}, nil
}

// plainStringsOnly is the first version that reads no string literals with escapes by a backslash.
const plainStringsOnly = 19_00_00

// checkStrings is for sets from before backups wrote plain literals whatever the source's setting is.
func (r *restoring) checkStrings() []Check {
	if !r.archive().OldStrings || r.target.facts.VersionNum < plainStringsOnly {
		return nil
	}
	return []Check{fails("strings",
		fmt.Sprintf("the dump was made with standard_conforming_strings off, which server %s no longer supports",
			r.target.facts.Version),
		postgres.RemedyOldStrings)}
}

func present(words ...string) (kept []string) {
	for _, w := range words {
		if w != "" {
			kept = append(kept, w)
		}
	}
	return kept
}

// checkNeeds: roles that own things, are granted rights or named by policies, tablespaces, and
// extensions.
func (r *restoring) checkNeeds(ctx context.Context) ([]Check, error) {
	roles, spaces, extensions := r.needs()
	missing, err := r.target.server.Missing(ctx,
		postgres.Needs{Roles: sorted(roles), Tablespaces: sorted(spaces), Extensions: extensions})
	if err != nil {
		return nil, err
	}
	withGlobals := "Restore with --globals, which creates what is missing"
	roleCheck := needCheck("roles", missing.Roles, withGlobals+", or with --no-owner.", r.req.Globals)
	spaceCheck := needCheck("tablespaces", missing.Tablespaces, withGlobals+", or with --no-tablespaces.", r.req.Globals)
	if r.req.ForOperator && r.req.Globals {
		spaceCheck = needCheck("tablespaces", missing.Tablespaces,
			"Restore with --no-tablespaces: a request creates no tablespaces.", false)
		if len(missing.Roles) > 0 {
			roleCheck = warns("roles", byNameOnly+": "+strings.Join(missing.Roles, ", "), "")
		}
	}
	created, err := r.checkExtensions(ctx, missing.Extensions, extensions)
	if err != nil {
		return nil, err
	}
	checks := append(r.checkServerGrants(), r.checkStrings()...)
	checks = append(checks, roleCheck, spaceCheck, created)
	ordinary, err := r.checkOrdinary(ctx, extensions)
	return append(append(checks, ordinary...), r.checkAbsent()...), err
}

// byNameOnly is what becomes of roles in a restore for an operator.
const byNameOnly = "created by name only, without login, password and rights of their own"

func (r *restoring) needs() (roles, spaces map[string]bool, extensions []string) {
	roles, spaces = map[string]bool{}, map[string]bool{}
	role := func(name, use string) {
		// Without owners there are no grants either; policies always come.
		if name != "" && (use == "policy" || !r.req.NoOwner) {
			roles[r.rights.role(name)] = true
		}
	}
	space := func(name string) {
		if name != "" && !r.req.NoTablespaces {
			spaces[name] = true
		}
	}
	if r.part != nil {
		extensions = r.needsOfPart(role, space)
	} else {
		extensions = r.needsOfWhole(role, space)
	}
	if r.source.contents != nil && r.source.contents.Database != nil {
		role(r.source.contents.Database.Owner, "owner")
		space(r.source.contents.Database.Tablespace)
	}
	return roles, spaces, extensions
}

func (r *restoring) needsOfWhole(role func(name, use string), space func(name string)) (extensions []string) {
	for _, e := range r.source.contents.Archive.Entries {
		if r.common(e.Owner) {
			role(e.Owner, "owner")
		}
		if r.common(e.Tablespace) {
			space(e.Tablespace)
		}
	}
	for _, u := range r.source.contents.Roles {
		if r.common(u.Role) {
			role(u.Role, u.Use)
		}
	}
	return r.source.contents.Archive.Extensions()
}

// legible is false for names that nothing can be asked about: contents of older programs hold only a shadow of
// those that are no UTF-8, and in encodings of several bytes they are the dump's bytes still.
func (r *restoring) legible(name string) bool {
	const lost = string(utf8.RuneError)
	switch a := r.archive(); {
	case a.Decoded, a.Encoding == "UTF8", a.Encoding == "SQL_ASCII": // the last is never converted, also by a session
		return !strings.Contains(name, lost)
	}
	return isASCII(name)
}

// common is legible for names that all databases of a server share, of roles and tablespaces. Each database reads their
// bytes as its own encoding, so that those of another say nothing.
func (r *restoring) common(name string) bool {
	return isASCII(name) || r.legible(name) && !r.archive().Decoded && utf8.ValidString(name)
}

func isASCII(name string) bool {
	return strings.IndexFunc(name, func(c rune) bool { return c >= utf8.RuneSelf }) < 0
}

func (r *restoring) archive() *archive.Archive {
	if r.part != nil {
		return r.part.head
	}
	return r.source.contents.Archive
}

func needCheck(name string, missing []string, remedy string, comes bool) Check {
	switch {
	case len(missing) == 0:
		return passes(name, "all there")
	case comes:
		return passes(name, strings.Join(missing, ", ")+" will be created from the set's globals")
	}
	return fails(name, "missing: "+strings.Join(missing, ", "), remedy)
}

func sorted(set map[string]bool) []string {
	names := make([]string, 0, len(set))
	for name := range set {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}
