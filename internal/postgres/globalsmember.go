package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5/pgconn"
)

// Memberships of a globals script. From PostgreSQL 16 on, a grantor must hold ADMIN OPTION on the role itself,
// or be the cluster's first superuser. So a membership waits for the one that makes its grantor an
// administrator (pg_dumpall of 15 does not sort them); and what the source's first superuser granted is
// granted by this server's, who may well be another role.

// membership is GRANT role TO member [WITH options] [GRANTED BY grantor].
type membership struct {
	st      statement
	role    string
	member  string
	admin   bool   // WITH ADMIN OPTION
	grantor string // "" when it is not said, or this cluster has no such role
	plain   string // the statement without GRANTED BY
}

// asMembership reads a statement that begins with GRANT role TO. The words are looked for behind the member:
// roles may be called granted and admin.
func asMembership(st statement) (membership, bool) {
	role, roleOK := st.at(1)
	member, memberOK := st.at(3)
	m := membership{st: st, role: role, member: member, plain: st.sql}
	by := st.findFrom(4, "granted")
	options := st.tokens
	if by > 0 && st.is(by+1, "by") && by+2 < len(st.tokens) {
		m.grantor, _ = st.at(by + 2)
		m.plain = st.sql[:st.tokens[by].at] + st.sql[st.tokens[by+2].end:]
		options = options[:by]
	}
	option := statement{tokens: options}
	if i := option.findFrom(4, "admin"); i > 0 {
		m.admin = !option.is(i+1, "false")
	}
	return m, roleOK && memberOK
}

func (a *applier) readMembership(st statement) {
	if m, ok := asMembership(st); ok {
		a.memberships = append(a.memberships, m)
	}
}

// wanted reports whether a membership concerns a role that was created.
func (a *applier) wanted(m membership) bool {
	if a.only != nil {
		return a.created[m.role] && a.created[m.member]
	}
	return a.created[m.role] || a.created[m.member]
}

// grantMemberships grants what was read so far, administrators first.
func (a *applier) grantMemberships(ctx context.Context) error {
	var wanted []membership
	for _, m := range a.memberships {
		if !a.wanted(m) {
			continue
		}
		if a.only != nil {
			m = membership{
				st: m.st, role: m.role, member: m.member, plain: "GRANT " + QuoteIdent(m.role) + " TO " + QuoteIdent(m.member),
			}
		}
		if !a.roles[m.grantor] {
			m.grantor = ""
		}
		wanted = append(wanted, m)
	}
	a.memberships = nil
	for _, m := range administratorsFirst(wanted) {
		if err := a.grantMembership(ctx, m); err != nil {
			return err
		}
	}
	return nil
}

func (a *applier) grantMembership(ctx context.Context, m membership) error {
	if m.grantor != "" {
		err := a.server.exec(ctx, m.st.sql)
		var pg *pgconn.PgError
		if err == nil {
			a.report.Memberships++
			return nil
		}
		if !errors.As(err, &pg) || pg.Severity == "FATAL" {
			return err
		}
		if pg.Code != insufficientPrivilege {
			a.refused(m.st, pg)
			return nil
		}
	}
	m.st.sql = m.plain
	done, err := a.run(ctx, m.st)
	if done {
		a.report.Memberships++
	}
	return err
}

// insufficientPrivilege is also what a server says of a grantor without ADMIN OPTION.
const insufficientPrivilege = "42501"

// administratorsFirst sorts memberships so that each comes after one that makes its grantor an administrator of the
// role, and otherwise leaves them in order. What waits for itself keeps its place.
func administratorsFirst(all []membership) []membership {
	type holder struct{ role, name string }
	makes := map[holder]bool{}
	for _, m := range all {
		if m.admin && m.grantor != m.member {
			makes[holder{role: m.role, name: m.member}] = true
		}
	}
	sorted := make([]membership, 0, len(all))
	waiting := map[holder][]membership{}
	take := func(m membership) {
		for queue := []membership{m}; len(queue) > 0; {
			next := queue[0]
			queue = queue[1:]
			sorted = append(sorted, next)
			if made := (holder{role: next.role, name: next.member}); next.admin && makes[made] {
				queue = append(queue, waiting[made]...)
				delete(waiting, made)
				delete(makes, made)
			}
		}
	}
	for _, m := range all {
		if by := (holder{role: m.role, name: m.grantor}); makes[by] {
			waiting[by] = append(waiting[by], m)
			continue
		}
		take(m)
	}
	for _, m := range all { // a circle, which no server has
		by := holder{role: m.role, name: m.grantor}
		if held := waiting[by]; len(held) > 0 {
			delete(waiting, by)
			delete(makes, by)
			for _, h := range held {
				take(h)
			}
		}
	}
	return sorted
}
