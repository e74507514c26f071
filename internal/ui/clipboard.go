// Copying by OSC 52: the terminal puts the text on the operator's own clipboard, also over ssh.
// Wrapped for tmux and screen; capped, since terminals cut long sequences.

package ui

import (
	"io"
	"strings"

	"github.com/aymanbagabas/go-osc52/v2"
	tea "github.com/charmbracelet/bubbletea"
)

// maxCopy is what common terminals take.
const maxCopy = 48 << 10

// clipboard makes the command that copies. One write: the frames of the screen are whole writes
// too, so nothing lands in the middle.
func clipboard(out io.Writer, env func(string) string) func(string) tea.Cmd {
	return func(text string) tea.Cmd {
		if len(text) > maxCopy {
			return say(toneWarn, "too long to copy")
		}
		seq := osc52.New(text)
		switch {
		case env("TMUX") != "":
			seq = seq.Tmux()
		case strings.HasPrefix(env("TERM"), "screen"):
			seq = seq.Screen()
		}
		return func() tea.Msg {
			if _, err := io.WriteString(out, seq.String()); err != nil {
				return toastMsg{"copy: " + clean(err.Error()), toneBad}
			}
			return toastMsg{"copied, if your terminal allows it: " + clean(text), toneGood}
		}
	}
}
