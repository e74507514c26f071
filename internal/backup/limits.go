package backup

import "fmt"

// How much of what lies in a bucket is taken into memory. Whoever may write there may put anything
// under the names of documents, in any number and size; none of it may cost a reader more than this.
//
// A document that is larger than its kind can be is damaged. Of what there is too many, the newest is
// read and the rest is counted; a set whose manifest could not be read for it is not good.

// The largest documents that this program writes are far below these. A manifest has some 3 KiB and a
// drill's proof 2 KiB; both carry sentences about what was odd, which shorten cuts.
const (
	MaxManifest  = 1 << 20
	maxProof     = 256 << 10
	maxHold      = 64 << 10 // with a reason that somebody typed
	MaxSignature = 4 << 10
	MaxLease     = 64 << 10
)

// Contents hold a line for each object of the database and each MiB of its dump. These limits are for
// some millions of tables, and leave room below the MemoryMax=2G of the units: what is stored, and
// what it becomes in memory, is there at the same time.
const (
	MaxContentsStored = 256 << 20 // compressed
	MaxContentsRaw    = 1 << 30   // JSON, decoded as it comes
	maxContentsMemory = 384 << 20 // decoded
)

// The limits of a listing.
const (
	readers = 16 // documents that are fetched at once

	maxListingBytes  = 128 << 20 // of all documents that are read, each with documentMemory
	documentMemory   = 2 << 10   // of a document besides its own bytes
	maxSetsOfOne     = 20_000    // committed sets of one database: the newest by their names
	maxSets          = 40_000    // committed sets of all databases
	maxUnfinished    = 1_000     // unfinished folders of one database: the oldest, which go first
	maxUnfinishedAll = 10_000
	maxLegacy        = 10_000
	maxProofs        = 50 // of one kind of proof, of one set: the newest by the store's clock
	maxHoldsRead     = 16 // of one set, at its newest moment
)

// The limits of what a run writes about itself.
const (
	maxSentences     = 100
	maxSentenceBytes = 1000
)

// Shorten keeps the first sentences, each cut to a length that a person reads, and says how many more
// there were.
func Shorten(sentences []string) []string {
	kept := sentences[:min(len(sentences), maxSentences)]
	short := make([]string, 0, len(kept)+1)
	for _, s := range kept {
		short = append(short, cut(s))
	}
	if more := len(sentences) - len(kept); more > 0 {
		short = append(short, fmt.Sprintf("and %d more, see the journal", more))
	}
	if len(short) == 0 {
		return nil // as it was, so that it stays out of JSON
	}
	return short
}

// cut ends a text at a length, between two characters.
func cut(s string) string {
	if len(s) <= maxSentenceBytes {
		return s
	}
	end := maxSentenceBytes
	for end > maxSentenceBytes-4 && s[end]&0xC0 == 0x80 {
		end--
	}
	return s[:end] + "…"
}

// MaxGlobals bounds the globals script, which is held in memory: some 100,000 roles.
const MaxGlobals = 64 << 20
