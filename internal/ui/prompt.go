// The prompt on the toast line: the filter (/) and the command line (:), which takes pgbtui's
// verbs and the names of screens.

package ui

import (
	"cmp"
	"fmt"
	"sort"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
)

type prompt struct {
	line
	command bool   // else a filter
	before  string // the filter to go back to
}

func (r *root) promptFilter() tea.Cmd {
	old := r.top().(filterable).filterText()
	r.prompt = &prompt{line: newLine(old), before: old}
	return nil
}

func (r *root) promptCommand() tea.Cmd {
	r.prompt = &prompt{command: true}
	return nil
}

func (r *root) promptKey(k tea.KeyMsg) tea.Cmd {
	p := r.prompt
	f, _ := r.top().(filterable)
	switch k.String() {
	case "esc":
		r.prompt = nil
		if !p.command && f != nil {
			f.setFilter(p.before)
		}
		return nil
	case "enter":
		r.prompt = nil
		if p.command {
			return r.command(p.text())
		}
		return nil
	case "tab":
		if p.command {
			p.set(complete(p.text(), r.verbs()))
		}
		return nil
	}
	if p.line.key(k) && !p.command && f != nil {
		f.setFilter(p.text())
	}
	return nil
}

func (r *root) promptView(w int) string {
	p := r.prompt
	if !p.command {
		return fit(r.theme.key.Render("/")+p.view(r.theme, w-1)+r.faint.Render("  enter keeps · esc undoes"), w)
	}
	var hits []string
	for _, v := range r.verbs() {
		if strings.HasPrefix(v.name, p.text()) || strings.HasPrefix(p.text(), v.name+" ") {
			hits = append(hits, strings.TrimSpace(v.name+" "+v.args))
		}
	}
	return fit(r.theme.key.Render(":")+p.view(r.theme, w-1)+r.faint.Render("  "+strings.Join(hits, " · ")), w)
}

// verb is a command of the palette.
type verb struct {
	name, args string
	run        func(arg string) tea.Cmd
}

func (r *root) verbs() []verb {
	tab := func(n int) func(string) tea.Cmd { return func(string) tea.Cmd { return r.show(n) } }
	verbs := []verb{
		{"status", "", tab(0)},
		{"list", "", tab(1)},
		{"backup", "[JOB]", r.onJob(func(j Job) tea.Cmd { return askBackup(r.shared, j) })},
		{"verify", "ID|latest", r.onSet(func(s backup.Set) tea.Cmd { return askProve(r.shared, ProveReadable, s) })},
		{"drill", "ID|latest", r.onSet(func(s backup.Set) tea.Cmd { return askProve(r.shared, ProveRestored, s) })},
		{"hold", "ID|latest", r.onSet(func(s backup.Set) tea.Cmd { return askHold(r.shared, s) })},
		{"acknowledge", "ID", r.onSet(func(s backup.Set) tea.Cmd { return askAcknowledge(r.shared, s) })},
		{"restore", "ID|latest", r.onSet(func(s backup.Set) tea.Cmd { return askRestore(r.shared, s) })},
		{"undo", "DATABASE", r.verbUndo},
		{"show", "ID|latest", r.onSet(func(s backup.Set) tea.Cmd { return r.post(pushMsg{newDetails(r.shared, s)}) })},
		{"prune", "[JOB]", r.onJob(func(j Job) tea.Cmd { return askRetention(r.shared, j) })},
		{"attach", "", func(string) tea.Cmd {
			if why := r.noRun(); why != "" {
				return say(toneWarn, why)
			}
			return r.attach()
		}},
		{"help", "", func(string) tea.Cmd { return r.help() }},
		{"quit", "", func(string) tea.Cmd { return tea.Quit }},
	}
	for i, t := range r.tabs {
		verbs = append(verbs, verb{name: strings.ToLower(t.name()), args: "", run: tab(i)})
	}
	sort.SliceStable(verbs, func(i, j int) bool { return verbs[i].name < verbs[j].name })
	return verbs
}

func complete(text string, verbs []verb) string {
	for _, v := range verbs {
		if strings.HasPrefix(v.name, text) {
			return v.name + strings.Repeat(" ", min(1, len(v.args)))
		}
	}
	return text
}

func (r *root) command(text string) tea.Cmd {
	name, arg, _ := strings.Cut(strings.TrimSpace(text), " ")
	if name == "" {
		return nil
	}
	for _, v := range r.verbs() {
		if v.name == name {
			return v.run(strings.TrimSpace(arg))
		}
	}
	return say(toneWarn, fmt.Sprintf("no command %q; : then tab completes", clean(name)))
}

// onJob looks a job up by its name, or by a database that no other job has; "" is the only one.
func (r *root) onJob(then func(Job) tea.Cmd) func(string) tea.Cmd {
	return func(arg string) tea.Cmd {
		var of []Job
		for _, j := range r.Jobs {
			switch {
			case arg != "" && arg == cmp.Or(j.Subject, j.Name):
				return then(j)
			case arg == "", j.Database == arg:
				of = append(of, j)
			}
		}
		if len(of) == 1 {
			return then(of[0])
		}
		return say(toneWarn, "name a configured job, or a database that one job backs up")
	}
}

// verbUndo puts back what a restore replaced: of the named database, or of the only one.
func (r *root) verbUndo(name string) tea.Cmd {
	if name == "" && len(r.Jobs) == 1 {
		name = r.Jobs[0].Database
	}
	if name == "" {
		return say(toneWarn, "undo: name the live database")
	}
	return askUndo(r.shared, RestoreRequest{Swap: name}, nil)
}

// onSet looks a set up by its id, the beginning of one, or "latest".
func (r *root) onSet(then func(backup.Set) tea.Cmd) func(string) tea.Cmd {
	return func(id string) tea.Cmd {
		want, address := backup.Wanted{ID: id}, backup.Address{}
		if a, whole := backup.ParseAddress(id); whole {
			want.ID, address = a.ID, a
		}
		var sets []backup.Set
		for _, s := range r.sets.value { // another host's set has to be said: its ID may be one of ours
			if address.ID == "" && r.ours(&s) || address.ID != "" && s.Scope() == address.Scope() {
				sets = append(sets, s)
			}
		}
		found := backup.Candidates(sets, want)
		if want.ID == backup.Latest && len(found) > 0 {
			return then(*found[0])
		}
		switch set, err := backup.One(found, want); {
		case err != nil:
			return say(toneWarn, clean(err.Error()))
		case set != nil:
			return then(*set)
		}
		return say(toneWarn, fmt.Sprintf("no backup %q", clean(id)))
	}
}
