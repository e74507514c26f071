package s3

import (
	"context"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"

	"codeberg.org/pgbtui/pgbtui/internal/printable"
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

func (s *seenCredentials) redact(text string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return printable.Redact(text, s.last.SecretAccessKey, s.last.SessionToken, s.last.AccessKeyID)
}
