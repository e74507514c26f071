// The first frame. Opening bucket, bus and journal takes as much of the processor as all that comes before the first
// frame, and would compete with it: so what the screens read is asked for once the frame is on the terminal.

package ui

import (
	"os"
	"sync"
	"time"

	tea "github.com/charmbracelet/bubbletea"
)

const (
	// frameBytes is more than what puts a terminal into the alternate screen, and less than any frame.
	frameBytes = 200
	// behindAtMost is for a terminal that takes no bytes: the console reads all the same.
	behindAtMost = 100 * time.Millisecond
)

// frames is a terminal that tells when the first frame was written.
type frames struct {
	*os.File
	once  sync.Once
	drawn chan struct{}
}

func framesOn(f *os.File) *frames { return &frames{File: f, drawn: make(chan struct{})} }

// Write passes on to the terminal.
func (f *frames) Write(p []byte) (int, error) {
	n, err := f.File.Write(p)
	if len(p) >= frameBytes {
		f.once.Do(func() { close(f.drawn) })
	}
	return n, err
}

// behind runs a command once the first frame is drawn.
func behind(drawn <-chan struct{}, cmd tea.Cmd) tea.Cmd {
	if drawn == nil || cmd == nil {
		return cmd
	}
	return func() tea.Msg {
		wait := time.NewTimer(behindAtMost)
		defer wait.Stop()
		select {
		case <-drawn:
		case <-wait.C:
		}
		return cmd()
	}
}
