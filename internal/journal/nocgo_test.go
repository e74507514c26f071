//go:build !cgo

package journal

import (
	"path/filepath"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

func TestABuildWithoutCgoSaysThatItCannotReadTheJournal(t *testing.T) {
	dir := t.TempDir()
	place(t, filepath.Join(dir, "system.journal"), 0o600)
	reader, err := Open(t.Context(), Options{Dir: dir})
	if reader != nil || fault.CodeOf(err) != fault.Unavailable || fault.Remedy(err) == "" {
		t.Errorf("reader %v, error %v, remedy %q", reader, err, fault.Remedy(err))
	}
}
