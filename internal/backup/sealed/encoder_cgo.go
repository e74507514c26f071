//go:build cgo

package sealed

import (
	"encoding/binary"
	"fmt"

	"github.com/DataDog/zstd"
	"github.com/cespare/xxhash/v2"
)

// encoder compresses one frame after another by libzstd: for the same CPU it stores less than an encoder in Go, and
// at its lowest level it takes half of it. One worker has one.
type encoder struct{ libzstd zstd.Ctx } // its memory goes with it, by a finalizer

func newEncoder() encoder { return encoder{libzstd: zstd.NewCtx()} }

// encode appends nothing: it overwrites packed.
func (e encoder) encode(packed, raw []byte, level int) ([]byte, error) {
	frame, err := e.libzstd.CompressLevel(packed[:0], raw, level)
	if err != nil {
		return nil, fmt.Errorf("sealed: compress at level %d: %w", level, err)
	}
	return withChecksum(frame, raw), nil
}

// The frame's header, RFC 8878, 3.1.1.1.1: magic number, then the descriptor with the bit for a checksum.
const (
	descriptorAt = 4
	checksumBit  = 1 << 2
)

// withChecksum adds what this binding of libzstd cannot be asked for: the low four bytes of the XXH64 of the raw
// bytes at the frame's end, which every decompressor then compares, and with them a person who has nothing but `zstd
// -d`.
func withChecksum(frame, raw []byte) []byte {
	frame[descriptorAt] |= checksumBit
	return binary.LittleEndian.AppendUint32(frame, uint32(xxhash.Sum64(raw)))
}
