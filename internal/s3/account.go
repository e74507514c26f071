package s3

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/aws/smithy-go"

	"codeberg.org/pgbtui/pgbtui/internal/bounded"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// The public access block of the account, which counts for every bucket of it. It is asked of another service than the
// bucket's (S3 Control, GetPublicAccessBlock). For this one call no library is added: the request is made by hand, and
// signed by the SDK's signer.

// accountAnswer is more than any answer of that service has.
const accountAnswer = 64 << 10

// AccountPublicAccess asks for the block of the account that s3.expected_bucket_owner names; Known is false where none
// is named, and on stores that are not AWS. An account that has none blocks nothing.
func (b *Bucket) AccountPublicAccess(ctx context.Context) (PublicAccess, error) {
	account := b.opts.ExpectedBucketOwner
	at := os.Getenv("AWS_ENDPOINT_URL_S3_CONTROL")
	if account == "" || b.endpoint != "" && at == "" {
		return PublicAccess{}, nil
	}
	domain := ".amazonaws.com"
	if strings.HasPrefix(b.region, "cn-") {
		domain += ".cn"
	}
	at = cmp.Or(at, "https://"+account+".s3-control."+b.region+domain)
	ctx, cancel := context.WithTimeout(ctx, callerTimeout)
	defer cancel()
	block, err := b.accountBlock(ctx, at, account)
	if codeOf(err) == "NoSuchPublicAccessBlockConfiguration" {
		return PublicAccess{Known: true}, nil
	}
	if err != nil {
		return PublicAccess{}, b.fail(ctx, "ask for the public access block of account", account, err)
	}
	block.Known = true
	return block, nil
}

// accountBlock is one signed request and its answer.
func (b *Bucket) accountBlock(ctx context.Context, at, account string) (PublicAccess, error) {
	var block PublicAccess
	endpoint, err := url.Parse(at)
	if err != nil {
		return block, fault.New(fault.Config, "AWS_ENDPOINT_URL_S3_CONTROL is not a URL", "Correct or unset it.", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, //nolint:gosec // the operator's own endpoint
		endpoint.JoinPath("v20180820/configuration/publicAccessBlock").String(), nil)
	if err != nil {
		return block, err
	}
	key, err := b.credentials.Retrieve(ctx)
	if err != nil {
		return block, err
	}
	empty := sha256.Sum256(nil)
	sum := hex.EncodeToString(empty[:])
	request.Header.Set("X-Amz-Account-Id", account)
	request.Header.Set("X-Amz-Content-Sha256", sum)
	if err := b.signer.SignHTTP(ctx, key, request, sum, "s3", b.region, time.Now()); err != nil {
		return block, err
	}
	answer, err := b.sender.RoundTrip(request)
	if err != nil {
		return block, err
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := bounded.ReadAll(answer.Body, accountAnswer)
	if err != nil {
		return block, err
	}
	if answer.StatusCode != http.StatusOK {
		return block, accountError(answer.StatusCode, text)
	}
	document := struct {
		BlockPublicAcls, IgnorePublicAcls, BlockPublicPolicy, RestrictPublicBuckets bool
	}{}
	if err := xml.Unmarshal(text, &document); err != nil {
		return block, fmt.Errorf("read the answer: %w", err)
	}
	return PublicAccess{
		BlockPublicACLs: document.BlockPublicAcls, IgnorePublicACLs: document.IgnorePublicAcls,
		BlockPublicPolicy: document.BlockPublicPolicy, RestrictPublicBuckets: document.RestrictPublicBuckets,
	}, nil
}

// accountError is a refusal in the words of the service, which puts them into an <Error> of their own or into another
// element.
func accountError(status int, text []byte) error {
	said := struct {
		Code, Message string
		Error         struct{ Code, Message string }
	}{}
	_ = xml.Unmarshal(text, &said) // without words, the status says enough
	return &smithy.GenericAPIError{
		Code: cmp.Or(said.Code, said.Error.Code, map[int]string{http.StatusForbidden: "AccessDenied"}[status],
			http.StatusText(status)),
		Message: cmp.Or(said.Message, said.Error.Message),
	}
}

// With is what two blocks do together: what either of them blocks is blocked.
func (p PublicAccess) With(other PublicAccess) PublicAccess {
	return PublicAccess{
		Known:                 p.Known || other.Known,
		BlockPublicACLs:       p.BlockPublicACLs || other.BlockPublicACLs,
		IgnorePublicACLs:      p.IgnorePublicACLs || other.IgnorePublicACLs,
		BlockPublicPolicy:     p.BlockPublicPolicy || other.BlockPublicPolicy,
		RestrictPublicBuckets: p.RestrictPublicBuckets || other.RestrictPublicBuckets,
	}
}
