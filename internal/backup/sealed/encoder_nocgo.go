//go:build !cgo

package sealed

import (
	"fmt"

	"github.com/klauspost/compress/zstd"
)

// encoder compresses one frame after another, in a program that was built without libzstd. It knows four levels: each
// of zstd's becomes the nearest of them.
type encoder struct {
	byLevel map[zstd.EncoderLevel]*zstd.Encoder
}

func newEncoder() encoder { return encoder{byLevel: map[zstd.EncoderLevel]*zstd.Encoder{}} }

// encode appends nothing: it overwrites packed.
func (e encoder) encode(packed, raw []byte, level int) ([]byte, error) {
	near := zstd.EncoderLevelFromZstd(level)
	if e.byLevel[near] == nil {
		made, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(near), zstd.WithWindowSize(FrameBytes),
			zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(true))
		if err != nil {
			return nil, fmt.Errorf("sealed: set up zstd at level %d: %w", level, err)
		}
		e.byLevel[near] = made
	}
	return e.byLevel[near].EncodeAll(raw, packed[:0]), nil
}
