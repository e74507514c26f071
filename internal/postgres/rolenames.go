package postgres

import (
	"fmt"
	"slices"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// Where pg_dump's SQL names roles: grants, default privileges, policies and user mappings. Owners
// stand in an archive's entries apart from the SQL, and nothing else that pg_dump writes into a
// database names a role. Shapes: src/bin/pg_dump/dumputils.c (buildACLCommands,
// buildDefaultACLCommands) and pg_dump.c (dumpPolicy, dumpUserMappings), 12 to 18.

// NamesRoles reports whether entries of a kind can name roles in their SQL.
func NamesRoles(desc string) bool {
	return slices.Contains([]string{"ACL", "DEFAULT ACL", "POLICY", "USER MAPPING"}, desc)
}

// RenameRoles gives back the SQL of such an entry with each role as rename has it. SQL whose roles
// cannot be told apart from the rest is an error, never a guess.
func RenameRoles(desc, sql string, rename func(role string) string) (string, error) {
	var out strings.Builder
	changed := false
	err := splitSQL(strings.NewReader(sql), func(st statement) error {
		places, err := st.roles()
		if err != nil {
			return err
		}
		text := st.sql
		for _, i := range slices.Backward(places) {
			t := st.tokens[i]
			if name := rename(t.text); name != t.text {
				text, changed = text[:t.at]+QuoteIdent(name)+text[t.end:], true
			}
		}
		out.WriteString(text + ";\n")
		return nil
	})
	switch {
	case err != nil:
		return sql, fault.New(fault.Refused, "postgres: find the roles in an entry of kind "+desc,
			"Restore without --role, and change roles by hand.", err)
	case !changed:
		return sql, nil
	}
	return out.String(), nil
}

// roles are the places of the tokens that name roles.
func (st statement) roles() ([]int, error) {
	switch lead := st.leading(); {
	case lead[0] == "grant":
		return st.listAfter(st.lastOutside("to")), nil
	case lead[0] == "revoke":
		return st.listAfter(st.lastOutside("from")), nil
	case lead == [2]string{"set", "session"} && st.is(2, "authorization"):
		return st.listAfter(2), nil
	case lead == [2]string{"reset", "session"}:
		return nil, nil
	case lead == [2]string{"alter", "default"}:
		places := []int{}
		if st.is(3, "for") && st.is(4, "role") {
			places = st.listAfter(4)
		}
		if st.find("revoke") > 0 {
			return append(places, st.listAfter(st.lastOutside("from"))...), nil
		}
		return append(places, st.listAfter(st.lastOutside("to"))...), nil
	case lead == [2]string{"create", "policy"}:
		return st.listAfter(st.policyRoles()), nil
	case lead == [2]string{"create", "user"} && st.is(2, "mapping") && st.is(3, "for"):
		return st.listAfter(3), nil
	default:
		return nil, fmt.Errorf("a statement that begins with %s %s is not known", strings.ToUpper(lead[0]),
			strings.ToUpper(lead[1]))
	}
}

// notRoles stand where a role's name does. A role of such a name is quoted by pg_dump.
var notRoles = []string{"public", "current_user", "current_role", "session_user"}

// listAfter are the names in the list behind a place; none behind -1.
func (st statement) listAfter(at int) (places []int) {
	for i := at + 1; at >= 0 && i < len(st.tokens); i += 2 {
		if st.is(i, "group") {
			i++
		}
		if _, ok := st.at(i); !ok {
			return places
		}
		if t := st.tokens[i]; t.kind == tokenQuoted || !slices.Contains(notRoles, t.text) {
			places = append(places, i)
		}
		if i+1 >= len(st.tokens) || st.tokens[i+1].kind != tokenOther || st.tokens[i+1].text != "," {
			return places
		}
	}
	return places
}

// lastOutside is the last place of an unquoted word outside parentheses, or -1: TO and FROM are
// reserved, so that as names they are quoted.
func (st statement) lastOutside(word string) int {
	at, depth := -1, 0
	for i, t := range st.tokens {
		depth += nesting(t)
		if depth == 0 && st.is(i, word) {
			at = i
		}
	}
	return at
}

// policyRoles is the place of a policy's TO, which comes before its expressions, or -1.
func (st statement) policyRoles() int {
	for i := range st.tokens {
		switch {
		case st.is(i, "to"):
			return i
		case st.is(i, "using"), st.is(i, "with"):
			return -1
		}
	}
	return -1
}

func nesting(t token) int {
	switch {
	case t.kind == tokenOther && t.text == "(":
		return 1
	case t.kind == tokenOther && t.text == ")":
		return -1
	}
	return 0
}
