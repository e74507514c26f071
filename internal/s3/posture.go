package s3

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// What a bucket says of who gets in and how bytes are kept, besides versioning and object lock (Protection) and its
// lifecycle rules (Lifecycle). A store that does not know such a setting is told from a bucket that has none: of the
// first nothing can be said, and nothing asked.

// Encryption is how a bucket encrypts what is written without a word of it.
type Encryption struct {
	Known     bool   // the store has such a setting
	Algorithm string // "AES256", "aws:kms" or "aws:kms:dsse"; "" = the bucket has none
	KMSKeyID  string // as the bucket names it; "" = the account's key for S3
	BucketKey bool   // KMS is asked once for many objects
}

// Encryption asks for the bucket's default encryption.
func (b *Bucket) Encryption(ctx context.Context) (Encryption, error) {
	out, err := b.client.GetBucketEncryption(ctx, &s3.GetBucketEncryptionInput{
		Bucket: &b.opts.Bucket, ExpectedBucketOwner: b.owner(),
	}, b.atMost(probeAttempts))
	switch {
	case unknownToStore(err):
		return Encryption{}, nil
	case codeOf(err) == "ServerSideEncryptionConfigurationNotFoundError":
		return Encryption{Known: true}, nil
	case err != nil:
		return Encryption{}, b.fail(ctx, "ask for the encryption of", b.Location(), err)
	}
	e := Encryption{Known: true}
	if out.ServerSideEncryptionConfiguration == nil {
		return e, nil
	}
	for _, r := range out.ServerSideEncryptionConfiguration.Rules {
		if d := r.ApplyServerSideEncryptionByDefault; d != nil {
			e.Algorithm = string(d.SSEAlgorithm)
			e.KMSKeyID = aws.ToString(d.KMSMasterKeyID)
			e.BucketKey = aws.ToBool(r.BucketKeyEnabled)
		}
	}
	return e, nil
}

// PublicAccess is the public access block of a bucket, or of an account (AccountPublicAccess); both count.
type PublicAccess struct {
	Known                 bool // the store has such a setting
	BlockPublicACLs       bool
	IgnorePublicACLs      bool
	BlockPublicPolicy     bool
	RestrictPublicBuckets bool
}

// Blocked reports whether nothing of the bucket can be public.
func (p PublicAccess) Blocked() bool {
	return p.BlockPublicACLs && p.IgnorePublicACLs && p.BlockPublicPolicy && p.RestrictPublicBuckets
}

// PublicAccess asks for the bucket's public access block.
func (b *Bucket) PublicAccess(ctx context.Context) (PublicAccess, error) {
	out, err := b.client.GetPublicAccessBlock(ctx, &s3.GetPublicAccessBlockInput{
		Bucket: &b.opts.Bucket, ExpectedBucketOwner: b.owner(),
	}, b.atMost(probeAttempts))
	switch {
	case unknownToStore(err):
		return PublicAccess{}, nil
	case codeOf(err) == "NoSuchPublicAccessBlockConfiguration":
		return PublicAccess{Known: true}, nil
	case err != nil:
		return PublicAccess{}, b.fail(ctx, "ask for the public access block of", b.Location(), err)
	}
	block := out.PublicAccessBlockConfiguration
	if block == nil {
		block = &types.PublicAccessBlockConfiguration{}
	}
	return PublicAccess{
		Known:                 true,
		BlockPublicACLs:       aws.ToBool(block.BlockPublicAcls),
		IgnorePublicACLs:      aws.ToBool(block.IgnorePublicAcls),
		BlockPublicPolicy:     aws.ToBool(block.BlockPublicPolicy),
		RestrictPublicBuckets: aws.ToBool(block.RestrictPublicBuckets),
	}, nil
}

// Policy is the bucket's own policy, a JSON document as the store has it, or "" where it has or knows none.
func (b *Bucket) Policy(ctx context.Context) (string, error) {
	out, err := b.client.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{
		Bucket: &b.opts.Bucket, ExpectedBucketOwner: b.owner(),
	}, b.atMost(probeAttempts))
	if unknownToStore(err) || codeOf(err) == "NoSuchBucketPolicy" {
		return "", nil
	}
	if err != nil {
		return "", b.fail(ctx, "read the policy of", b.Location(), err)
	}
	return aws.ToString(out.Policy), nil
}
