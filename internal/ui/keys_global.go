// Keys that work everywhere, and the order in which a key is offered: what types text, the top
// screen's table, the table below.

package ui

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"
)

func (r *root) key(k tea.KeyMsg) tea.Cmd {
	name := k.String()
	switch {
	case name == "ctrl+c":
		return tea.Quit
	case name == "ctrl+z":
		return r.suspend()
	case r.tooSmall() && name == "q":
		return tea.Quit
	case r.tooSmall() && name == "?":
		return r.help()
	case r.tooSmall():
		return nil
	case r.prompt != nil:
		return r.promptKey(k)
	}
	if t, ok := r.top().(typist); ok {
		if cmd, taken := t.typed(k); taken {
			return cmd
		}
	}
	r.toast, r.until = toastMsg{}, time.Time{}
	b := match(r.top().keys(), name)
	if b == nil {
		b = match(r.globals(), name)
	}
	switch {
	case b == nil:
		return nil
	case b.off != "":
		return say(toneWarn, b.name(), ": ", b.off)
	}
	return b.run()
}

// fastKeys is how many keys a slow link brings at once from a person. More is a paste, of which a
// screen of keys takes nothing.
const fastKeys = 8

// typedFast takes keys apart that came in one packet. Text stays whole where text is typed.
func (r *root) typedFast(msg tea.Msg) []tea.Msg {
	k, ok := msg.(tea.KeyMsg)
	t, typing := r.top().(typist)
	if !ok || k.Type != tea.KeyRunes || k.Paste || k.Alt || len(k.Runes) > fastKeys || r.prompt != nil ||
		typing && t.typing() {
		return []tea.Msg{msg}
	}
	var keys []tea.Msg
	for _, one := range k.Runes {
		keys = append(keys, tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune{one}})
	}
	return keys
}

// globals is the key table of the shell.
func (r *root) globals() []binding {
	boxed := ""
	if len(r.boxes) > 0 {
		boxed = "close the box first"
	}
	return append(r.tabKeys(boxed), []binding{
		{keys: []string{"a"}, help: "go to the run in progress", run: r.attach, off: cmp.Or(boxed, r.noRun())},
		{keys: []string{"r"}, help: "read everything again", run: r.refresh, off: boxed},
		{
			keys: []string{"/"}, help: "filter this list, or search this page", run: r.promptFilter,
			off: cmp.Or(boxed, r.noFilter()),
		},
		{keys: []string{"n"}, label: "n N", help: "next and previous match", run: r.jump(1), off: r.noFilter()},
		{keys: []string{"N"}, run: r.jump(-1), off: r.noFilter()},
		{keys: []string{":"}, help: "command line that takes pgbtui's verbs", run: r.promptCommand, off: boxed},
		{keys: []string{" "}, label: "space", help: "freeze live updates, and resume", run: r.freeze},
		{
			keys: []string{"y"}, help: "copy the id or text of what is selected (OSC 52)", run: r.copyKey(false),
			off: r.noCopy(false),
		},
		{
			keys: []string{"Y"}, help: "copy the command line that does what is on screen", run: r.copyKey(true),
			off: r.noCopy(true),
		},
		{keys: []string{"?"}, help: "all keys of this screen", run: r.help},
		{keys: []string{"esc"}, help: "undo the latest of prompt, filter, box, page", run: r.escape},
		{keys: []string{"q"}, help: "leave; runs continue without the console", run: func() tea.Cmd { return tea.Quit }},
		{keys: []string{"ctrl+z"}, help: "suspend the console; fg brings it back", off: r.noShell(), run: r.suspend},
	}...)
}

// suspend stops the console as ctrl+z does everywhere, if somebody can bring it back.
func (r *root) suspend() tea.Cmd {
	if why := r.noShell(); why != "" {
		return say(toneWarn, "ctrl+z: ", why)
	}
	return tea.Suspend
}

func (r *root) noShell() string {
	if !r.hasShell {
		return "no shell to come back to"
	}
	return ""
}

func (r *root) tabKeys(boxed string) []binding {
	var table []binding
	var names []string
	for i, t := range r.tabs {
		names = append(names, t.name())
		table = append(table, binding{
			keys: []string{strconv.Itoa(i + 1)}, off: boxed,
			run: func() tea.Cmd { return r.show(i) },
		})
	}
	table[0].label, table[0].help = "1-"+strconv.Itoa(len(names)), strings.Join(names, ", ")
	return table
}

func (r *root) noRun() string {
	if len(r.liveRuns()) == 0 {
		return "nothing is running"
	}
	return ""
}

func (r *root) attach() tea.Cmd {
	live := r.liveRuns()
	if v, ok := r.page().(*runView); ok {
		for i, l := range live {
			if l.Unit == v.unit {
				r.closeBoxes()
				_ = r.pop()
				return r.push(newRunView(r.shared, live[(i+1)%len(live)].Unit))
			}
		}
	}
	return r.push(newRunView(r.shared, live[0].Unit))
}

func (r *root) refresh() tea.Cmd {
	return tea.Batch(r.readSets(), r.readTimers(), r.readTold(), r.readCover(), r.watchUnits(), r.reenter(),
		r.post(toastMsg{readingAgain, toneFaint}))
}

// readingAgain stays until the bucket has answered.
const readingAgain = "reading again …"

// reenter lets the page in front read its own things again.
func (r *root) reenter() tea.Cmd {
	if len(r.pages) == 0 {
		return r.enterTab()
	}
	l := &r.pages[len(r.pages)-1]
	if _, wizard := l.screen.(stepper); wizard {
		return nil
	}
	l.leave()
	var cmd tea.Cmd
	*l, cmd = r.open(l.screen)
	return cmd
}

func (r *root) noFilter() string {
	if _, ok := r.top().(filterable); !ok {
		return "nothing to filter here"
	}
	return ""
}

func (r *root) jump(by int) func() tea.Cmd {
	return func() tea.Cmd {
		r.top().(filterable).jump(by)
		return nil
	}
}

func (r *root) noCopy(line bool) string {
	c, ok := r.top().(copier)
	if !ok || (line && c.cliLine() == "") || (!line && c.copyText() == "") {
		return "nothing to copy here"
	}
	return ""
}

func (r *root) copyKey(line bool) func() tea.Cmd {
	return func() tea.Cmd {
		c := r.top().(copier)
		text := c.copyText()
		if line {
			text = c.cliLine()
		}
		return r.copyTo(text)
	}
}

func (r *root) help() tea.Cmd {
	if _, open := r.top().(*helpBox); open {
		return r.pop()
	}
	if r.smallHelp = r.tooSmall() && !r.smallHelp; r.tooSmall() {
		return nil
	}
	return r.box(newHelp(r.shared, r.top(), r.globals()))
}

// escape undoes the most recent thing.
func (r *root) escape() tea.Cmd {
	if len(r.boxes) > 0 {
		return r.pop()
	}
	if f, ok := r.top().(filterable); ok && f.filterText() != "" {
		f.setFilter("")
		return nil
	}
	if s, ok := r.top().(stepper); ok && s.back() {
		return nil
	}
	return r.pop()
}

// badge is the header's word on runs going on.
func (r *root) badge() string {
	switch live := r.liveRuns(); {
	case len(live) == 0:
		return ""
	case len(live) == 1:
		return r.busy.Render(fmt.Sprintf("▶ %s running", live[0].Action)) + r.keyCap("a")
	default:
		return r.busy.Render(fmt.Sprintf("▶ %d running", len(live))) + r.keyCap("a")
	}
}

func (r *root) keyCap(k string) string { return " [" + r.theme.key.Render(k) + "]" }
