package postgres

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// GlobalsReport says what ApplyGlobals did. Names are sorted as the script has them.
type GlobalsReport struct {
	CreatedRoles        []string
	ExistingRoles       []string // left exactly as they were
	CreatedTablespaces  []string
	ExistingTablespaces []string
	Memberships         int      // granted
	Ignored             []string // kinds of statements that pg_dumpall does not write, none was run
	Failed              []string // what the server refused, with its words; never a password
}

// ApplyGlobals runs a script of pg_dumpall --globals-only against a cluster that may have roles
// already. It creates missing roles with their attributes, settings and comments, missing
// tablespaces, and memberships and parameter rights that concern a role it created. It changes
// nothing about what exists, and runs no other kind of statement: a script from a bucket is not
// trusted with more. A statement that the server refuses goes into Failed, the rest goes on.
//
// Errors: Refused when something failed (the report is complete then), Integrity when the
// script cannot be read as SQL, else those of the session. Needs CREATEROLE, for tablespaces
// and superuser roles a superuser.
func ApplyGlobals(ctx context.Context, s *Server, script io.Reader) (GlobalsReport, error) {
	return applyGlobals(ctx, applier{server: s, created: map[string]bool{}}, script)
}

// ApplyRoles is ApplyGlobals without tablespaces: for a server whose disks are not the source's.
func ApplyRoles(ctx context.Context, s *Server, script io.Reader) (GlobalsReport, error) {
	return applyGlobals(ctx, applier{server: s, created: map[string]bool{}, noSpaces: true}, script)
}

// CreateRoles creates those of the named roles that the server lacks and the script creates, and the
// memberships between them. Nothing but names is taken from the script: they can't log in, have no
// password, no rights of their own, and are members of no role that was there before.
func CreateRoles(ctx context.Context, s *Server, script io.Reader, wanted []string) (GlobalsReport, error) {
	return applyGlobals(ctx, applier{server: s, created: map[string]bool{}, noSpaces: true, only: nameSet(wanted)}, script)
}

func applyGlobals(ctx context.Context, a applier, script io.Reader) (GlobalsReport, error) {
	s := a.server
	roles, err := s.names(ctx, "SELECT rolname FROM pg_roles")
	if err != nil {
		return a.report, classify("postgres: list roles", err)
	}
	spaces, err := s.names(ctx, "SELECT spcname FROM pg_tablespace")
	if err != nil {
		return a.report, classify("postgres: list tablespaces", err)
	}
	a.roles, a.spaces = nameSet(roles), nameSet(spaces)
	var apply error
	err = splitSQL(script, func(st statement) error {
		apply = a.apply(ctx, st)
		return apply
	})
	if apply == nil {
		apply = a.grantMemberships(ctx)
	}
	if encodingErr := a.resetEncoding(ctx); apply == nil {
		apply = encodingErr
	}
	switch {
	case apply != nil:
		return a.report, classify("postgres: apply globals", apply)
	case err != nil:
		return a.report, fault.New(fault.Integrity, "postgres: read globals", "", err)
	case len(a.report.Failed) > 0:
		return a.report, fault.New(fault.Refused, "postgres: apply globals",
			"Correct by hand what is named, then restore.", errors.New(strings.Join(a.report.Failed, "; ")))
	}
	return a.report, nil
}

func nameSet(names []string) map[string]bool {
	set := make(map[string]bool, len(names))
	for _, name := range names {
		set[name] = true
	}
	return set
}

type applier struct {
	server        *Server
	roles, spaces map[string]bool // in the cluster, before and by us
	created       map[string]bool // roles by us
	newSpaces     []string
	recoded       bool            // client_encoding was changed
	noSpaces      bool            // no tablespaces
	only          map[string]bool // roles that may be created, and by name only; nil: all, as they were
	memberships   []membership    // read, and granted once all roles are there
	report        GlobalsReport
}

// apply decides about one statement. Only errors of the session are returned.
func (a *applier) apply(ctx context.Context, st statement) error {
	words := st.leading()
	subject, _ := st.at(2)
	if a.only != nil && words != [2]string{"create", "role"} && words[0] != "set" && words[0] != "grant" {
		return nil
	}
	switch {
	case words[0] == "set":
		return a.set(ctx, st)
	case words[0] == "create" && words[1] == "role":
		return a.createRole(ctx, st, subject)
	case words[0] == "alter" && words[1] == "role":
		return a.runIf(ctx, st, a.created[subject])
	case words[0] == "create" && words[1] == "tablespace" && a.noSpaces:
		return nil // what else concerns it is only run for tablespaces that were created
	case words[0] == "create" && words[1] == "tablespace":
		return a.createTablespace(ctx, st, subject)
	case words[0] == "alter" && words[1] == "tablespace":
		return a.runIf(ctx, st, slices.Contains(a.newSpaces, subject))
	case words[0] == "comment" && words[1] == "on", words[0] == "security" && words[1] == "label":
		return a.runIf(ctx, st, a.concernsNew(st))
	case words[0] == "grant", words[0] == "revoke":
		return a.grant(ctx, st)
	}
	a.ignore(words)
	return nil
}

func (a *applier) ignore(words [2]string) {
	kind := strings.ToUpper(strings.TrimSpace(words[0] + " " + words[1]))
	if !slices.Contains(a.report.Ignored, kind) && len(a.report.Ignored) < keptLines {
		a.report.Ignored = append(a.report.Ignored, kind)
	}
}

// set follows the script's encoding; its other settings are the session's already.
func (a *applier) set(ctx context.Context, st statement) error {
	if name, _ := st.at(1); name != "client_encoding" {
		return nil
	}
	if err := a.grantMemberships(ctx); err != nil {
		return err // what was read so far is in the encoding of before
	}
	a.recoded = true
	return a.server.exec(ctx, st.sql)
}

func (a *applier) resetEncoding(ctx context.Context) error {
	if !a.recoded {
		return nil
	}
	return a.server.exec(ctx, "SET client_encoding = '"+a.server.encoding+"'")
}

func (a *applier) createRole(ctx context.Context, st statement, name string) error {
	if a.roles[name] {
		a.report.ExistingRoles = append(a.report.ExistingRoles, name)
		return nil
	}
	if a.only != nil {
		if !a.only[name] {
			return nil
		}
		st.sql = "CREATE ROLE " + QuoteIdent(name) + " NOLOGIN"
	}
	done, err := a.run(ctx, st)
	if done {
		a.roles[name], a.created[name] = true, true
		a.report.CreatedRoles = append(a.report.CreatedRoles, name)
	}
	return err
}

func (a *applier) createTablespace(ctx context.Context, st statement, name string) error {
	if a.spaces[name] {
		a.report.ExistingTablespaces = append(a.report.ExistingTablespaces, name)
		return nil
	}
	done, err := a.run(ctx, st)
	if done {
		a.spaces[name] = true
		a.newSpaces = append(a.newSpaces, name)
		a.report.CreatedTablespaces = append(a.report.CreatedTablespaces, name)
	}
	return err
}

// concernsNew: COMMENT ON kind name, SECURITY LABEL FOR provider ON kind name.
func (a *applier) concernsNew(st statement) bool {
	for i := range st.tokens {
		if !st.is(i, "on") {
			continue
		}
		name, _ := st.at(i + 2)
		return (st.is(i+1, "role") && a.created[name]) || (st.is(i+1, "tablespace") && slices.Contains(a.newSpaces, name))
	}
	return false
}

func (a *applier) runIf(ctx context.Context, st statement, wanted bool) error {
	if !wanted {
		return nil
	}
	_, err := a.run(ctx, st)
	return err
}

// run executes a statement; done says that the server took it.
func (a *applier) run(ctx context.Context, st statement) (done bool, err error) {
	err = a.server.exec(ctx, st.sql)
	var pg *pgconn.PgError
	if !errors.As(err, &pg) || pg.Severity == "FATAL" {
		return err == nil, err
	}
	a.refused(st, pg)
	return false, nil
}

// refused puts what the server said of a statement into the report.
func (a *applier) refused(st statement, pg *pgconn.PgError) {
	reason := pg.Message
	if pg.Hint != "" {
		reason += " (" + pg.Hint + ")"
	}
	if st.leading()[1] == "tablespace" {
		reason += "; its folder must exist on the server, empty, owned by the server's user"
	}
	a.report.Failed = append(a.report.Failed, st.title()+": "+reason)
}
