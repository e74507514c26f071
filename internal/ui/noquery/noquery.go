// Package noquery keeps the terminal from being asked for its background while packages
// initialise. Bubble Tea asks in an init function and waits up to five seconds for an answer
// that a serial console or a mute pty never gives.
//
// It pins the answer first. Go initialises packages that are ready in the order of their import
// paths, so this works because this module's path sorts before github.com/charmbracelet, and
// only while this package imports nothing but lipgloss and what lipgloss imports itself.
// A test on a pty that never answers holds it to that.
package noquery

import (
	"github.com/charmbracelet/lipgloss"
	"github.com/muesli/termenv"
)

var _ = pin()

func pin() bool {
	lipgloss.SetHasDarkBackground(true)
	lipgloss.SetColorProfile(termenv.ANSI)
	return true
}
