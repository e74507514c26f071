package s3

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// The name of a bucket does not say whose it is: once it was deleted, any account can take it, and
// whoever goes on writing to that name gives its backups away. With Options.ExpectedBucketOwner each
// request names the account, and the store refuses it before it does anything ("Verifying bucket
// ownership with bucket owner condition", Amazon S3 user guide). Rules: no request goes without it, but
// for the one that tells a foreign bucket from a missing right; a store that compares nothing is said.

// ErrOtherOwner is that the bucket is there, may be used, and belongs to another account.
var ErrOtherOwner = errors.New("the bucket belongs to another account")

// owner is the expected account for every request, nil when none is configured.
func (b *Bucket) owner() *string { return optional(b.opts.ExpectedBucketOwner) }

// CheckOwner fails when the store does not compare accounts, so that naming one protects nothing. That the
// bucket is of the right account is what Probe finds out.
func (b *Bucket) CheckOwner(ctx context.Context) error {
	if b.opts.ExpectedBucketOwner == "" {
		return nil
	}
	verb := "compare the account of"
	err := b.headBucketOf(ctx, optional(somebodyElse(b.opts.ExpectedBucketOwner)))
	switch {
	case err == nil:
		return fault.New(fault.Config, subject(verb, b.Location())+": the store took another account for the right one",
			"Remove s3.expected_bucket_owner: this store ignores it.", nil)
	case statusOf(err) == http.StatusForbidden:
		return nil
	}
	return b.fail(ctx, verb, b.Location(), err)
}

// somebodyElse is an account with another last digit.
func somebodyElse(account string) string {
	last := len(account) - 1
	return account[:last] + string('0'+(account[last]-'0'+1)%10)
}

func (b *Bucket) headBucketOf(ctx context.Context, owner *string) error {
	_, err := b.client.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &b.opts.Bucket, ExpectedBucketOwner: owner},
		b.atMost(probeAttempts))
	return err
}

// ofAnother reports whether what was denied is granted to whoever names no account.
func (b *Bucket) ofAnother(ctx context.Context, denied error) bool {
	return b.deniedToOwner(denied) && b.headBucketOf(ctx, nil) == nil
}

func (b *Bucket) deniedToOwner(err error) bool {
	return b.opts.ExpectedBucketOwner != "" && statusOf(err) == http.StatusForbidden &&
		slices.Contains([]string{"", "AccessDenied", "Forbidden"}, codeOf(err))
}

// byOwner is a denial with two possible reasons; one request has one answer for both.
func (b *Bucket) byOwner(err error) (verdict, bool) {
	if !b.deniedToOwner(err) {
		return verdict{}, false
	}
	return verdict{
		code: fault.NotPermitted,
		remedy: "Check with `pgbtui config check` whether the bucket still belongs to account " +
			visible(b.opts.ExpectedBucketOwner) + " (s3.expected_bucket_owner). If it does, grant the identity this action.",
	}, true
}
