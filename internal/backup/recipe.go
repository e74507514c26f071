package backup

import (
	"fmt"
	"strings"
)

// Recipe is the commands that restore a set without pgbtui, for a shell: `aws`, `age`, `zstd`
// and PostgreSQL's own clients. Lines that start with # explain. location is "s3://bucket/";
// endpoint is empty for AWS.
func Recipe(set *Set, location, endpoint string) []string {
	aws := "aws"
	if endpoint != "" {
		aws += " --endpoint-url " + shellQuote(endpoint)
	}
	get := func(key string) string { return aws + " s3 cp " + shellQuote(location+key) + " -" }
	target := shellQuote(set.Database + "_restored")
	if set.Kind == KindLegacy {
		return []string{
			"# a copy beside the live database; pg_restore stops at the first error",
			"createdb -T template0 -- " + target,
			get(set.Dir) + " | PGDATABASE=" + target + " pg_restore --exit-on-error -d ''",
		}
	}
	unpack := " | zstd -d"
	if set.Encrypted() {
		unpack = " | age -d -i KEYFILE | zstd -d"
	}
	var lines []string
	if m := set.Manifest; m != nil && m.Globals != nil {
		lines = append(lines, "# roles, memberships and tablespaces, only on a server that lacks them (errors about existing ones are harmless)",
			get(set.Dir+m.Globals.Key)+unpack+" | psql -X -d postgres")
	}
	dump := get(set.Dir+set.dumpKey()) + unpack
	create := "createdb -T template0"
	if set.Manifest != nil {
		s := set.Manifest.Server
		create += fmt.Sprintf(" -E %s --lc-collate=%s --lc-ctype=%s", shellQuote(s.Encoding), shellQuote(s.Collate), shellQuote(s.Ctype))
		switch s.LocaleProvider { // options of createdb since 15 and 17, as are these providers
		case "icu":
			create += " --locale-provider=icu --icu-locale=" + shellQuote(s.Locale)
		case "builtin":
			create += " --locale-provider=builtin --builtin-locale=" + shellQuote(s.Locale)
		}
	}
	return append(lines,
		"# a copy beside the live database; pg_restore stops at the first error",
		create+" -- "+target,
		dump+" | PGDATABASE="+target+" pg_restore --exit-on-error -d ''",
		"# or, on an empty server, under its own name and with its own settings and grants:",
		"# "+dump+" | pg_restore --exit-on-error --create -d postgres",
	)
}

func (s *Set) dumpKey() string {
	if s.Manifest == nil {
		return dumpName
	}
	return s.Manifest.Dump.Key
}

// shellQuote makes any text one word of a POSIX shell.
func shellQuote(s string) string {
	plain := strings.IndexFunc(s, func(r rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=@", r)
	}) < 0
	if plain && s != "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
