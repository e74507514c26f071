package pitr

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// Fetch gets a segment or a history file from the archive into a file. What is stored is compressed, and whoever may
// write to the bucket decides what comes out of it: no more than most bytes are written, of whichever engine, and
// nothing is left of more. ErrNotKept: the repository does not have it.
func (e *Engine) Fetch(ctx context.Context, name, file string, most int64) error {
	// One more byte than it may have, so that one that is too large differs from one that just fits.
	err := e.Get(ctx, name, file, most+1)
	var largest int64
	written, _ := filepath.Glob(file + "*") // under another name until it is whole
	for _, one := range written {
		if info, err := os.Stat(one); err == nil {
			largest = max(largest, info.Size())
		}
		if err != nil || largest > most {
			_ = os.Remove(one)
		}
	}
	if largest > most {
		return fault.New(fault.Integrity,
			fmt.Sprintf("pitr: fetch %s: what is stored is larger than the %d bytes that it may have", name, most),
			"Look who has written to the repository besides the engine.", err)
	}
	return err
}
