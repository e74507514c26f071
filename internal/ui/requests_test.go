package ui_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/ui"
	"codeberg.org/pgbtui/pgbtui/internal/ui/uitest"
)

// slow is a catalogue whose contents come only when told, or when the request is cancelled.
type slow struct {
	*uitest.World
	asked     chan string
	cancelled chan string
	release   chan struct{}
}

func (s slow) Contents(ctx context.Context, set backup.Set) (ui.ContentsView, error) {
	s.asked <- set.Database
	select {
	case <-ctx.Done():
		s.cancelled <- set.Database
		return ui.ContentsView{}, ctx.Err()
	case <-s.release:
		return ui.ContentsView{}, errors.New("released")
	}
}

func TestLeavingAScreenCancelsWhatItAskedFor(t *testing.T) {
	w := uitest.New()
	s := slow{w, make(chan string, 4), make(chan string, 4), make(chan struct{})}
	o := w.Options()
	o.Sources.Catalogue = s
	d := ui.Drive(t, o, 80, 24)
	d.Fed().Press("2", "enter").Until("Recover to")
	<-s.asked
	d.Press("esc")
	if got := <-s.cancelled; got != "sales" {
		t.Error(got)
	}
	d.Until("31 backups")
}

func TestAStaleAnswerIsDropped(t *testing.T) {
	w := uitest.New()
	s := slow{w, make(chan string, 4), make(chan string, 4), make(chan struct{})}
	o := w.Options()
	o.Sources.Catalogue = s
	d := ui.Drive(t, o, 120, 40)
	d.Fed().Press("2", "enter").Until("Recover to")
	<-s.asked
	d.Press("r") // asks again: the first request is over
	<-s.cancelled
	<-s.asked
	close(s.release)
	d.Until("released")
	if strings.Contains(d.View(), "canceled") {
		t.Error("the answer of a cancelled request is on screen")
	}
}

func TestTheClockStrikesEachSecondOnlyWhileSecondsAreShown(t *testing.T) {
	w := uitest.New()
	d := ui.Drive(t, w.Options(), 80, 24)
	d.Fed()
	if got := d.NextTick(); got < 30*time.Second {
		t.Errorf("idle, and the next tick comes in %v", got)
	}
	if _, err := w.Start(context.Background(), ui.Service{Unit: w.Options().Jobs[0].Unit}); err != nil {
		t.Fatal(err)
	}
	d.Until("running")
	if got := d.NextTick(); got > time.Second {
		t.Errorf("a run goes on, and the next tick comes in %v", got)
	}
	d.Press("2")
	if got := d.NextTick(); got < 30*time.Second {
		t.Errorf("no seconds on this screen, and the next tick comes in %v", got)
	}
}

func TestCopyingIsWrappedForTmuxAndScreenAndCapped(t *testing.T) {
	for env, want := range map[string]string{"": "\x1b]52;c;eA==\x07", "TMUX": "\x1bPtmux;\x1b\x1b]52;c;eA==\x07\x1b\\", "TERM": "\x1bP\x1b]52;c;eA==\x07\x1b\\"} {
		var out strings.Builder
		ui.Clipboard(&out, func(k string) string {
			if k == env {
				return "screen.xterm"
			}
			return ""
		})("x")()
		if out.String() != want {
			t.Errorf("%s: %q, want %q", env, out.String(), want)
		}
	}
	var out strings.Builder
	ui.Clipboard(&out, func(string) string { return "" })(strings.Repeat("x", 1<<20))()
	if out.Len() > 0 {
		t.Error("a megabyte was sent to the terminal")
	}
}
