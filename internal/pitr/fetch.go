package pitr

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// Fetch gets a segment or a history file from the archive into a file. What is stored is compressed, and whoever may
// write to the bucket decides what comes out of it: no more is written than a segment has, and nothing is left of more.
// A segment that is not there: code Failed.
func (e *PgBackRest) Fetch(ctx context.Context, name, file string, segmentBytes int64, options ...string) error {
	args := append(append(append([]string{}, quiet...), options...), "archive-get", name, file)
	var largest int64
	err := e.run(ctx, args, nil, func(c *command) {
		// One more byte than a segment has, so that one that is too large differs from one that just fits.
		c.largest = uint64(segmentBytes) + 1 // sizes are positive
	})
	written, _ := filepath.Glob(file + "*") // under another name until it is whole
	for _, one := range written {
		if info, err := os.Stat(one); err == nil {
			largest = max(largest, info.Size())
		}
		if err != nil || largest > segmentBytes {
			_ = os.Remove(one)
		}
	}
	if largest > segmentBytes {
		return fault.New(fault.Integrity,
			fmt.Sprintf("pitr: fetch segment %s: what is stored is larger than a segment, which has %d bytes", name, segmentBytes),
			"Look who has written to the repository besides the engine.", err)
	}
	return err
}
