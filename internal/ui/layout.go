// Where things are: line 1 identity and health, line 2 tabs, the body, one line for toast or
// prompt, last the five most useful keys. Boxes lie over a dimmed body.

package ui

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// Sizes of the terminal contract.
const (
	minWidth, minHeight = 60, 15
	wideWidth           = 120
	tableWidth          = 76 // from which a list has all its columns
)

func (r *root) tooSmall() bool { return r.w < minWidth || r.h < minHeight }

// View draws the whole screen.
func (r *root) View() string {
	if r.tooSmall() {
		return frame(r.notice(), r.w, r.h, r.Look.ASCII)
	}
	h := r.h - 4
	body := frame(r.page().view(r.w, h), r.w, h, false)
	for _, b := range r.boxes {
		body = r.overlay(body, b.view(r.w, h))
	}
	all := []string{r.header(), r.tabLine(), body, r.toastLine(), r.footer()}
	return frame(strings.Join(all, "\n"), r.w, r.h, r.Look.ASCII)
}

func (r *root) notice() string {
	lines := []string{
		fmt.Sprintf("The terminal is %dx%d;", r.w, r.h),
		fmt.Sprintf("pgbtui needs %dx%d.", minWidth, minHeight),
		"Make it larger, or:", "q leave, runs continue", "? all keys",
	}
	if r.smallHelp {
		lines = []string{"q, ctrl+c  leave", "ctrl+z  suspend", "?  back", "pgbtui status", "prints the state"}
	}
	return strings.Join(lines[:min(len(lines), max(1, r.h))], "\n")
}

// header gives way in this order when the line is short: the health's words, the cluster. Host,
// label, the badge and the health's mark stay.
func (r *root) header() string {
	left, right := r.identity(true), r.health(true)
	if b := r.badge(); b != "" {
		right = b + "  " + right
		if ansi.StringWidth(left)+ansi.StringWidth(right)+2 > r.w {
			right = b + "  " + r.health(false)
		}
	}
	if ansi.StringWidth(left)+ansi.StringWidth(right)+2 > r.w {
		left = r.identity(false)
	}
	return ends(left, right+" ", r.w)
}

func (r *root) identity(withCluster bool) string {
	id := r.Identity
	parts := []string{r.bold.Render("pgbtui")}
	if id.Host != "" {
		parts = append(parts, clean(id.Host))
	}
	if id.Cluster != "" && withCluster {
		parts = append(parts, clean(id.Cluster))
	}
	left := " " + strings.Join(parts, r.faint.Render(" · "))
	switch {
	case strings.EqualFold(id.Label, "production"):
		left += "  " + r.alarm.Render(" "+strings.ToUpper(clean(id.Label))+" ")
	case id.Label != "":
		left += "  " + r.reverse.Render(" "+clean(id.Label)+" ")
	}
	if r.denied() != "" {
		left += " " + r.faint.Render("READ-ONLY")
	}
	if over := id.overridden(); over != "" {
		left += " " + r.warn.Render(over)
	}
	return left
}

// overridden says that this console sees another world than the units, as the first line has room for it.
func (id Identity) overridden() string {
	switch len(id.Overridden) {
	case 0:
		return ""
	case 1:
		return "your " + clean(id.Overridden[0]) + ", not the units'"
	}
	return fmt.Sprintf("your %s and %d more, not the units'", clean(id.Overridden[0]), len(id.Overridden)-1)
}

// health is the worst of all databases and of this host, in words or as its mark alone.
func (r *root) health(words bool) string {
	all := assess(r.shared)
	worst, names, read := worst(r.shared, all)
	if r.sets.unread() || !read && (worst.rank == 0 || worst == markUnknown) {
		return r.faint.Render("reading …")
	}
	if len(all) == 0 && worst.rank == 0 {
		worst = markUnknown
	}
	switch {
	case len(all) == 0 || !words:
	case worst.rank == 0:
		return r.mark(worst) + r.good.Render(" all recoverable")
	case len(names) == 1:
		return r.mark(worst) + " " + ansi.Truncate(names[0], 16, "…")
	case len(names) < len(all):
		return r.mark(worst) + fmt.Sprintf(" %d of %d", len(names), len(all))
	}
	return r.mark(worst)
}

// ends puts left and right at the two ends of w cells; the left gives way.
func ends(left, right string, w int) string {
	rw := ansi.StringWidth(right)
	if rw >= w {
		return fit(right, w)
	}
	return fit(left, w-rw) + right
}

func (r *root) tabLine() string {
	line := r.tabsAndPages(0)
	if ansi.StringWidth(line) > r.w {
		line = r.tabsAndPages(shortTab)
	}
	right := ""
	if !r.frozen.IsZero() {
		right = r.warn.Render("FROZEN "+r.frozen.In(r.Zone).Format("15:04:05")) + " "
	}
	return ends(line, right, r.w)
}

// shortTab is what is left of a tab's name where there is no room.
const shortTab = 4

// tabsAndPages are the tabs, with names of at most so many letters (0: whole) but for the one that is shown, and the
// pages above it.
func (r *root) tabsAndPages(letters int) string {
	var b strings.Builder
	for i, t := range r.tabs {
		name := t.name()
		if i == r.tab {
			b.WriteString(r.theme.tab.Render(fmt.Sprintf(" %d %s ", i+1, name)))
			continue
		}
		if letters > 0 {
			name = ansi.Truncate(name, letters, "")
		}
		b.WriteString(r.faint.Render(fmt.Sprintf(" %d %s ", i+1, name)))
	}
	for _, p := range r.pages {
		b.WriteString(r.faint.Render(" ▸ ") + r.bold.Render(clean(p.name())))
	}
	return b.String()
}

func (r *root) toastLine() string {
	if r.prompt != nil {
		return " " + r.promptView(r.w-1)
	}
	if r.toast.text != "" {
		return " " + fit(r.style(r.toast.tone).Render(ansi.Strip(r.toast.text)), r.w-1)
	}
	if f, ok := r.page().(filterable); ok && f.filterText() != "" && len(r.boxes) == 0 {
		return " " + fit(r.warn.Render("filter: "+clean(f.filterText()))+r.faint.Render("  esc clears it"), r.w-1)
	}
	return ""
}

// footer shows the first five keys of the table that are on, and how to see all.
func (r *root) footer() string {
	all := r.theme.key.Render("?") + r.faint.Render(" all keys ")
	if t, ok := r.top().(typist); (ok && t.typing()) || r.prompt != nil {
		all = "" // ? is text now
	}
	room := r.w - ansi.StringWidth(all) - 1
	left, n := "", 0
	for _, b := range r.top().keys() {
		if b.short == "" || b.off != "" || n == 5 {
			continue
		}
		next := left + " " + r.theme.key.Render(b.name()) + " " + r.plain.Render(b.short) + " "
		if ansi.StringWidth(next) > room {
			break
		}
		left, n = next, n+1
	}
	return ends(left, all, r.w)
}

// overlay lays a box over the middle of a dimmed body.
func (r *root) overlay(body, box string) string {
	lines, rows := strings.Split(body, "\n"), strings.Split(box, "\n")
	w := 0
	for _, row := range rows {
		w = max(w, ansi.StringWidth(row))
	}
	x, y := max(0, (r.w-w)/2), max(0, (len(lines)-len(rows))/2)
	for i, l := range lines {
		plain := fit(ansi.Strip(l), r.w)
		if i < y || i >= y+len(rows) {
			lines[i] = r.faint.Render(plain)
			continue
		}
		left, right := fit(ansi.Truncate(plain, x, ""), x), ansi.TruncateLeft(plain, x+w, "")
		if x < 8 {
			left, right = strings.Repeat(" ", x), "" // scraps of words help nobody
		}
		lines[i] = r.faint.Render(left) + fit(rows[i-y], w) + r.faint.Render(right)
	}
	return strings.Join(lines, "\n")
}

// boxed draws a border with a title around lines of inner width w.
func (t theme) boxed(title string, lines []string, w int, edge tone) string {
	e := t.style(edge)
	head := e.Render("┌─ ") + t.bold.Render(title) +
		e.Render(" "+strings.Repeat("─", max(0, w-ansi.StringWidth(title)-1))+"┐")
	out := []string{head}
	for _, l := range lines {
		out = append(out, e.Render("│")+" "+fit(l, w)+" "+e.Render("│"))
	}
	return strings.Join(append(out, e.Render("└"+strings.Repeat("─", w+2)+"┘")), "\n")
}

// wrap breaks plain text at blanks into lines of at most w cells, and longer words where they
// must. Hyphens stay: an option cut in two could not be copied.
func wrap(s string, w int) []string { return wrapped(s, w, false) }

// unbroken is the theme for text that is read aloud or searched: a path stays one word.
func (t theme) unbroken() theme {
	t.whole = true
	return t
}

func (t theme) wrap(s string, w int) []string { return wrapped(s, w, t.whole) }

func wrapped(s string, w int, whole bool) []string {
	w = max(2, w)
	lines := []string{""}
	for i, word := range strings.Split(s, " ") {
		last := &lines[len(lines)-1]
		switch {
		case i > 0 && cells(*last)+1+cells(word) <= w:
			*last += " " + word
			continue
		case i > 0:
			lines = append(lines, "")
		}
		for cells(word) > w && !whole {
			head := ansi.Truncate(word, w, "")
			lines[len(lines)-1] = head
			lines = append(lines, "")
			word = strings.TrimPrefix(word, head)
		}
		lines[len(lines)-1] = word
	}
	return lines
}
