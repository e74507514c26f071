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
	if c.Closed { // superusers are not counted
		b.WriteString(" CONNECTION LIMIT = 0")
	}
	return b.String()
}

// ParametersSQL is the statements that give database name the described parameters, also those of
// roles in it. Run them before the first row is loaded: what a function in a constraint, a generated
// column or an index makes of a row may depend on them. What would stop the load is for the loading
// session to override (Overrides).
func (c Settings) ParametersSQL(name string) []string {
	return c.parametersSQL(name, func(p Parameter) bool { return !preloads(p) })
}

func (c Settings) parametersSQL(name string, wanted func(Parameter) bool) (out []string) {
	db := "DATABASE " + QuoteIdent(name)
	for _, p := range c.Parameters {
		if !wanted(p) {
			continue
		}
		subject := db
		if p.Role != "" {
			subject = "ROLE " + QuoteIdent(p.Role) + " IN " + db
		}
		out = append(out, fmt.Sprintf("ALTER %s SET %s TO %s", subject, QuoteIdent(p.Name), parameterValue(p)))
	}
	return out
}

// preloads reports a parameter that names libraries for the begin of each session. Where one is
// missing nobody could connect any more, so these come last.
func preloads(p Parameter) bool {
	return strings.EqualFold(p.Name, "session_preload_libraries") || strings.EqualFold(p.Name, "local_preload_libraries")
}

// ApplySQL is the statements that give database name the described owner, rights, comment and what
// else is left after ParametersSQL. Run them after the data is restored: the owner may not be ours
// to load for, and a connection limit of 0 would stop the restore. All rights come from the owner,
// whoever granted them before.
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
	out = append(out, c.parametersSQL(name, preloads)...)
	if c.Comment != "" {
		add("COMMENT ON %s IS %s", db, QuoteLiteral(c.Comment))
	}
	if c.ConnLimit >= 0 && !c.Closed {
		add("ALTER %s CONNECTION LIMIT %d", db, c.ConnLimit)
	}
	if c.IsTemplate {
		add("ALTER %s IS_TEMPLATE true", db)
	}
	return out
}

// obstacles are parameters that would stop a load, or have it done by another role, with what a
// loading session has instead. None of them changes what a row means.
var obstacles = []Parameter{
	{Name: "default_transaction_read_only", Value: "off"},
	{Name: "default_transaction_isolation", Value: "read committed"},
	{Name: "default_transaction_deferrable", Value: "off"},
	{Name: "statement_timeout", Value: "0"},
	{Name: "lock_timeout", Value: "0"},
	{Name: "idle_in_transaction_session_timeout", Value: "0"},
	{Name: "idle_session_timeout", Value: "0"},
	{Name: "transaction_timeout", Value: "0"},
	{Name: "role", Value: "none"},
}

// Overrides are what a loading session sets for itself in a database with these settings.
func (c Settings) Overrides() (out []Parameter) {
	for _, o := range obstacles {
		if slices.ContainsFunc(c.Parameters, func(p Parameter) bool { return strings.EqualFold(p.Name, o.Name) }) {
			out = append(out, o)
		}
	}
	return out
}

// sessionOptions is PGOPTIONS for a session with these parameters, behind what is there already: of
// two settings the last one counts. Parameters at the begin of a session precede those of the
// database and of roles in it.
func sessionOptions(before string, parameters []Parameter) string {
	options := before
	for _, p := range parameters {
		value := strings.NewReplacer(`\`, `\\`, " ", `\ `, "\t", "\\\t", "\n", "\\\n").Replace(p.Value)
		options = strings.TrimSpace(options + " -c " + p.Name + "=" + value)
	}
	return options
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
