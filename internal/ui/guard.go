// A panic must give the terminal back and say what happened. Bubble Tea prints a command's panic
// into the alternate screen, so the model and every command run inside this guard: it keeps the
// trace, ends the program, and Run prints it on the restored terminal.

package ui

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"

	tea "github.com/charmbracelet/bubbletea"
)

// crash is the first panic.
type crash struct {
	mu    sync.Mutex
	what  string
	stack []byte
	stop  context.CancelFunc
}

// catch keeps a panic and stops the program; for defer.
func (c *crash) catch() {
	v := recover()
	if v == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.what == "" {
		c.what, c.stack = fmt.Sprint(v), debug.Stack()
	}
	c.stop()
}

func (c *crash) happened() (what string, stack []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.what, c.stack
}

// guard is a model whose panics, and whose commands' panics, are kept.
type guard struct {
	model tea.Model
	crash *crash
}

func (g guard) Init() (cmd tea.Cmd) {
	defer g.crash.catch()
	return g.command(g.model.Init())
}

func (g guard) Update(msg tea.Msg) (m tea.Model, cmd tea.Cmd) {
	m = g //nolint:wastedassign // the answer when the next line panics
	defer g.crash.catch()
	_, cmd = g.model.Update(msg)
	return g, g.command(cmd)
}

func (g guard) View() (s string) {
	defer g.crash.catch()
	return g.model.View()
}

// command guards a command, and those of a batch.
func (g guard) command(cmd tea.Cmd) tea.Cmd {
	if cmd == nil {
		return nil
	}
	return func() (msg tea.Msg) {
		defer g.crash.catch()
		msg = cmd()
		if batch, ok := msg.(tea.BatchMsg); ok {
			guarded := make(tea.BatchMsg, len(batch))
			for i, c := range batch {
				guarded[i] = g.command(c)
			}
			return guarded
		}
		return msg
	}
}
