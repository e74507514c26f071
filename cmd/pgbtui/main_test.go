package main

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain puts `pgbtui` on PATH: this very test binary, run as the program, so that what the
// race detector and the coverage see is what scripts and process tests started.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"pgbtui": main})
}
