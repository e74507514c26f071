// Package wal reads what PostgreSQL's own programs say of write-ahead log: which transactions ended in a segment, when,
// and which restore points lie there. Rules:
//
//   - what is read is text that a program printed about bytes out of a bucket: it is bounded, and a line that is not
//     understood is no record
//   - a position is a number here, and has the form of PostgreSQL (16/B374D848) only where it is printed
package wal

import (
	"fmt"
	"strconv"
	"strings"
)

// LSN is a position in the write-ahead log, in bytes from its beginning.
type LSN uint64

// ParseLSN reads the form that PostgreSQL prints: two hexadecimal numbers of at most 32 bits.
func ParseLSN(text string) (LSN, error) {
	before, after, ok := strings.Cut(text, "/")
	high, errHigh := strconv.ParseUint(before, 16, 32)
	low, errLow := strconv.ParseUint(after, 16, 32)
	if !ok || errHigh != nil || errLow != nil || len(before) > 8 || len(after) > 8 {
		return 0, fmt.Errorf("%.40q is no position in the WAL, such as 16/B374D848", text)
	}
	return LSN(high<<32 | low), nil
}

func (l LSN) String() string { return fmt.Sprintf("%X/%X", uint64(l)>>32, uint64(l)&0xFFFFFFFF) }

// MarshalText is the form of PostgreSQL.
func (l LSN) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText reads it.
func (l *LSN) UnmarshalText(text []byte) (err error) {
	*l, err = ParseLSN(string(text))
	return err
}
