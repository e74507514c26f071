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
