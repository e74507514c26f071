package s3

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// Settings of a bucket that are put on a person's word alone. Each says one thing as it shall be, so that a repetition
// changes nothing; object lock is not among them, since nobody can take it back.

// EnableVersioning makes the bucket keep what is overwritten or deleted.
func (b *Bucket) EnableVersioning(ctx context.Context) error {
	_, err := b.client.PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{
		Bucket: &b.opts.Bucket, ExpectedBucketOwner: b.owner(), ChecksumAlgorithm: types.ChecksumAlgorithmCrc32,
		VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled},
	}, b.atMost(probeAttempts))
	if err != nil {
		return b.fail(ctx, "turn on versioning of", b.Location(), err)
	}
	return nil
}

// SetEncryption makes the bucket encrypt what is written without a word of it.
func (b *Bucket) SetEncryption(ctx context.Context, e Encryption) error {
	rule := types.ServerSideEncryptionRule{
		BucketKeyEnabled: aws.Bool(e.BucketKey),
		ApplyServerSideEncryptionByDefault: &types.ServerSideEncryptionByDefault{
			SSEAlgorithm: types.ServerSideEncryption(e.Algorithm), KMSMasterKeyID: optional(e.KMSKeyID),
		},
	}
	_, err := b.client.PutBucketEncryption(ctx, &s3.PutBucketEncryptionInput{
		Bucket: &b.opts.Bucket, ExpectedBucketOwner: b.owner(), ChecksumAlgorithm: types.ChecksumAlgorithmCrc32,
		ServerSideEncryptionConfiguration: &types.ServerSideEncryptionConfiguration{
			Rules: []types.ServerSideEncryptionRule{rule},
		},
	}, b.atMost(probeAttempts))
	if err != nil {
		return b.fail(ctx, "set the encryption of", b.Location(), err)
	}
	return nil
}

// BlockPublicAccess shuts off every way in which something of the bucket could be public.
func (b *Bucket) BlockPublicAccess(ctx context.Context) error {
	_, err := b.client.PutPublicAccessBlock(ctx, &s3.PutPublicAccessBlockInput{
		Bucket: &b.opts.Bucket, ExpectedBucketOwner: b.owner(), ChecksumAlgorithm: types.ChecksumAlgorithmCrc32,
		PublicAccessBlockConfiguration: &types.PublicAccessBlockConfiguration{
			BlockPublicAcls:       aws.Bool(true),
			IgnorePublicAcls:      aws.Bool(true),
			BlockPublicPolicy:     aws.Bool(true),
			RestrictPublicBuckets: aws.Bool(true),
		},
	}, b.atMost(probeAttempts))
	if err != nil {
		return b.fail(ctx, "block public access to", b.Location(), err)
	}
	return nil
}
