package printable

import (
	"encoding/json"
	"fmt"
	"unicode/utf16"
)

// Name is a name from outside whose exact bytes matter: a key, a database, a role. It prints as Text
// makes it, whatever the verb; only string(name) gives the bytes, for comparing, SQL, paths and keys.
type Name string

// String is the name for eyes.
func (n Name) String() string { return Text(string(n)) }

// Format prints the name made safe by Text, or quoted by %q.
func (n Name) Format(f fmt.State, verb rune) {
	text := string(n)
	if verb != 'q' {
		text = Text(text)
	}
	_, _ = fmt.Fprintf(f, fmt.FormatString(f, verb), text)
}

// MarshalJSON keeps the name as it is, and escapes what a terminal would act on.
func (n Name) MarshalJSON() ([]byte, error) {
	raw, err := json.Marshal(string(n))
	return JSON(raw), err
}

// JSON escapes in a document what encoding/json leaves as it is and a terminal would act on: DEL, C1
// controls, bidirectional overrides and the like. They can only stand inside strings, where the
// escape means the same.
func JSON(document []byte) []byte {
	out := make([]byte, 0, len(document))
	for _, r := range string(document) {
		switch one := string(r); {
		case r == '\n', Text(one) == one:
			out = append(out, one...)
		default:
			for _, unit := range utf16.Encode([]rune{r}) {
				out = fmt.Appendf(out, `\u%04x`, unit)
			}
		}
	}
	return out
}
