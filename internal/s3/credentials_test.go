package s3

import (
	"context"
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

type noChain struct{ asked int }

func (n *noChain) Retrieve(context.Context) (aws.Credentials, error) {
	n.asked++
	return aws.Credentials{}, errors.New("no EC2 IMDS role found")
}

func TestMissingCredentialsAreSaidAtOnce(t *testing.T) {
	b := openAt(t, s3server.Start(t))
	chain := &noChain{}
	b.credentials.from = chain
	_, err := b.Head(t.Context(), "key")
	if fault.CodeOf(err) != fault.NotPermitted || fault.Remedy(err) == "" {
		t.Fatalf("%v (%d), remedy %q", err, fault.CodeOf(err), fault.Remedy(err))
	}
	if chain.asked != 1 {
		t.Errorf("the chain was asked %d times: every try waits for an instance's metadata service", chain.asked)
	}
}

// A made-up key of a test store may be two letters long, which are in half of all words.
func TestAShortSecretIsRedactedAsAWordAndEatsNoOther(t *testing.T) {
	seen := &seenCredentials{}
	seen.last = aws.Credentials{AccessKeyID: "ex", SecretAccessKey: "long+secret/key0"}
	for text, want := range map[string]string{
		"the next index of ex": "the next index of [redacted]",
		"ex, (ex) and ex=1":    "[redacted], ([redacted]) and [redacted]=1",
		"exex éex exé ex":      "exex éex exé [redacted]",
		"":                     "",
		"a key of long+secret/key0s, inside a word": "a key of [redacted]s, inside a word",
	} {
		if got := seen.redact(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}
