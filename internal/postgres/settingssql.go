package postgres

import (
	"fmt"
	"slices"
	"strings"
)

// CreateSQL is the statement that creates an empty database called name like the described one,
// owned by whoever runs it. versionNum is the target server's. Locale and encoding can only be
// given here; everything else is ApplySQL's.
func (c Settings) CreateSQL(name string, versionNum int) string {
	var b strings.Builder
	option := func(keyword, value string) {
		if value != "" {
			fmt.Fprintf(&b, " %s = %s", keyword, QuoteLiteral(value))
		}
	}
	fmt.Fprintf(&b, "CREATE DATABASE %s WITH TEMPLATE = template0", QuoteIdent(name))
	option("ENCODING", c.Locale.Encoding)
	if versionNum >= 150000 && c.Locale.Provider != "" { // 13 and 14 know only libc
		fmt.Fprintf(&b, " LOCALE_PROVIDER = %s", QuoteIdent(c.Locale.Provider))
	}
	option("LC_COLLATE", c.Locale.Collate)
	option("LC_CTYPE", c.Locale.Ctype)
	switch c.Locale.Provider {
	case "icu":
		option("ICU_LOCALE", c.Locale.Name)
		option("ICU_RULES", c.Locale.ICURules)
	case "builtin":
		option("BUILTIN_LOCALE", c.Locale.Name)
	}
	if c.Tablespace != "" && c.Tablespace != "pg_default" {
		fmt.Fprintf(&b, " TABLESPACE = %s", QuoteIdent(c.Tablespace))
	}
	return b.String()
}

// ApplySQL is the statements that give database name the described owner, rights, parameters and
// comment. Run them after the data is restored: a parameter like default_transaction_read_only
// or a connection limit of 0 would stop the restore. All rights come from the owner, whoever
// granted them before.
func (c Settings) ApplySQL(name string) []string {
	db := "DATABASE " + QuoteIdent(name)
	var out []string
	add := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	if c.Owner != "" {
		add("ALTER %s OWNER TO %s", db, QuoteIdent(c.Owner))
	}
	if c.CustomACL {
		out = append(out, c.grantSQL(db)...)
	}
	for _, p := range c.Parameters {
		subject := db
		if p.Role != "" {
			subject = "ROLE " + QuoteIdent(p.Role) + " IN " + db
		}
		add("ALTER %s SET %s TO %s", subject, QuoteIdent(p.Name), parameterValue(p))
	}
	if c.Comment != "" {
		add("COMMENT ON %s IS %s", db, QuoteLiteral(c.Comment))
	}
	if c.ConnLimit >= 0 {
		add("ALTER %s CONNECTION LIMIT %d", db, c.ConnLimit)
	}
	if c.IsTemplate {
		add("ALTER %s IS_TEMPLATE true", db)
	}
	return out
}

// grantSQL starts from nothing: the defaults give PUBLIC and the owner rights that the source
// may have taken away.
func (c Settings) grantSQL(db string) []string {
	out := []string{"REVOKE ALL ON " + db + " FROM PUBLIC"}
	if c.Owner != "" {
		out = append(out, "REVOKE ALL ON "+db+" FROM "+QuoteIdent(c.Owner))
	}
	for _, g := range c.Grants {
		if !slices.Contains([]string{"CREATE", "CONNECT", "TEMPORARY"}, g.Privilege) {
			continue // a right of a future version, not known to be safe as SQL text
		}
		role, option := "PUBLIC", ""
		if g.Role != "" {
			role = QuoteIdent(g.Role)
		}
		if g.Grantable && g.Role != "" {
			option = " WITH GRANT OPTION"
		}
		out = append(out, fmt.Sprintf("GRANT %s ON %s TO %s%s", g.Privilege, db, role, option))
	}
	return out
}

// listParameters are the server's GUC_LIST_QUOTE variables (guc_tables.c; the same six from 13
// to 18; extensions cannot add any). They are stored as quoted lists, and given as one literal
// they would become a list of one odd name.
var listParameters = []string{
	"local_preload_libraries", "search_path", "session_preload_libraries",
	"shared_preload_libraries", "temp_tablespaces", "unix_socket_directories",
}

func parameterValue(p Parameter) string {
	if !slices.Contains(listParameters, strings.ToLower(p.Name)) {
		return QuoteLiteral(p.Value)
	}
	elements := splitList(p.Value)
	if len(elements) == 0 {
		return "''"
	}
	for i, e := range elements {
		elements[i] = QuoteLiteral(e)
	}
	return strings.Join(elements, ", ")
}

// splitList takes a stored list apart: commas between elements, double quotes around those that
// need them. Case is kept, as the server does for names that it stored itself.
func splitList(list string) []string {
	var out []string
	var element strings.Builder
	quoted, wasQuoted := false, false
	flush := func() {
		text := element.String()
		if !wasQuoted {
			text = strings.TrimSpace(text)
		}
		if text != "" || wasQuoted {
			out = append(out, text)
		}
		element.Reset()
		wasQuoted = false
	}
	for i := 0; i < len(list); i++ {
		switch c := list[i]; {
		case c == '"' && quoted && i+1 < len(list) && list[i+1] == '"':
			element.WriteByte('"')
			i++
		case c == '"':
			if !quoted { // what stood before is white space
				element.Reset()
				wasQuoted = true
			}
			quoted = !quoted
		case c == ',' && !quoted:
			flush()
		case !quoted && wasQuoted: // white space after the closing quote
		default:
			element.WriteByte(c)
		}
	}
	flush()
	return out
}
