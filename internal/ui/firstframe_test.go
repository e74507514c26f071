package ui

import (
	"os"
	"testing"
	"testing/synctest"
	"time"

	tea "github.com/charmbracelet/bubbletea"
)

func TestWhatTheScreensReadIsAskedForBehindTheFirstFrame(t *testing.T) {
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	synctest.Test(t, func(t *testing.T) {
		out := framesOn(null)
		asked := make(chan time.Time, 1)
		cmd := behind(out.drawn, func() tea.Msg { asked <- time.Now(); return nil })
		began := time.Now()
		go cmd()
		_, _ = out.Write([]byte("\x1b[?1049h"))
		synctest.Wait()
		if len(asked) > 0 {
			t.Error("it was asked for before there was a frame")
		}
		time.Sleep(10 * time.Millisecond)
		_, _ = out.Write(make([]byte, frameBytes))
		if at := <-asked; at.Sub(began) != 10*time.Millisecond {
			t.Errorf("asked for after %v", at.Sub(began))
		}
		_, _ = out.Write(make([]byte, frameBytes)) // which tells nobody anything new
	})
}

func TestATerminalThatTakesNothingDoesNotKeepTheScreensFromReading(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		behind(make(chan struct{}), func() tea.Msg { return nil })()
		if waited := time.Since(began); waited != behindAtMost {
			t.Errorf("waited %v", waited)
		}
	})
}
