// Package kept names the databases that a replacement makes and keeps beside a live one, and knows them by their names.
package kept

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"codeberg.org/pgbtui/pgbtui/internal/postgres"
)

// The names of databases that stand beside a live one. They begin with its own name, shortened
// where PostgreSQL's 63 bytes do not suffice; then a part of its hash keeps two long names apart,
// so that a kept database belongs to exactly one name.

// Words that say what such a database is.
const (
	Restoring = "restoring" // being filled, or left by a restore that failed
	Restored  = "restored"  // whole and compared, not yet in its place
	Before    = "before"    // what a restore replaced
	Undone    = "undone"    // what an undo put aside
	Aside     = "aside"     // a live schema within the transaction that restores beside it; nobody else ever sees it
)

const keptTime = "20060102T150405Z"

// Beside is for a restore that runs: <database>_<word>_<id>.
func Beside(database, word, id string) string { return Stem(database) + "_" + word + "_" + id }

// Name is for what was live until then: <database>_<word>_<time>.
func Name(database, word string, at time.Time) string {
	return Stem(database) + "_" + word + "_" + at.UTC().Format(keptTime)
}

// longestTail is that of the longest word and the longest end.
const longestTail = len("_" + Before + "_" + keptTime)

// Stem is how the names of databases beside this one begin, cut where the whole name would be too long.
func Stem(database string) string {
	room := postgres.MaxName - longestTail
	if len(database) <= room {
		return database
	}
	sum := sha256.Sum256([]byte(database))
	mark := "~" + hex.EncodeToString(sum[:3])
	cut := room - len(mark)
	for cut > 0 && !utf8.RuneStart(database[cut]) {
		cut--
	}
	return database[:cut] + mark
}

var (
	keptEnd   = regexp.MustCompile(`^\d{8}T\d{6}Z$`)
	besideEnd = regexp.MustCompile(`^[0-9a-f]{6}$`)
)

// WordOf is what name is to the database: one of the words, or "" for anything else.
func WordOf(database, name string) string {
	tail, ok := strings.CutPrefix(name, Stem(database)+"_")
	if !ok {
		return ""
	}
	word, end, _ := strings.Cut(tail, "_")
	switch {
	case (word == Before || word == Undone) && keptEnd.MatchString(end):
		return word
	case (word == Restoring || word == Restored) && besideEnd.MatchString(end):
		return word
	}
	return ""
}
