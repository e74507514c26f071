package s3

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/xml"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Retries are the SDK's, with these differences: the wait is jittered at every attempt; no token
// bucket, since a run of hours may meet more hiccups than the SDK's quota of 100; conflicts
// (409) and answers cut in the middle count as passing; bad certificates and missing credentials
// do not.

const firstBackoff = 250 * time.Millisecond

func newRetryer(opts Options) aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = opts.MaxAttempts
		o.RateLimiter = ratelimit.None
		o.Backoff = retry.BackoffDelayerFunc(func(attempt int, _ error) (time.Duration, error) {
			return backoff(attempt, opts.MaxBackoff), nil
		})
		o.Retryables = append([]retry.IsErrorRetryable{retry.IsErrorRetryableFunc(ours)}, o.Retryables...)
	})
}

// backoff is 250 ms doubling per attempt up to longest, of which a random half to all is waited.
func backoff(attempt int, longest time.Duration) time.Duration {
	d := min(firstBackoff<<min(max(attempt-1, 0), 16), longest)
	return d/2 + rand.N(d/2+1) //nolint:gosec // nothing depends on its being guessed
}

// ours answers where the SDK's rules do not fit.
func ours(err error) aws.Ternary {
	var unsigned *noCredentialsError
	if badTLS(err) || errors.As(err, &unsigned) {
		return aws.FalseTernary
	}
	var api smithy.APIError
	if errors.As(err, &api) {
		switch api.ErrorCode() {
		case "ConditionalRequestConflict", "OperationAborted":
			return aws.TrueTernary
		}
	}
	if statusOf(err) == 429 {
		return aws.TrueTernary
	}
	if cutShort(err) || garbled(err) {
		return aws.TrueTernary
	}
	return aws.UnknownTernary
}

// cutShort reports whether a good answer ended in the middle, or was no XML at all.
func cutShort(err error) bool {
	var unreadable *smithy.DeserializationError
	var syntax *xml.SyntaxError
	return statusOf(err) < 300 && (errors.As(err, &unreadable) || errors.As(err, &syntax) ||
		errors.Is(err, io.ErrUnexpectedEOF))
}

// garbled reports whether the request did not arrive in one piece: whoever answered could not read it. To a
// HEAD the same status says as little of an expired token, which no repetition mends: see Head.
func garbled(err error) bool {
	var r *smithyhttp.ResponseError
	if codeOf(err) != "BadRequest" || !errors.As(err, &r) || r.Response == nil || r.Response.Response == nil {
		return false
	}
	request := r.Response.Request
	return request != nil && request.Method != http.MethodHead
}

// damagedInTransit are the codes by which stores say that a body's checksum did not match. The
// bytes are still in memory: send them again.
func damagedInTransit() []string {
	return []string{
		"BadDigest", "IncompleteBody", "ChecksumMismatch",
		"XAmzContentChecksumMismatch", "XAmzContentSHA256Mismatch",
	}
}

// badTLS covers certificates that are not right and servers that speak no TLS: no retry mends them.
func badTLS(err error) bool {
	var (
		verify    *tls.CertificateVerificationError
		authority x509.UnknownAuthorityError
		host      x509.HostnameError
		invalid   x509.CertificateInvalidError
		notTLS    tls.RecordHeaderError
	)
	return errors.As(err, &verify) || errors.As(err, &authority) || errors.As(err, &host) ||
		errors.As(err, &invalid) || errors.As(err, &notTLS) || errors.Is(err, http.ErrSchemeMismatch)
}

// statusOf is the HTTP status that err came with, or 0.
func statusOf(err error) int {
	var r *smithyhttp.ResponseError
	if errors.As(err, &r) {
		return r.HTTPStatusCode()
	}
	return 0
}

// resendDamaged retries a request whose body did not arrive as it was sent.
func resendDamaged(o *s3.Options) {
	o.Retryer = retry.AddWithErrorCodes(o.Retryer, damagedInTransit()...)
}

// atMost lowers the number of tries for requests that somebody waits for.
func (b *Bucket) atMost(attempts int) func(*s3.Options) {
	return func(o *s3.Options) { o.RetryMaxAttempts = min(attempts, b.opts.MaxAttempts) }
}

// countAttempts adds one to n for each time the request is sent.
func countAttempts(n *int) func(*s3.Options) {
	count := middleware.FinalizeMiddlewareFunc("CountAttempts", func(
		ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler,
	) (middleware.FinalizeOutput, middleware.Metadata, error) {
		*n++
		return next.HandleFinalize(ctx, in)
	})
	return s3.WithAPIOptions(func(stack *middleware.Stack) error {
		return stack.Finalize.Insert(count, "Retry", middleware.After)
	})
}

// unsignedPayload leaves the body out of the signature where that is safe, see checkPlace.
func (b *Bucket) unsignedPayload(o *s3.Options) {
	if b.unsigned {
		o.APIOptions = append(o.APIOptions, v4.SwapComputePayloadSHA256ForUnsignedPayloadMiddleware)
	}
}
