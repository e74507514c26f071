package s3suite

import (
	"context"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// skewedSigner signs with a clock that is off.
type skewedSigner struct{ off time.Duration }

func (k skewedSigner) SignHTTP(
	ctx context.Context, c aws.Credentials, r *http.Request, payload, service, region string, at time.Time, opts ...func(*v4.SignerOptions),
) error {
	return v4.NewSigner().SignHTTP(ctx, c, r, payload, service, region, at.Add(k.off), append(opts, s3Signing)...)
}

// latePresigner presigns as of an hour ago.
type latePresigner struct{}

func (latePresigner) PresignHTTP(
	ctx context.Context, c aws.Credentials, r *http.Request, payload, service, region string, at time.Time, opts ...func(*v4.SignerOptions),
) (string, http.Header, error) {
	return v4.NewSigner().PresignHTTP(ctx, c, r, payload, service, region, at.Add(-time.Hour), append(opts, s3Signing)...)
}

// s3Signing leaves the path as it is, which S3 wants.
func s3Signing(o *v4.SignerOptions) { o.DisableURIPathEscaping = true }
