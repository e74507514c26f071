// The root: it owns the size, the clock, the stack of screens and the toast line, and routes
// messages. What a screen shows is the screen's affair.

package ui

import (
	"context"
	"time"

	tea "github.com/charmbracelet/bubbletea"
)

type root struct {
	*shared
	ctx    context.Context
	w, h   int
	tabs   []screen
	tab    int
	pages  []layer // above the tab
	boxes  []layer // above everything
	leave  context.CancelFunc
	toast  toastMsg
	until  time.Time // the toast goes
	prompt *prompt
	frozen time.Time
	held   []answer
	ticks  ticker
	copyTo func(text string) tea.Cmd

	hasShell  bool            // that can bring a suspended console back
	drawn     <-chan struct{} // closed once the first frame is on the terminal; nil: nobody looks
	smallHelp bool            // ? was pressed below the smallest size
}

// layer is a screen with the cancel of what it asked for.
type layer struct {
	screen
	leave context.CancelFunc
}

func newRoot(ctx context.Context, o Options) *root {
	o = o.withDefaults()
	sh := &shared{Options: o, theme: newTheme(o.Look.NoColor), now: o.Now(), asked: map[string]bool{}}
	r := &root{shared: sh, ctx: ctx, w: 80, h: 24}
	r.copyTo = clipboard(o.Output, o.Env)
	r.tabs = []screen{
		newOverview(sh), newBackups(sh), newRuns(sh), newTimers(sh), newJournal(sh, JournalQuery{}),
		newBucket(sh), newDoctor(sh),
	}
	return r
}

// Init reads everything once and shows the first screen.
func (r *root) Init() tea.Cmd {
	return tea.Batch(behind(r.drawn, tea.Batch(r.readAll(), r.enterTab())), r.schedule())
}

// Update routes; nothing here waits for anything.
func (r *root) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	var cmds []tea.Cmd
	for _, one := range r.typedFast(msg) {
		cmds = append(cmds, r.route(one))
		for len(r.posted) > 0 {
			one, r.posted = r.posted[0], r.posted[1:]
			cmds = append(cmds, r.route(one))
		}
	}
	return r, tea.Batch(append(cmds, r.schedule())...)
}

func (r *root) route(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		r.resize(msg.Width, msg.Height)
	case tea.KeyMsg:
		r.now = r.clock()
		return r.key(msg)
	case answer:
		return r.answered(msg)
	case tickMsg:
		return r.tick(msg)
	case tea.ResumeMsg:
		r.now = r.clock()
		return tea.ClearScreen
	case watchAgainMsg:
		return r.watchUnits()
	case toastMsg:
		r.toast, r.until = msg, r.Now().Add(toastFor)
	case gotoMsg:
		return r.show(int(msg))
	case filterMsg:
		if f, ok := r.page().(filterable); ok {
			f.setFilter(string(msg))
		}
	case pushMsg:
		return r.push(msg.screen)
	case replaceMsg:
		r.closeBoxes()
		return r.push(msg.screen)
	case boxMsg:
		return r.box(msg.screen)
	case rereadMsg:
		return r.readSets()
	case popMsg:
		if msg.of == r.top() {
			return r.pop()
		}
	default:
		return r.top().update(msg)
	}
	return nil
}

// answered drops what is stale and holds live updates back while the screen is frozen.
func (r *root) answered(a answer) tea.Cmd {
	if a.id != a.from.id {
		return nil
	}
	if a.live && !r.frozen.IsZero() {
		r.held = append(r.held, a)
		return nil
	}
	r.now = r.clock()
	return a.to(a.msg)
}

// clock stands still while the screen is frozen.
func (r *root) clock() time.Time {
	if !r.frozen.IsZero() {
		return r.frozen
	}
	return r.Now()
}

// resize counts a pty that knows no size as 80x24.
func (r *root) resize(w, h int) {
	if w <= 0 || h <= 0 {
		w, h = 80, 24
	}
	r.w, r.h = w, h
}

func (r *root) top() screen {
	if n := len(r.boxes); n > 0 {
		return r.boxes[n-1].screen
	}
	return r.page()
}

// page is the topmost thing that fills the body.
func (r *root) page() screen {
	if n := len(r.pages); n > 0 {
		return r.pages[n-1].screen
	}
	return r.tabs[r.tab]
}

func (r *root) enterTab() tea.Cmd {
	if r.leave != nil {
		r.leave()
	}
	ctx, cancel := context.WithCancel(r.ctx)
	r.leave = cancel
	return r.tabs[r.tab].enter(ctx)
}

func (r *root) open(s screen) (layer, tea.Cmd) {
	ctx, cancel := context.WithCancel(r.ctx)
	return layer{s, cancel}, s.enter(ctx)
}

func (r *root) push(s screen) tea.Cmd {
	l, cmd := r.open(s)
	r.pages = append(r.pages, l)
	return cmd
}

func (r *root) box(s screen) tea.Cmd {
	if _, twice := r.top().(*dialog); twice {
		if _, also := s.(*dialog); also {
			return nil // a key that was pressed twice opens one dialog
		}
	}
	l, cmd := r.open(s)
	r.boxes = append(r.boxes, l)
	return cmd
}

func (r *root) closeBoxes() {
	for _, b := range r.boxes {
		b.leave()
	}
	r.boxes = nil
}

// show leaves everything above the tabs and shows tab n.
func (r *root) show(n int) tea.Cmd {
	if n < 0 || n >= len(r.tabs) {
		return nil
	}
	r.closeBoxes()
	for _, p := range r.pages {
		p.leave()
	}
	r.pages = nil
	r.tab = n
	r.prompt = nil
	return r.enterTab()
}

// pop closes the topmost box, page, or tab other than the first.
func (r *root) pop() tea.Cmd {
	if n := len(r.boxes); n > 0 {
		r.boxes[n-1].leave()
		r.boxes = r.boxes[:n-1]
		return nil
	}
	if n := len(r.pages); n > 0 {
		r.pages[n-1].leave()
		r.pages = r.pages[:n-1]
		return nil
	}
	if r.tab != 0 {
		return r.show(0)
	}
	return nil
}
