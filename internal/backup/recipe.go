package backup

import (
	"fmt"
)

// Recipe is the commands that restore a set without pgbtui, for a shell: `aws`, `age`, `zstd`, `sha256sum`
// and PostgreSQL's own clients. Lines that start with # explain. location is "s3://bucket/";
// endpoint is empty for AWS.
//
// Rule: a dump is a program. So a file is fetched, and every line that runs it checks it first: in a shell
// that goes on after errors too, nothing reaches a server that is not what the manifest says.
func Recipe(set *Set, location, endpoint string) []string {
	aws := awsFor(endpoint)
	copyOf := func(key string) string { return aws + " s3 cp " + ShellQuote(location+key) + " " }
	target := ShellQuote(set.Database + "_restored")
	restore := "PGDATABASE=" + target + " pg_restore --exit-on-error -d ''"
	if set.Kind == KindLegacy {
		return []string{
			"# nobody vouches for what the old script stored, and restoring it runs it: be sure who may write to the bucket",
			"# a copy beside the live database; pg_restore stops at the first error",
			"createdb -T template0 -- " + target,
			copyOf(set.Dir) + "- | " + restore,
		}
	}
	lines := warnOf(set)
	if p := set.Partial(); p != nil {
		lines = append(lines, "# PARTIAL: it is "+p.String()+" of its database")
		if p.Needs > 0 {
			lines = append(lines, "# what it needs from outside has to be made before it: "+p.outside())
		}
	}
	lines, create := append(lines, "# in a folder that only you can write to"), "createdb -T template0"
	dump := file{base: DumpName, sealed: set.Encrypted()}
	if m := set.Manifest; m != nil {
		create, dump.stored = createLike(m.Server), m.Dump
	} else {
		lines = append(lines, "# no manifest says what the dump must be: nobody knows whether it is whole, or whose it is")
	}
	if m := set.Manifest; m != nil && m.Globals != nil {
		globals := file{base: GlobalsName, stored: *m.Globals, sealed: set.Encrypted()}
		lines = append(lines, copyOf(set.Dir+m.Globals.Key)+globals.name(),
			"# roles that are missing, by name alone (an error about one that exists is harmless, and nothing of it is changed)",
			globals.checked()+" | "+missingRoles+" | psql -X -d postgres",
			"# on an empty server only, all of it instead: rights, passwords and memberships of roles that exist would change",
			"# "+globals.checked()+" | psql -X -d postgres")
	}
	lines = append(lines, copyOf(set.Dir+set.DumpKey())+dump.name())
	rows := rowsOf(set)
	for _, f := range rows {
		lines = append(lines, copyOf(set.Dir+f.stored.Key)+f.name())
	}
	lines = append(lines, "# a copy beside the live database; pg_restore stops at the first error",
		create+" -- "+target)
	if m := set.Manifest; m != nil && m.Contents != nil {
		contents := file{base: ContentsName, stored: *m.Contents, sealed: set.Encrypted()}
		lines = append(lines, "# its parameters, before its rows: constraints, generated columns and indexes may read them",
			copyOf(set.Dir+m.Contents.Key)+contents.name(),
			contents.checked()+" | "+setParameters(set.Database+"_restored"))
	}
	if len(rows) > 0 {
		return append(lines, loadStreams(dump, rows, restore)...)
	}
	return append(lines, dump.checked()+" | "+loadOptions+" "+restore,
		"# or, on an empty server, under its own name and with its own settings and grants:",
		"# "+dump.checked()+" | "+loadOptions+" pg_restore --exit-on-error --create -d postgres",
	)
}

// rowsOf are the further streams of a set.
func rowsOf(set *Set) (rows []file) {
	if set.Manifest == nil {
		return nil
	}
	for i, o := range set.Manifest.Streams {
		rows = append(rows, file{base: RowsName(i + 1), stored: o, sealed: set.Encrypted()})
	}
	return rows
}

// loadStreams restores a set of several streams: definitions, all rows, and what needs the rows to be there. pg_restore
// reads no rows for definitions; they are read nevertheless, since a shell may take a broken pipe for a failure.
func loadStreams(dump file, rows []file, restore string) []string {
	section := func(name string) string {
		return dump.checked() + " | { " + loadOptions + " " + restore + " --section=" + name + " && cat >/dev/null; }"
	}
	lines := []string{
		section("pre-data"), "# the rows: one line after the other, or all at once, each in a shell of its own",
		section("data"),
	}
	for _, f := range rows {
		lines = append(lines, f.checked()+" | "+loadOptions+" "+restore)
	}
	return append(lines, "# when all rows are there", section("post-data"))
}

// missingRoles lets through the lines that create a role and say nothing else of it. Names in double quotes are
// whole on their line: a line out of the middle of a longer name has no such form that could do more.
const missingRoles = `grep -E '^CREATE ROLE ([a-z_][a-z0-9_$]*|"([^"]|"")+");$'`

// warnOf is what somebody should know before they run a set by hand, where sets are signed.
func warnOf(set *Set) []string {
	switch set.Signature {
	case SignatureForged:
		return []string{"# FORGED: it was altered, or somebody else made it, and restoring it runs it: do not"}
	case SignatureMissing:
		return []string{"# UNSIGNED: anybody who may write to the bucket can have put it there, and restoring it runs it"}
	case SignatureGood:
	}
	return nil
}

// file is a stored object in the folder of whoever follows a recipe. The name is ours: what a manifest calls
// it might lead elsewhere.
type file struct {
	base   string
	stored Object
	sealed bool
}

func (f file) name() string {
	if f.sealed {
		return f.base + ".age"
	}
	return f.base
}

// checked is the raw stream, of a file that is what the manifest says.
func (f file) checked() string {
	line := ""
	if f.stored.SHA256 != "" {
		line = fmt.Sprintf("echo %s | sha256sum -c --quiet && ", ShellQuote(f.stored.SHA256+"  "+f.name()))
	}
	if f.sealed {
		return line + "age -d -i KEYFILE " + f.name() + " | zstd -d"
	}
	return line + "zstd -dc " + f.name()
}

// createLike is createdb for a database with the locale of the source.
func createLike(s Server) string {
	create := fmt.Sprintf("createdb -T template0 -E %s --lc-collate=%s --lc-ctype=%s", ShellQuote(s.Encoding),
		ShellQuote(s.Collate), ShellQuote(s.Ctype))
	switch s.LocaleProvider { // options of createdb since 15 and 17, as are these providers
	case "icu":
		create += " --locale-provider=icu --icu-locale=" + ShellQuote(s.Locale)
	case "builtin":
		create += " --locale-provider=builtin --builtin-locale=" + ShellQuote(s.Locale)
	}
	return create
}
