// The accessible console: numbered menus, line by line, nothing repainted, for screen readers and
// for terminals that can do nothing else. The same judgements, dialogs and wizard as on screen;
// what changes something wants the word yes.

package ui

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/readable"
)

// talkWidth is where lines are wrapped; talkRows how many rows a list shows.
const (
	talkWidth = 76
	talkRows  = 20
)

// talk is the accessible console.
type talk struct {
	*shared
	in    *bufio.Scanner
	out   io.Writer
	ended bool // no more input
}

// RunAccessible talks until the person leaves, in ends, or ctx is over (seen at the next line).
func RunAccessible(ctx context.Context, o Options, in io.Reader, out io.Writer) error {
	o = o.withDefaults()
	o.Look.NoColor = true
	sh := &shared{Options: o, theme: newTheme(true).unbroken(), now: o.Now(), asked: map[string]bool{}}
	t := &talk{shared: sh, in: bufio.NewScanner(in), out: out}
	first := "pgbtui on " + orUnknown(o.Identity.Host) + " " + clean(o.Identity.Cluster) + " " +
		strings.ToUpper(clean(o.Identity.Label))
	if over := o.Identity.overridden(); over != "" {
		first += ": " + over
	}
	t.say(first)
	t.menu(ctx, "What now?", "Leave", func() []choice {
		return []choice{
			{"Overview", t.overview},
			{"Backups", t.backups},
			{"Runs", t.runList},
			{"Timers", t.timerList},
			{"Journal", t.journal},
			{"Back up a database", t.backUp},
			{"Retention: what would be deleted, and why", t.retention},
			{"Doctor: what backups and restores stand on", t.doctor},
		}
	})
	t.read(ctx)
	t.say(strings.TrimSuffix(goesOn(t.liveRuns()), "\n"))
	return ctx.Err()
}

// choice is one line of a menu.
type choice struct {
	text string
	do   func(ctx context.Context)
}

// menu asks until zero.
func (t *talk) menu(ctx context.Context, question, leave string, choices func() []choice) {
	for ctx.Err() == nil && !t.ended {
		all := choices()
		t.say("")
		for i, c := range all {
			t.say(fmt.Sprintf("%d. %s", i+1, c.text))
		}
		t.say("0. " + leave)
		n, err := strconv.Atoi(t.ask(question))
		switch {
		case t.ended || err == nil && n == 0:
			return
		case err != nil || n < 0 || n > len(all):
			t.say("Please type a number from the list.")
		default:
			all[n-1].do(ctx)
		}
	}
}

// say prints lines, without colours and safe.
func (t *talk) say(lines ...string) {
	for _, l := range lines {
		for _, part := range strings.Split(l, "\n") {
			text := strings.TrimRight(ansi.Strip(filterLine(part, t.Look.ASCII)), " ")
			_, _ = fmt.Fprintln(t.out, text)
		}
	}
}

// ask prints a question and reads a line; "" at the end of input.
func (t *talk) ask(question string) string {
	_, _ = fmt.Fprint(t.out, clean(question)+" ")
	if !t.in.Scan() {
		t.ended = true
		return ""
	}
	return strings.TrimSuffix(t.in.Text(), "\r")
}

func (t *talk) fails(err error) { t.say(t.wrap("FAIL "+errorLine(err), talkWidth)...) }

// read asks every source once, and keeps what it had where one fails.
func (t *talk) read(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	t.now = t.Now()
	sets := setsMsg{err: t.missing("catalogue")}
	runs := runsMsg{err: t.missing("units")}
	timers := timersMsg{err: t.missing("timers")}
	if o := t.Sources.Objectives; o != nil {
		t.goals.put(t.now, o.Objectives(ctx), nil)
	}
	if c := t.Sources.Catalogue; c != nil {
		sets, _ = readSets(c)(ctx).(setsMsg)
	}
	if u := t.Sources.Units; u != nil {
		runs, _ = watchUnits(u)(ctx).(runsMsg)
	}
	if x := t.Sources.Timers; x != nil {
		timers, _ = readTimers(x)(ctx).(timersMsg)
	}
	t.sets.put(t.now, sets.sets, sets.err)
	t.shared.runs.put(t.now, runs.runs, runs.err)
	t.timers.put(t.now, timers.timers, timers.err)
	told := toldMsg{err: t.Sources.Missing["told"]}
	if x := t.Sources.Told; x != nil { // after the sets, which it is held against
		told, _ = readTold(x)(ctx).(toldMsg)
	}
	t.told.put(t.now, told.open, told.err)
	if x := t.Sources.Coverage; x != nil {
		t.cover.put(t.now, x.Uncovered(ctx), nil)
	}
	for _, err := range []error{sets.err, runs.err, timers.err, told.err} {
		if err != nil {
			t.fails(err)
		}
	}
}

func (t *talk) overview(ctx context.Context) {
	t.read(ctx)
	for _, d := range assess(t.shared) {
		text := d.mark.text() + ", database " + clean(d.title) + ": "
		switch {
		case !d.known:
			text += "not known whether it can be recovered"
		case d.newest == nil:
			text += "cannot be recovered"
		default:
			text += "recoverable to " + when(t.Zone, d.recoverTo()) + ", " + ago(t.now, d.newest.FinishedAt) + ", proof " +
				proofText(t.shared, d.newest) + ", restore time " + restoreTimeText(t.shared, d.newest)
		}
		t.say(text)
		for _, p := range d.problems {
			t.say("   "+p.mark.text()+": "+p.what, "   To do: "+p.remedy)
		}
	}
	for _, p := range hostProblems(t.shared) {
		t.say(p.mark.text()+", "+p.subject+": "+p.what, "   To do: "+p.remedy)
	}
	for _, r := range t.liveRuns() {
		t.say("Running: " + t.runTitle(r) + ", " + cmp.Or(clean(r.Status), string(r.State)))
	}
}

func (t *talk) backups(ctx context.Context) {
	t.read(ctx)
	screen := newBackups(t.shared)
	t.menu(ctx, "Which backup?", "Back", func() []choice {
		var all []choice
		for i, s := range screen.shown() {
			if i == talkRows {
				break
			}
			level, _ := s.Proven()
			all = append(all, choice{
				fmt.Sprintf("%s, %s, finished %s, %s, proof %s", setMark(s).text(), orUnknown(s.Database),
					when(t.Zone, s.FinishedAt), readable.Size(s.StoredSize), level),
				func(ctx context.Context) { t.details(ctx, *s) },
			})
		}
		return all
	})
}

func (t *talk) details(ctx context.Context, s backup.Set) {
	d := newDetails(t.shared, s)
	if t.Sources.Catalogue != nil && s.Manifest != nil {
		d.contents, d.err = t.Sources.Catalogue.Contents(ctx, s)
		d.have = d.err == nil
	}
	t.say(append(d.facts(talkWidth), d.holds(talkWidth)...)...)
	if s.Loss() != "" {
		t.menu(ctx, "What with it?", "Back", func() []choice {
			return []choice{
				{"Acknowledge what is lost of it", func(ctx context.Context) { askAcknowledge(t.shared, s); t.dialog(ctx) }},
			}
		})
		return
	}
	if !s.Good() {
		return
	}
	t.menu(ctx, "What with it?", "Back", func() []choice {
		all := []choice{
			{"Verify it", func(ctx context.Context) { askProve(t.shared, ProveReadable, s); t.dialog(ctx) }},
			{
				"Drill it: restore it into a server of its own, compare, remove",
				func(ctx context.Context) { askProve(t.shared, ProveRestored, s); t.dialog(ctx) },
			},
			{
				map[bool]string{true: "Release it", false: "Hold it"}[s.Hold != nil],
				func(ctx context.Context) { askHold(t.shared, s); t.dialog(ctx) },
			},
			{"Restore it into a new database", func(ctx context.Context) { t.restore(ctx, s) }},
		}
		if s.Archive.State == backup.Archived {
			all = append(all, choice{"Thaw it, so that it can be read", func(ctx context.Context) { t.thaw(ctx, s) }})
		}
		return all
	})
}

func (t *talk) runList(ctx context.Context) {
	t.read(ctx)
	screen := newRuns(t.shared)
	if src := t.Sources.History; src != nil {
		page, err := src.Ended(ctx, "")
		if screen.tookHistory(historyMsg{page: page, err: err, first: true}); err != nil {
			t.fails(err)
		}
	}
	all := screen.shown()
	for _, r := range all[:min(talkRows, len(all))] {
		t.say(runMark(r.State).text() + ", " + t.runTitle(r) + ", started " + when(t.Zone, r.StartedAt) + ", took " +
			t.duration(r))
		t.say(t.outcome(r, talkWidth)...)
	}
}

func (t *talk) timerList(ctx context.Context) {
	t.read(ctx)
	screen := newTimers(t.shared)
	for _, x := range screen.shown() {
		t.say(screen.detail(x, true, talkWidth)...)
	}
	t.say(screen.withoutTimer()...)
}

func (t *talk) journal(ctx context.Context) {
	if t.Sources.Journal == nil {
		t.fails(t.missing("journal"))
		return
	}
	page, err := t.Sources.Journal.Page(ctx, JournalQuery{MaxPriority: 7, Limit: talkRows})
	if err != nil {
		t.fails(err)
	}
	for _, e := range page.Entries {
		t.say(entryLine(t.shared, e, 200, false))
	}
}

// retention tells what a prune would do; carrying it out is left to the command line here.
func (t *talk) retention(ctx context.Context) {
	if t.Sources.Retention == nil {
		t.fails(t.missing("retention"))
		return
	}
	t.menu(ctx, "Which job?", "Back", func() []choice {
		var all []choice
		for _, j := range t.Jobs {
			all = append(all, choice{clean(cmp.Or(j.Subject, j.Name)), func(ctx context.Context) { t.plan(ctx, j) }})
		}
		return all
	})
}

func (t *talk) plan(ctx context.Context, j Job) {
	p := &retentionPage{shared: t.shared, job: j}
	if _ = p.update(readPlan(t.shared, j)(ctx)); p.err != nil {
		t.fails(p.err)
		return
	}
	t.say(p.summary(talkWidth, talkRows)...)
	for _, l := range p.shown() {
		t.say(l.mark.text() + ", " + clean(l.id) + ", " + l.age + " old, " + readable.Size(l.bytes) + ": " + clean(l.reason))
	}
	t.say("Same as " + p.cliLine())
}

func (t *talk) backUp(ctx context.Context) {
	t.menu(ctx, "Which database?", "Back", func() []choice {
		var all []choice
		for _, j := range t.Jobs {
			all = append(all, choice{clean(t.jobTitle(j)), func(ctx context.Context) { askBackup(t.shared, j); t.dialog(ctx) }})
		}
		return all
	})
}

// dialog talks through the dialog that was just posted.
func (t *talk) dialog(ctx context.Context) {
	posted := t.posted
	t.posted = nil
	if len(posted) == 0 {
		t.say("Not possible: " + t.denied())
		return
	}
	d, ok := posted[0].(boxMsg).screen.(*dialog)
	if !ok {
		return
	}
	t.say(d.title)
	for _, f := range d.facts {
		t.say(strings.TrimSpace(f[0] + " " + f[1]))
	}
	t.say("Same as " + d.cli)
	t.start(ctx, d.verb, d.do)
}

// start wants yes, asks systemd, and says what happened.
func (t *talk) start(ctx context.Context, verb string, do func(context.Context) (Started, error)) {
	if t.ask("Type yes to "+strings.ToLower(verb)+", anything else changes nothing:") != "yes" {
		t.say("Nothing was changed.")
		return
	}
	s, err := do(ctx)
	switch {
	case err != nil:
		t.fails(err)
	case s.AlreadyRunning:
		t.say(clean(s.Unit) + " was already running.")
	default:
		t.say("Started " + clean(s.Unit) + "; it runs by itself. Runs shows it.")
	}
}

func (t *talk) restore(ctx context.Context, s backup.Set) {
	w := newWizard(t.shared, s)
	p := t.Sources.Planner
	if p == nil {
		t.fails(t.missing("planner"))
		return
	}
	w.names, w.nameErr = p.Databases(ctx)
	t.say("Parts of it, or in the place of a live database: pgbtui restore --help")
	w.target.set(t.ask("Name of the new database:"))
	if why := w.badTarget(); why != "" {
		t.say("Not possible: " + why)
		return
	}
	if w.hasGlobals() {
		w.want.Globals = t.ask("Create missing roles too, by name only, yes or no:") == "yes"
	}
	plan, err := p.Preflight(ctx, w.request())
	w.preflight.got(planMsg{plan, err})
	t.say("Checks:")
	checks, rest := w.preflight.lines(t.shared, talkWidth)
	t.say(append(checks, rest...)...)
	t.say("Same as " + restoreLine(t.shared, w.request()))
	if why := w.dead(); why != "" {
		t.fails(errors.New("not possible: " + why))
		return
	}
	t.start(ctx, "Restore",
		func(ctx context.Context) (Started, error) { return t.Write.Actions.Restore(ctx, w.request()) })
}
