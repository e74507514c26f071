package printable

import (
	"errors"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// shortest is the length from which a secret is looked for inside words too. AWS's own have 16 and more; a
// made-up one of two letters would eat the text that it is to be kept out of.
const shortest = 8

const redacted = "[redacted]"

// Redact takes secrets out of a text. An empty one is none.
func Redact(text string, secrets ...string) string {
	for _, secret := range secrets {
		switch {
		case len(secret) >= shortest:
			text = strings.ReplaceAll(text, secret, redacted)
		case secret != "":
			text = replaceWord(text, secret)
		}
	}
	return text
}

// replaceWord redacts word where no letter or digit stands before or after it.
func replaceWord(text, word string) string {
	var b strings.Builder
	for rest := text; ; {
		at := strings.Index(rest, word)
		if at < 0 {
			return b.String() + rest
		}
		before, _ := utf8.DecodeLastRuneInString(text[:len(text)-len(rest)+at])
		after, _ := utf8.DecodeRuneInString(rest[at+len(word):])
		if inWord(before) || inWord(after) {
			// The first byte stays, and the next place is looked for from there: words overlap.
			_, size := utf8.DecodeRuneInString(rest[at:])
			b.WriteString(rest[:at+size])
			rest = rest[at+size:]
			continue
		}
		b.WriteString(rest[:at] + redacted)
		rest = rest[at+len(word):]
	}
}

func inWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// WithoutURL is why a call over HTTP failed. The text of a *url.Error begins with the address, which may be a secret.
func WithoutURL(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return errors.New("the request failed")
}
