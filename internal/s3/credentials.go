package s3

import (
	"context"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// seenCredentials remembers what requests were signed with, so that a store that echoes it in an
// error does not get it onto a screen or into the journal.
type seenCredentials struct {
	from aws.CredentialsProvider

	mu   sync.Mutex
	last aws.Credentials
}

// Retrieve passes on the SDK's chain.
func (s *seenCredentials) Retrieve(ctx context.Context) (aws.Credentials, error) {
	c, err := s.from.Retrieve(ctx)
	if err == nil {
		s.mu.Lock()
		s.last = c
		s.mu.Unlock()
	}
	if err != nil {
		err = &noCredentialsError{err}
	}
	return c, err
}

// noCredentialsError marks that the chain found nothing to sign with. The providers do their own
// retries (an instance role's service may be slow); repeating the request repeats them all.
type noCredentialsError struct{ err error }

func (n *noCredentialsError) Error() string { return "no credentials: " + n.err.Error() }

func (n *noCredentialsError) Unwrap() error { return n.err }

// shortest is the length from which a secret is looked for inside words too. AWS's own have 16 and more; a
// made-up one of two letters would eat the text that it is to be kept out of.
const shortest = 8

func (s *seenCredentials) redact(text string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, secret := range []string{s.last.SecretAccessKey, s.last.SessionToken, s.last.AccessKeyID} {
		switch {
		case len(secret) >= shortest:
			text = strings.ReplaceAll(text, secret, redacted)
		case secret != "":
			text = replaceWord(text, secret)
		}
	}
	return text
}

const redacted = "[redacted]"

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
