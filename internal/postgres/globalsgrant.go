package postgres

import (
	"context"
	"slices"
)

// leading is the first two words in lower case, "" where there is none.
func (st statement) leading() (w [2]string) {
	for i := range w {
		if i < len(st.tokens) && st.tokens[i].kind == tokenWord {
			w[i] = st.tokens[i].text
		}
	}
	return w
}

// at is the identifier at place i.
func (st statement) at(i int) (string, bool) {
	if i >= len(st.tokens) {
		return "", false
	}
	return st.tokens[i].name()
}

// is reports whether the unquoted word at place i is word.
func (st statement) is(i int, word string) bool {
	return i < len(st.tokens) && st.tokens[i].kind == tokenWord && st.tokens[i].text == word
}

// find is the place of the first unquoted word, or -1.
func (st statement) find(word string) int {
	for i := range st.tokens {
		if st.is(i, word) {
			return i
		}
	}
	return -1
}

// grant runs memberships where a side is new, and rights on new tablespaces and, for new roles,
// on parameters (from 15 on).
func (a *applier) grant(ctx context.Context, st statement) error {
	on := st.find("on")
	switch {
	case a.only != nil && on > 0:
		return nil // on tablespaces and parameters
	case on < 0 && st.is(0, "grant") && st.is(2, "to"):
		return a.membership(ctx, st)
	case on > 0 && st.is(on+1, "tablespace"):
		name, _ := st.at(on + 2)
		return a.runIf(ctx, st, slices.Contains(a.newSpaces, name))
	case on > 0 && st.is(on+1, "parameter") && st.is(0, "grant"):
		role, _ := st.at(st.find("to") + 1)
		return a.runIf(ctx, st, a.created[role])
	case on > 0 && st.is(on+1, "parameter"):
		return nil // defaults taken back from PUBLIC: would change what exists
	}
	a.ignore(st.leading())
	return nil
}

// membership is GRANT role TO member [WITH …] [GRANTED BY grantor]. A grantor that this cluster
// does not have, usually the source's first superuser under another name, is left out.
func (a *applier) membership(ctx context.Context, st statement) error {
	role, roleOK := st.at(1)
	member, memberOK := st.at(3)
	if !roleOK || !memberOK || (!a.created[role] && !a.created[member]) {
		return nil
	}
	if a.only != nil {
		if !a.created[role] || !a.created[member] {
			return nil
		}
		st.sql, st.tokens = "GRANT "+QuoteIdent(role)+" TO "+QuoteIdent(member), st.tokens[:4]
	}
	if i := st.find("granted"); i > 0 && st.is(i+1, "by") && i+2 < len(st.tokens) {
		if grantor, _ := st.at(i + 2); !a.roles[grantor] {
			st.sql = st.sql[:st.tokens[i].at] + st.sql[st.tokens[i+2].end:]
		}
	}
	done, err := a.run(ctx, st)
	if done {
		a.report.Memberships++
	}
	return err
}
