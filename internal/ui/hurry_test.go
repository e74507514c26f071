package ui_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"codeberg.org/pgbtui/pgbtui/internal/ui"
	"codeberg.org/pgbtui/pgbtui/internal/ui/uitest"
)

// held are timers that answer when told.
type held struct {
	*uitest.World
	until <-chan struct{}
}

func (h held) Timers(ctx context.Context) ([]ui.Timer, error) {
	select {
	case <-h.until:
	case <-ctx.Done():
	}
	return h.World.Timers(ctx)
}

func TestKeysThatComeInOnePacketAllCount(t *testing.T) {
	d, _ := open(t, nil)
	ready(d)
	d.Type("2Gg/crm").Until("13 backups")
	d.Press("esc").Until("31 backups")
	d.Type("gv").Until("Verify a backup of sales")
}

func TestAPasteIsNoKeys(t *testing.T) {
	d, w := open(t, nil)
	ready(d)
	before := d.View()
	d.Send(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune("b2R"), Paste: true})
	d.Type("please restore sales before noon")
	if d.View() != before || len(w.Started) > 0 {
		t.Errorf("a paste pressed keys:\n%s", plain(d))
	}
}

func TestReadingAgainIsSaidUntilTheBucketHasAnswered(t *testing.T) {
	d, _ := open(t, nil)
	ready(d).Press("r")
	if !strings.Contains(plain(d), "reading again") {
		t.Error(plain(d))
	}
	d.UntilIs("it was read", func(v string) bool { return !strings.Contains(v, "reading again") })
}

// firehose is a journal that writes a hundred lines a second, in the batches that Follow promises.
type firehose struct {
	*uitest.World
	sent chan int // lines so far
}

func (f firehose) Follow(ctx context.Context, _ ui.JournalQuery) (<-chan []ui.Entry, error) {
	ch := make(chan []ui.Entry)
	go func() {
		defer close(ch)
		for n := 0; ; n += 20 { // five batches make a second
			var batch []ui.Entry
			for i := range 20 {
				batch = append(batch, ui.Entry{Cursor: fmt.Sprintf("d%06d", n+i), Time: uitest.Now, Unit: "postgres-backup@sales.service", Priority: 6, Message: fmt.Sprintf("line %d", n+i)})
			}
			select {
			case ch <- batch:
			case <-ctx.Done():
				return
			}
			select {
			case <-f.sent:
			default:
			}
			f.sent <- n + 20
		}
	}()
	return ch, nil
}

// The lines come as fast as the console takes them, which is more than a hundred a second.
func TestKeysAnswerWhileTheJournalWritesAHundredLinesASecond(t *testing.T) {
	w := uitest.New()
	o := w.Options()
	o.Look.NoColor = true
	hose := firehose{w, make(chan int, 1)}
	o.Sources.Journal = hose
	d := ui.Drive(t, o, 80, 24)
	d.Fed().Press("5").Until("line 5999")
	for _, step := range []struct{ key, shows string }{{"k", "read just now"}, {"f", "following"}, {"?", "Keys of Journal"}, {"esc", "following"}, {"2", "31 backups"}, {"5", "following"}, {"/", "enter keeps"}} {
		d.Press(step.key)
		if step.key == "5" {
			d.Until(step.shows) // the tab reads its first page again
		}
		if !strings.Contains(plain(d), step.shows) {
			t.Fatalf("%s did not answer at once with %q:\n%s", step.key, step.shows, plain(d))
		}
	}
	if kept := d.JournalKept(); kept > 5000 {
		t.Errorf("%d lines are kept", kept)
	}
}

func TestTenThousandBackupsAreListedSortedFilteredAndJudged(t *testing.T) {
	d, _ := open(t, func(w *uitest.World, _ *ui.Options) {
		one := w.AllSets[0]
		for i := range 10000 - len(w.AllSets) {
			s := one
			end := uitest.Now.Add(-time.Duration(i+400) * time.Hour)
			s.ID, s.FinishedAt, s.StoredSize = end.Format("20060102T150405Z")+"-9f9f9f", end, int64(i)
			s.Dir = "db01/sales/" + s.ID + "/"
			w.AllSets = append(w.AllSets, s)
		}
	})
	ready(d).Press("2").Until("10000 backups, newest first")
	// Every key draws a frame, and each of them asks for the lists several times.
	before := d.Worked()
	for range 100 {
		d.Press("j")
		_ = d.View()
	}
	if d.Worked() != before {
		t.Error("a key works out the list of ten thousand, or the judgement over them, anew")
	}
	d.Press("G").Until("432d").Press("pgup", "g", "s").Until("by database")
	d.Press("s").Until("largest first").Press("/", "9f9f9f", "enter").Until("9969 backups")
	d.Press("esc", "1").Until("DATABASES")
	if d.Press("j", "k"); d.Worked()[1] != before[1] {
		t.Error("a key judges ten thousand backups anew")
	}
}
