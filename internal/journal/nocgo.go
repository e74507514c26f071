//go:build !cgo

package journal

import "codeberg.org/pgbtui/pgbtui/internal/fault"

// openSource always fails: without cgo libsystemd cannot be called. docs/decisions/journal-reader.md.
func openSource(string) (source, error) {
	return nil, fault.New(fault.Unavailable,
		"journal: open: this program was built without cgo, and cannot read the journal",
		"Install a released pgbtui, or build it with CGO_ENABLED=1; until then read the journal with journalctl.", nil)
}
