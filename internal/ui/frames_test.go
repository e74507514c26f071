package ui_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/exp/golden"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/ui"
	"codeberg.org/pgbtui/pgbtui/internal/ui/uitest"
)

// shot is one screen: its name, the keys that lead to it, and a text that is there once its data is.
type shot struct {
	name string
	keys []string
	show string
}

// shots are the screens and how to get there; the text says that its data has arrived.
var shots = []shot{
	{"overview", nil, "FAIL"},
	{"backups", []string{"2"}, "BACKUPS"},
	{"details", []string{"2", "enter"}, "BACKUP"},
	{"retention", []string{"2", "p"}, "days 10"},
	{"prune", []string{"2", "p", "D"}, "Type 5"},
	{"wrong", []string{"w"}, "3 shows the run"},
	{"runs", []string{"3"}, "older ones follow"},
	{"runs-older", []string{"3", "G", "G", "k", "k"}, "RUNS"},
	{"run", []string{"3", "j", "enter"}, "ERR"},
	{"timers", []string{"4"}, "TIMERS"},
	{"journal", []string{"5"}, "info"},
	{"bucket", []string{"6"}, "COST A MONTH"},
	{"bucket-setup", []string{"6", "G"}, "ARCHIVED"},
	{"bucket-if", []string{"6", "f", "keep.days=90 class=GLACIER_IR", "enter"}, "if keep.days=90"},
	{"bucket-archived", []string{"6", "t"}, "archived"},
	{"restore-way", []string{"2", "R", "down"}, "with what they need"},
	{"restore-pick", []string{"2", "R", "down", "enter", "j", " ", "j", " "}, "[x]"},
	{"restore-target", []string{"2", "R", "enter"}, "free"},
	{"restore-options", []string{"2", "R", "enter", "enter"}, "OPTIONS"},
	{"restore-plan", []string{"2", "R", "enter", "enter", "enter"}, "all passed"},
	{"restore-part", []string{"2", "R", "down", "enter", "j", "j", "j", " ", "enter", "enter", "enter"}, "all passed"},
	{"replace-refused", []string{"2", "R", "up", "enter", "enter", "enter"}, "a check failed"},
	{"replace", []string{"2", "R", "up", "enter", "enter", "right", "enter", "sales"}, "enter: replace"},
	{"replaced", []string{"2", "R", "up", "enter", "enter", "right", "enter", "sales", "enter"}, "rows compared"},
	{"rows", []string{"2", "R", "down", "down", "enter", "j", "j", "j", " ", "enter", "enter", "sales"}, "enter: put rows in"},
	{"undo", []string{":", "undo crm", "enter"}, "a check failed"},
	{"backup-dialog", []string{"1", "G", "b"}, "Same as"},
	{"help", []string{"3", "?"}, "Keys of Runs"},
	{"not-whole-overview", nil, "FAIL"},
	{"not-whole", []string{"2"}, "NOT WHOLE"},
	{"not-whole-details", []string{"2", "enter"}, "NOT WHOLE"},
	{"uncovered-overview", nil, "of 5"},
	{"doctor", []string{"7"}, "nothing was looked at"},
	{"doctor-all", []string{"7", "t"}, "1 FAIL"},
	{"doctor-unit", []string{"7", "u"}, "1 FAIL"},
	{"doctor-check", []string{"7", "t", "j", "j", "enter"}, "CHECK"},
}

// notWhole is the fixture on the day after a drill of the newest set of sales found an object that cannot be created.
func notWhole(world *uitest.World) {
	s := &world.AllSets[0]
	s.Proofs = append([]backup.Proof{{
		Schema: 1, Set: s.ID, Kind: "drill", Level: backup.LevelRestored.String(), Fault: backup.FaultRestore, Objects: []string{"TABLE DATA account"},
		StartedAt: uitest.Now.Add(-30 * time.Minute), FinishedAt: uitest.Now.Add(-25 * time.Minute), Host: "db01",
		Error: `drill: the dump does not restore as a whole: TABLE DATA account: postgres: pg_restore: exit status 1: pg_restore: from TOC entry 3345; 0 16391 TABLE DATA account app; ` +
			`pg_restore: error: COPY failed for table "account": ERROR: new row for relation "account" violates check constraint "account_owner_check"`,
	}}, s.Proofs...)
}

// uncovered is the fixture on a server with two databases more, and with an objective that the drills of sales miss.
func uncovered(world *uitest.World, o *ui.Options) {
	const server = "the server of this host"
	world.NoJob = []ui.Uncovered{{Database: "analytics", Server: server}, {Database: "intranet", Server: server}}
	for i := range o.Jobs {
		if o.Jobs[i].Name == "sales" {
			o.Jobs[i].RTO = time.Minute
		}
	}
}

func (s shot) shoot(t *testing.T, look ui.Look, w, h int) string {
	t.Helper()
	keys, show := s.keys, s.show
	world := uitest.New()
	if strings.HasPrefix(s.name, "not-whole") {
		notWhole(world)
	}
	if s.name == "bucket-archived" || s.name == "bucket-setup" {
		world.Archive(world.AllSets[1].Dir, backup.Archive{State: backup.Archived})
	}
	o := world.Options()
	if s.name == "uncovered-overview" {
		uncovered(world, &o)
	}
	o.Look = look
	d := ui.Drive(t, o, w, h)
	d.Fed()
	// Each step's messages are let through before the next key.
	for _, k := range keys {
		d.Press(k)
		settle(d, k)
	}
	if show == "rows compared" {
		d.Until("replacement of sales")
		world.Ends("postgres-restore@1.service", ui.RunOK, replaced())
	}
	d.UntilIs("shows "+show, func(v string) bool { return strings.Contains(ansi.Strip(v), show) })
	if show == "rows compared" { // the page knows of the end before the line below it
		d.UntilIs("tells the end", func(v string) bool { return !strings.Contains(v, "started; leaving") })
	}
	if strings.Contains(strings.Join(keys, ""), "2enter") && !strings.Contains(strings.Join(keys, ""), "R") {
		d.UntilIs("contents are read", func(v string) bool { return !strings.Contains(v, "reading") })
	}
	return d.View()
}

// settle waits for pages and boxes that keys open by messages.
func settle(d *ui.Driver, key string) {
	switch key {
	case "p":
		d.Until("days 10")
	case "R":
		d.Until("everything, in the place")
	case "enter", "right":
		d.BucketRead()
		d.UntilIs("goes on", func(v string) bool {
			return !strings.Contains(v, "checking") && !strings.Contains(v, "the checks are still running") && !strings.Contains(v, "reading") && !strings.Contains(v, "asking systemd")
		})
	case "6":
		d.BucketRead()
	case "3", "G":
		d.PageRead()
	case "4":
		d.Until("Calendar")
	case "t", "u":
		d.UntilIs("all was tried", func(v string) bool {
			return !strings.Contains(v, "DOCTOR") || strings.Contains(ansi.Strip(v), "1 FAIL")
		})
	}
}

func TestEveryScreenLooksRightInEverySizeAndLook(t *testing.T) {
	looks := map[string]ui.Look{"colour": {}, "mono": {NoColor: true}, "ascii": {ASCII: true, NoColor: true}}
	for _, shot := range shots {
		for name, look := range looks {
			t.Run(shot.name+"-"+name, func(t *testing.T) {
				var all strings.Builder
				for _, s := range [][2]int{{60, 15}, {80, 24}, {120, 40}} {
					view := shot.shoot(t, look, s[0], s[1])
					checkFrame(t, view, s[0], s[1])
					fmt.Fprintf(&all, "--- %dx%d\n%s\n", s[0], s[1], view)
				}
				if look.ASCII && strings.ContainsFunc(all.String(), func(r rune) bool { return r > 0x7e }) {
					t.Error("an ASCII frame holds something else")
				}
				if look.NoColor && strings.Contains(all.String(), "[3") {
					t.Error("a frame without colour sets one")
				}
				golden.RequireEqual(t, []byte(all.String()))
			})
		}
	}
}

func checkFrame(t *testing.T, view string, w, h int) {
	t.Helper()
	lines := strings.Split(view, "\n")
	if len(lines) != h {
		t.Errorf("%d lines, want %d", len(lines), h)
	}
	for i, l := range lines {
		if n := ansi.StringWidth(l); n > w {
			t.Errorf("line %d is %d cells wide, want at most %d: %q", i+1, n, w, ansi.Strip(l))
		}
	}
}

func TestBelowTheSmallestSizeThereIsANoticeAndQStillLeaves(t *testing.T) {
	for _, s := range [][2]int{{59, 24}, {80, 14}, {20, 5}, {1, 1}} {
		d := ui.Drive(t, uitest.New().Options(), s[0], s[1])
		checkFrame(t, d.View(), s[0], s[1])
		if s[0] > 40 && !strings.Contains(d.View(), fmt.Sprintf("%dx%d", s[0], s[1])) {
			t.Errorf("no live size in %q", d.View())
		}
		if s[1] >= 5 && s[0] >= 20 && !strings.Contains(d.Press("?").View(), "suspend") {
			t.Errorf("? shows no keys: %q", d.View())
		}
		d.Press("b", "q").UntilIs("quits", func(string) bool { return d.Quit })
	}
}

func TestAPtyOfNoSizeCountsAs80x24(t *testing.T) {
	d := ui.Drive(t, uitest.New().Options(), 0, 0)
	checkFrame(t, d.View(), 80, 24)
	if n := len(strings.Split(d.View(), "\n")); n != 24 {
		t.Errorf("%d lines", n)
	}
}
