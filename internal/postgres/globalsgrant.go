package postgres

import (
	"context"
	"slices"
	"strings"
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
func (st statement) find(word string) int { return st.findFrom(0, word) }

func (st statement) findFrom(start int, word string) int {
	for i := start; i < len(st.tokens); i++ {
		if st.is(i, word) {
			return i
		}
	}
	return -1
}

// title names a statement and what it is about, for people; nothing of its values.
func (st statement) title() string {
	first, on := st.leading()[0], st.find("on")
	if first == "grant" && on < 0 {
		role, _ := st.at(1)
		member, _ := st.at(3)
		return "GRANT " + QuoteIdent(role) + " TO " + QuoteIdent(member)
	}
	kind, _ := st.at(1) // CREATE ROLE name
	name, _ := st.at(2)
	if on > 0 && first != "create" && first != "alter" { // COMMENT ON ROLE name, GRANT CREATE ON TABLESPACE name
		if first == "security" {
			first = "security label"
		}
		first += " on"
		kind, _ = st.at(on + 1)
		name, _ = st.at(on + 2)
	}
	return strings.ToUpper(first+" "+kind) + " " + QuoteIdent(name)
}

// grant keeps memberships where a side is new, and runs rights on new tablespaces and, for new roles,
// on parameters (from 15 on).
func (a *applier) grant(ctx context.Context, st statement) error {
	on := st.find("on")
	switch {
	case a.only != nil && on > 0:
		return nil // on tablespaces and parameters
	case on < 0 && st.is(0, "grant") && st.is(2, "to"):
		a.readMembership(st)
		return nil
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
