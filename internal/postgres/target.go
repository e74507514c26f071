package postgres

import (
	"os"
	"slices"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// Target says which database, and how to reach it. Empty fields are libpq's defaults: the
// PG* variables of this process, else the local socket, port 5432, the system user's name.
type Target struct {
	Host     string
	Port     string
	User     string
	Database string

	// NoSecrets is for a server that may be in the hands of whoever wrote what it runs: no password and no
	// certificate that lies around here is offered to it, whatever it asks for.
	NoSecrets bool

	// InEnglish asks the server for messages in English: what PostgreSQL's programs pass on of them is told apart
	// by its words. The server lets superusers ask for it, and refuses the session of anybody else.
	InEnglish bool
}

// passed lists the variables besides PG* that PostgreSQL's programs may need. It is a list of
// what is let through, so that a secret of another part can never reach a child.
var passed = []string{
	"PATH", "HOME", "USER", "LOGNAME", "TZ", "TZDIR", "TMPDIR", "LD_LIBRARY_PATH", "LC_CTYPE",
	"KRB5_CONFIG", "KRB5CCNAME", "KRB5_KTNAME", "SSL_CERT_FILE", "SSL_CERT_DIR", "OPENSSL_CONF",
}

// Env is the environment of a child that works on the target: base reduced to what libpq needs,
// then the target, then what keeps messages in English for the classification of errors.
//
// PGCLIENTENCODING is dropped: a dump is in the database's own encoding.
func (t Target) Env(base []string) []string {
	env := make([]string, 0, len(base)+8)
	for _, kv := range base {
		name, _, _ := strings.Cut(kv, "=")
		if keptVariable(name) {
			env = append(env, kv)
		}
	}
	set := func(name, value string) {
		if value == "" {
			return
		}
		env = slices.DeleteFunc(env, func(kv string) bool { return strings.HasPrefix(kv, name+"=") })
		env = append(env, name+"="+value)
	}
	set("PGHOST", t.Host)
	if t.Host != "" { // libpq would go to the address, whatever the host says
		env = slices.DeleteFunc(env, func(kv string) bool { return strings.HasPrefix(kv, "PGHOSTADDR=") })
	}
	set("PGPORT", t.Port)
	set("PGUSER", t.User)
	set("PGDATABASE", t.Database)
	set("PGAPPNAME", appName)
	if t.NoSecrets {
		env = slices.DeleteFunc(env, isSecret)
		set("PGPASSFILE", noFile)      // else libpq looks into the home directory
		set("PGREQUIREAUTH", "none")   // from 16 on
		set("PGGSSENCMODE", "disable") // a ticket would be asked for
	}
	if t.InEnglish {
		env = addOptions(env, []Parameter{{Name: "lc_messages", Value: "C"}})
	}
	set("LANG", "C")
	set("LC_MESSAGES", "C")
	return env
}

// noFile is nowhere: libpq warns of a password file that is there and is none.
const noFile = os.DevNull + "/none"

// secrets are the variables that hold, or lead to, what one logs in with.
var secrets = []string{
	"PGPASSWORD", "PGPASSFILE", "PGSERVICEFILE", "PGSYSCONFDIR", "PGSSLKEY", "PGSSLCERT", "PGOAUTHCLIENTID",
	"KRB5_CONFIG", "KRB5CCNAME", "KRB5_KTNAME",
}

func isSecret(kv string) bool {
	name, _, _ := strings.Cut(kv, "=")
	return slices.Contains(secrets, name)
}

// appName is how our sessions call themselves in pg_stat_activity.
const appName = "pgbtui"

func keptVariable(name string) bool {
	switch {
	case slices.Contains(passed, name):
		return true
	case strings.HasPrefix(name, "PGBTUI"), name == "PGCLIENTENCODING":
		return false
	}
	return strings.HasPrefix(name, "PG")
}

// check refuses a target that could lead elsewhere than it says.
func (t Target) check() error {
	if t.Database != "" {
		if err := checkName(t.Database); err != nil {
			return err
		}
	}
	for _, v := range []string{t.Host, t.Port, t.User} {
		if strings.ContainsRune(v, 0) {
			return fault.New(fault.Config, "postgres: host, port or user contains a NUL byte", "", nil)
		}
	}
	// libpq prefers a service file's dbname to PGDATABASE (fe-connect.c, conninfo_add_defaults).
	if os.Getenv("PGSERVICE") != "" {
		return fault.New(fault.Config, "postgres: PGSERVICE is set, and its service could name another database",
			"Set host, port and user in the job instead of PGSERVICE.", nil)
	}
	return nil
}

// name is the target in messages.
func (t Target) name() string {
	if t.Database == "" {
		return "default database"
	}
	return "database " + QuoteIdent(t.Database)
}
