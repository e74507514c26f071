// The wizard's first pages: what comes back and where to, and the target's name.

package ui

import (
	"fmt"
	"slices"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
)

// suggested is a name for the new database: the source's, cut to fit, and the day. One that cannot be
// seen is not offered.
func suggested(database string, now time.Time) string {
	if clean(database) != database {
		database = "backup"
	}
	tail := "_restored_" + now.UTC().Format("20060102")
	name := []rune(database)
	for len(string(name))+len(tail) > postgres.MaxName {
		name = name[:len(name)-1]
	}
	return string(name) + tail
}

// badTarget is why the name cannot be used, or "".
func (w *wizard) badTarget() string {
	name := w.target.text()
	switch {
	case name == "":
		return "type the database's name"
	case len(name) > postgres.MaxName:
		return fmt.Sprintf("%d bytes; PostgreSQL cuts names at %d", len(name), postgres.MaxName)
	case clean(name) != name:
		return "it holds characters that cannot be seen; the command line takes it"
	}
	if ways[w.way].existing || ways[w.way].live {
		return w.badExisting(name)
	}
	switch {
	case name == w.set.Database:
		return "that is the source; esc leads back to replacing a live database"
	case w.exists(name):
		return "a database of this name exists"
	case serverOwn(name):
		return "that name is PostgreSQL's own"
	}
	return ""
}

func (w *wizard) badExisting(name string) string {
	switch {
	case ways[w.way].live && serverOwn(name):
		return "that one is PostgreSQL's own and cannot be replaced"
	case w.namesOK && !w.exists(name):
		return "there is no database of this name"
	}
	return ""
}

func serverOwn(name string) bool {
	return slices.Contains([]string{"postgres", "template0", "template1"}, name)
}

func (w *wizard) wayLines(width int) []string {
	lines := []string{w.section("WHAT COMES BACK, AND WHERE TO", "", width)}
	for i, o := range ways {
		if width < 100 {
			o.about = ""
		}
		l := fit(fmt.Sprintf("   %-47s  %s", o.title, o.about), width)
		if i == w.way {
			l = w.reverse.Render(l)
		}
		lines = append(lines, l)
	}
	return append(lines, "", w.faint.Render("   "+ways[w.way].about+"."))
}

func (w *wizard) targetLines(width int) []string {
	title, about := "NAME OF THE NEW DATABASE", "The live database is not touched. Any name PostgreSQL takes will do."
	good := "✓ free"
	switch by := ways[w.way]; {
	case by.live:
		title = "WHICH DATABASE IS REPLACED"
		about = "The next pages still change nothing."
		good = "✓ exists"
	case by.existing:
		title = "WHICH DATABASE GETS THE ROWS"
		about = "All rows come, or none. Its tables of these names must be empty."
		good = "✓ exists"
	}
	lines := []string{w.section(title, "", width), "   " + w.target.view(w.theme, width-3), ""}
	state := w.good.Render(good)
	switch {
	case w.badTarget() != "":
		state = w.bad.Render("✗ " + w.badTarget())
	case w.nameErr != nil:
		state = w.warn.Render("? not checked yet: the plan checks it")
	case !w.namesOK:
		state = w.faint.Render("? asking the server which names exist …")
	}
	lines = append(lines, "   "+state, "", w.faint.Render("   "+about))
	if w.nameErr != nil && fault.CodeOf(w.nameErr) != fault.NotPermitted { // who has no login need not be told each time
		lines = append(lines, w.trouble(w.nameErr, width)...)
	}
	return lines
}
