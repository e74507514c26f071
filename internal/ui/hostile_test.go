package ui_test

import (
	"strings"
	"testing"
	"unicode"

	"github.com/charmbracelet/x/ansi"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
	"codeberg.org/pgbtui/pgbtui/internal/ui"
	"codeberg.org/pgbtui/pgbtui/internal/ui/uitest"
)

// hostile names from the world outside.
var hostile = []string{
	"esc\x1b[31mred\x1b[2Jgone", "osc\x1b]52;c;ZXZpbA==\x07", "bidi\u202egpj.exe", "two\nlines\r\tand", "数据库の名前がとても長いとき",
	"c1\u009b31m", "bad\xff\xfeutf8", "zero\u200bwidth\u2066", "dbname=template1", `a"b'c`, "x/../y", "%s%n",
}

func TestHostileTextNeverReachesTheTerminalRaw(t *testing.T) {
	for _, name := range hostile {
		for _, ascii := range []bool{false, true} {
			w := uitest.New()
			poison(w, name)
			o := w.Options()
			o.Identity.Host, o.Identity.Label = name, name
			o.Jobs = append(o.Jobs, ui.Job{Name: name, Database: name, Unit: name, CLI: printable.ShellWord(name)})
			o.Look.ASCII = ascii
			for _, s := range [][2]int{{60, 15}, {80, 24}, {140, 40}} {
				d := ui.Drive(t, o, s[0], s[1])
				d.Fed()
				walk(t, d, s[0], s[1])
			}
		}
	}
}

func poison(w *uitest.World, name string) {
	w.AllSets = append(w.AllSets[:1:1], backup.Set{ID: name, Kind: backup.KindNative, Instance: name, Database: name, Dir: name, Problem: name, Class: name, FinishedAt: uitest.Now})
	w.AllSets[0].Database = name
	w.AllSets[0].Manifest.Warnings = []string{name}
	w.AllSets[0].Proofs = []backup.Proof{{Kind: name, Error: name, NotProven: []string{name}}}
	for i := range w.AllRuns {
		r := &w.AllRuns[i]
		r.Unit, r.Database, r.Detail, r.Remedy, r.Status, r.Trigger, r.Target = name, name, name, name, name, name, name
	}
	w.AllRuns[0].State = ui.RunRunning
	for i := range w.AllTimer {
		x := &w.AllTimer[i]
		x.Unit, x.Service, x.Problem, x.Calendar, x.Overridden = name, name, name, []string{name}, []string{name}
	}
	for i := range w.Entries {
		w.Entries[i].Message, w.Entries[i].Unit = name, name
		w.Entries[i].Fields = map[string]string{name: name}
	}
	w.View = ui.ContentsView{Extensions: []string{name}, Roles: []string{name}, Tables: []ui.TableView{{Schema: name, Name: name}}}
	w.Checks = []restore.Check{{Detail: name, Remedy: name}}
}

// walk looks at every screen; each press may open something by message, so it lets the rest in.
func walk(t *testing.T, d *ui.Driver, w, h int) {
	t.Helper()
	for _, step := range []struct{ key, until string }{
		{"G", ""},
		{"b", "Same as"},
		{"esc", ""},
		{"2", "BACKUPS"},
		{"G", ""},
		{"g", ""},
		{"enter", "BACKUP"},
		{"esc", "BACKUPS"},
		{"G", ""},
		{"R", "everything, into a new"},
		{"enter", "NAME OF"},
		{"esc", "everything, into a new"},
		{"down", ""},
		{"enter", "WHAT COMES BACK"},
		{" ", "rows, "},
		{"enter", "NAME OF"},
		{"ctrl+u", ""},
		{"copy", ""},
		{"enter", "OPTIONS"},
		{"enter", "CHECKS"},
		{"esc", "OPTIONS"},
		{"esc", "NAME OF"},
		{"esc", "everything, into a new"},
		{"down", ""},
		{"down", ""},
		{"enter", "WHICH DATABASE"},
		{"esc", "everything, into a new"},
		{"esc", "BACKUPS"},
		{"3", "RUNS"},
		{"enter", "LAST LINES"},
		{"esc", "RUNS"},
		{"X", "Let it run"},
		{"esc", ""},
		{"4", "TIMERS"},
		{"5", "JOURNAL"},
		{"?", "Keys of"},
		{"esc", ""},
	} {
		d.Press(step.key)
		if step.until != "" && (h > 20 || step.key != "X") {
			d.UntilIs(step.until, func(v string) bool {
				return (strings.Contains(ansi.Strip(v), step.until) && !strings.Contains(v, "reading")) || h < 20
			})
		}
		view := d.View()
		checkFrame(t, view, w, h)
		left := ansi.Strip(view)
		for _, r := range strings.ReplaceAll(left, "\n", "") {
			if !unicode.IsGraphic(r) || r == unicode.ReplacementChar {
				t.Fatalf("%q reached the terminal in %q", r, left)
			}
		}
		if strings.Contains(view, "]52") && strings.Contains(view, "\x1b]") {
			t.Fatal("an OSC reached the terminal")
		}
	}
}

func TestTheFrameFilterLetsOnlyColoursThrough(t *testing.T) {
	in := "\x1b[1;31mred\x1b[0m \x1b[2J \x1b]52;c;eA==\x07 \x1bP \u009b31m \u202e \x00\x7f"
	out := ui.Frame(in, 80, 1, false)
	if strings.Contains(strings.ReplaceAll(strings.ReplaceAll(out, "\x1b[1;31m", ""), "\x1b[0m", ""), "\x1b") {
		t.Errorf("%q", out)
	}
}

func FuzzFrame(f *testing.F) {
	for _, s := range hostile {
		f.Add(s, 20)
	}
	f.Fuzz(func(t *testing.T, s string, w int) {
		w = 1 + int(uint(w)%200)
		for _, ascii := range []bool{false, true} {
			out := ui.Frame(s, w, 3, ascii)
			if n := strings.Count(out, "\n"); n != 2 {
				t.Fatalf("%d newlines", n)
			}
			for _, r := range strings.ReplaceAll(ansi.Strip(out), "\n", "") {
				if !unicode.IsGraphic(r) {
					t.Fatalf("%q in %q", r, out)
				}
			}
		}
	})
}

func TestTheFirstLineSaysWhatThisShellPutsInThePlaceOfTheUnits(t *testing.T) {
	w := uitest.New()
	o := w.Options()
	o.Identity.Overridden = []string{"S3_BUCKET"}
	for _, size := range [][2]int{{80, 24}, {120, 40}} {
		d := ui.Drive(t, o, size[0], size[1])
		d.Fed()
		if first := strings.Split(ansi.Strip(d.View()), "\n")[0]; !strings.Contains(first, "your S3_BUCKET, not the units'") {
			t.Errorf("at %d columns the first line is %q", size[0], first)
		}
	}
	if out := talk(t, w, o, "0"); !strings.Contains(strings.Split(out, "\n")[0], "your S3_BUCKET, not the units'") {
		t.Errorf("the accessible console begins with\n%s", out)
	}
}
