// The wizard's options. Each is a row; which there are depends on what comes back and where to.

package ui

import (
	"fmt"
	"slices"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
)

// maxJobs bounds pg_restore's parallel jobs as far as this dialog goes.
const maxJobs = 16

// option is one row: its value, what that means, and how a key changes it.
type option struct {
	name, value, about string
	change             func(by int)
	typed              bool // the value is typed
}

func (w *wizard) options() []option {
	by := ways[w.way]
	var all []option
	if by.live {
		all = append(all, w.connections())
	} else {
		all = append(all,
			toggle("Rows", &w.want.SchemaOnly, [2]string{"yes", "no"}, [2]string{"definitions and rows", "definitions only"}))
	}
	all = append(all, w.globals())
	if !by.parts && !w.want.SchemaOnly {
		all = append(all, w.jobs())
	}
	if w.set.Archive.Unreadable() && w.want.From == w.set.At {
		all = append(all, w.thawing())
	}
	if places := placesOf(&w.set); len(places) > 1 {
		all = append(all, w.from(places))
	}
	return append(
		all,
		toggle("Owners", &w.want.NoOwner, [2]string{"kept", "none"},
			[2]string{"owners and grants as in the dump", "all belongs to a role that may do nothing, nothing is granted"}),
		toggle("Tablespaces", &w.want.NoTablespaces, [2]string{"kept", "none"},
			[2]string{"as in the dump", "everything in the default tablespace"}),
		w.mapping(),
	)
}

func toggle(name string, on *bool, values, about [2]string) option {
	n := 0
	if *on {
		n = 1
	}
	return option{name: name, value: values[n], about: about[n], change: func(int) { *on = !*on }}
}

func (w *wizard) connections() option {
	return toggle("Connections", &w.want.Terminate, [2]string{"wait", "end"}, [2]string{
		"while somebody is connected nothing is replaced",
		"who is connected loses open transactions when names are swapped",
	})
}

// thawTiers are the ways to thaw, the first one not to.
var thawTiers = []struct{ tier, value, about string }{
	{"", "no", "it is archived: without a thaw it cannot be read"},
	{"standard", "std", "thawed first, within hours; the restore waits"},
	{"bulk", "bulk", "thawed first, slower and cheaper; the restore waits"},
	{"expedited", "fast", "thawed first, in minutes and dear; not from DEEP_ARCHIVE"},
}

func (w *wizard) thawing() option {
	at := 0
	for i, t := range thawTiers {
		if t.tier == w.want.Thaw {
			at = i
		}
	}
	return option{
		name: "Thaw", value: thawTiers[at].value, about: thawTiers[at].about,
		change: func(by int) { w.want.Thaw = thawTiers[(at+by+len(thawTiers))%len(thawTiers)].tier },
	}
}

// placesOf are where a set can be read from, "" for the main bucket.
func placesOf(s *backup.Set) []string {
	if s.At != "" {
		return []string{s.At} // the main bucket did not answer
	}
	places := []string{""}
	for _, c := range s.Copies {
		if c.State == backup.CopyGood {
			places = append(places, c.Copy)
		}
	}
	return places
}

// from chooses among the places that have the set.
func (w *wizard) from(places []string) option {
	at := max(0, slices.Index(places, w.want.From))
	o := option{name: "From", value: "main", about: "the main bucket", change: func(by int) {
		w.want.From = places[(at+by+len(places))%len(places)]
		if w.want.From != w.set.At {
			w.want.Thaw = ""
		}
	}}
	if places[at] != "" {
		o.value, o.about = places[at], "this copy; the main bucket is not asked"
	}
	return o
}

func (w *wizard) globals() option {
	o := toggle("Globals", &w.want.Globals, [2]string{"no", "yes"},
		[2]string{"roles are left as they are", "missing roles are made first, by name only: no login, no rights"})
	if !w.hasGlobals() {
		o.about, o.change = "this backup holds none", func(int) {}
	}
	return o
}

func (w *wizard) jobs() option {
	o := option{
		name: "Jobs", value: "auto", about: "as many sessions as the target has cores to spare",
		change: func(by int) { w.want.Jobs = max(0, min(maxJobs, w.want.Jobs+by)) },
	}
	if w.want.Jobs > 0 {
		o.value, o.about = fmt.Sprint(w.want.Jobs), "parallel sessions, each with its own tables"
	}
	if w.want.Jobs == 1 {
		o.about = "one session"
	}
	return o
}

func (w *wizard) mapping() option {
	o := option{
		name: "Roles", value: "none", about: "type OLD=NEW, OLD=NEW: what is one role's goes to another", typed: true,
		change: func(int) {},
	}
	if w.roles.text() == "" {
		return o
	}
	o.value, o.about = w.roles.text(), "what belongs or is granted to one goes to the other"
	if _, err := parseRoles(w.roles.text()); err != nil {
		o.about = "not OLD=NEW, OLD=NEW"
	}
	return o
}

// parseRoles reads mappings with commas between them.
func parseRoles(text string) (map[string]string, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	roles := map[string]string{}
	quoted := false
	words := strings.FieldsFunc(text, func(r rune) bool {
		if r == '"' {
			quoted = !quoted
		}
		return r == ',' && !quoted
	})
	for _, word := range words {
		old, renamed, err := restore.ParseRole(strings.TrimSpace(word))
		if err != nil {
			return nil, err
		}
		roles[old] = renamed
	}
	return roles, nil
}

func (w *wizard) badOptions() string {
	if _, err := parseRoles(w.roles.text()); err != nil {
		return "roles are mapped as OLD=NEW, OLD=NEW"
	}
	return ""
}

func (w *wizard) selected() option {
	all := w.options()
	w.option = max(0, min(w.option, len(all)-1))
	return all[w.option]
}

func (w *wizard) optionLines(width int) []string {
	lines := []string{w.section("OPTIONS", "", width)}
	at := w.selected().name
	for _, o := range w.options() {
		value := clean(o.value)
		if o.typed && o.name == at && w.roles.text() != "" {
			value = w.roles.plain() // the row is reversed: a reversed cursor would not show
		}
		l := fit(fmt.Sprintf("   %-12s  %-4s  %s", o.name, value, o.about), width)
		if o.name == at {
			l = w.reverse.Render(l)
		}
		lines = append(lines, l)
	}
	return append(lines, "", w.faint.Render("   → and ← change · enter shows the plan"))
}

func (w *wizard) optionKeys() []binding {
	change := func(by int) func() tea.Cmd {
		return func() tea.Cmd {
			w.selected().change(by)
			return nil
		}
	}
	move := func(by int) func() tea.Cmd {
		return func() tea.Cmd {
			n := len(w.options())
			w.option = (w.option + by + n) % n
			return nil
		}
	}
	return []binding{
		{keys: []string{"down", "j", "tab"}, label: "↑ ↓", short: "choose", help: "the other options", run: move(1)},
		{keys: []string{"up", "k", "shift+tab"}, run: move(-1)},
		{keys: []string{"right", "l", " ", "+"}, label: "→", short: "change", help: "change the option", run: change(1)},
		{keys: []string{"left", "h", "-"}, label: "←", help: "change the option back", run: change(-1)},
	}
}
