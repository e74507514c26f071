package sealed

import (
	"crypto/sha256"
	"fmt"
	"hash"
)

// tally is the SHA-256 of a stored object that is read in order, of which some bytes may have to be read
// again: a piece counts when the next one is asked for, which is after it was accepted.
type tally struct {
	sum   hash.Hash
	at    int64 // where the piece begins
	piece []byte
}

func newTally() *tally { return &tally{sum: sha256.New()} }

// saw takes a piece that was read at off: the next one, or once more the one before.
func (t *tally) saw(off int64, p []byte) {
	switch off {
	case t.at + int64(len(t.piece)):
		t.at += int64(len(t.piece))
		t.sum.Write(t.piece)
	case t.at:
	default:
		return // read again from further back: counted already
	}
	t.piece = append(t.piece[:0], p...)
}

// hex ends it.
func (t *tally) hex() string {
	t.sum.Write(t.piece)
	t.piece = nil
	return fmt.Sprintf("%x", t.sum.Sum(nil))
}
