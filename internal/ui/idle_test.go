package ui_test

import (
	"bytes"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"codeberg.org/pgbtui/pgbtui/internal/ui"
	"codeberg.org/pgbtui/pgbtui/internal/ui/uitest"
)

// counter is a terminal that counts.
type counter struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (c *counter) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.b.Write(p)
}

func (c *counter) text() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.b.String()
}

// replay shows given frames through Bubble Tea's own renderer.
type replay struct{ frame string }

func (r replay) Init() tea.Cmd { return nil }
func (r replay) View() string  { return r.frame }
func (r replay) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	if s, ok := msg.(string); ok {
		return replay{s}, nil
	}
	return r, nil
}

// TestAnIdleMinuteSendsLittle feeds the frames of two successive minutes to the real renderer and
// counts: within a minute nothing may change at all, from one to the next under 500 bytes.
func TestAnIdleMinuteSendsLittle(t *testing.T) {
	for _, key := range []string{"1", "2", "3", "4", "5"} {
		t.Run(key, func(t *testing.T) {
			now := uitest.Now
			var mu sync.Mutex
			w := uitest.New()
			o := w.Options()
			o.Now = func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
			at := func(d time.Duration) { mu.Lock(); defer mu.Unlock(); now = uitest.Now.Add(d) }
			d := ui.Drive(t, o, 80, 24)
			d.Fed().Press(key).UntilIs("read", func(v string) bool { return !strings.Contains(v, "reading") })
			frame := func(after time.Duration) string { at(after); d.Tick(); return d.View() }
			first := frame(0)
			for s := range 39 {
				if frame(time.Duration(s)*time.Second) != first {
					t.Fatalf("it changed after %d s", s)
				}
			}
			next := frame(3 * time.Minute)
			minute := frame(4 * time.Minute)
			if n := sent(t, next, minute); n >= 500 {
				t.Errorf("an idle minute sends %d bytes", n)
			}
		})
	}
}

// sent is how many bytes the renderer sends from frame a to b.
func sent(t *testing.T, a, b string) int {
	t.Helper()
	out := &counter{}
	in, typing := io.Pipe()
	defer typing.Close() // which ends the program's reader
	p := tea.NewProgram(replay{}, tea.WithOutput(out), tea.WithInput(in), tea.WithAltScreen(), tea.WithFPS(60), tea.WithoutSignalHandler())
	ended := make(chan error, 1)
	go func() { _, err := p.Run(); ended <- err }()
	p.Send(tea.WindowSizeMsg{Width: 80, Height: 24})
	p.Send(a + "\nEND-A")
	waitFor(t, out, "END-A")
	before := len(out.text())
	p.Send(b + "\nEND-B")
	waitFor(t, out, "END-B")
	n := len(out.text()) - before
	p.Quit()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	return n
}

func waitFor(t *testing.T, out *counter, text string) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !strings.Contains(out.text(), text); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%q was never drawn: %q", text, out.text())
		}
	}
}
