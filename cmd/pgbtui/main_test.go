package main

import (
	"fmt"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"
)

// leaks runs the tests and fails when one of them has left a goroutine behind.
type leaks struct{ m *testing.M }

func (l leaks) Run() int {
	code := l.m.Run()
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// TestMain puts `pgbtui` on PATH: this very test binary, run as the program, so that what the
// race detector and the coverage see is what scripts and process tests started.
func TestMain(m *testing.M) {
	testscript.Main(leaks{m}, map[string]func(){"pgbtui": main})
}
