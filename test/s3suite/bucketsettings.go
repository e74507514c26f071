package s3suite

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// bucketSettings are those that say who gets in and how bytes are kept.
func bucketSettings(s *session) {
	if !s.Features.BucketSettings {
		s.Skip("SKIPPED: a known difference of this store (Features.BucketSettings)")
	}
	s.inBucket(nil)
	s.defaultEncryption()
	s.publicAccess()
	_, err := s.c.GetBucketPolicy(s.ctx, &s3.GetBucketPolicyInput{Bucket: &s.Bucket})
	s.fails(err, "NoSuchBucketPolicy")
}

func (s *session) defaultEncryption() {
	read := func() types.ServerSideEncryptionRule {
		out, err := s.c.GetBucketEncryption(s.ctx, &s3.GetBucketEncryptionInput{Bucket: &s.Bucket})
		s.ok(err)
		same(s, "rules of encryption", len(out.ServerSideEncryptionConfiguration.Rules), 1)
		return out.ServerSideEncryptionConfiguration.Rules[0]
	}
	same(s, "encryption of a new bucket", read().ApplyServerSideEncryptionByDefault.SSEAlgorithm, types.ServerSideEncryptionAes256)
	put := func(d types.ServerSideEncryptionByDefault, bucketKey bool) error {
		_, err := s.c.PutBucketEncryption(s.ctx, &s3.PutBucketEncryptionInput{
			Bucket: &s.Bucket, ServerSideEncryptionConfiguration: &types.ServerSideEncryptionConfiguration{
				Rules: []types.ServerSideEncryptionRule{{ApplyServerSideEncryptionByDefault: &d, BucketKeyEnabled: &bucketKey}},
			},
		})
		return err
	}
	key := aws.String("arn:aws:kms:us-east-1:123456789012:key/one")
	s.ok(put(types.ServerSideEncryptionByDefault{SSEAlgorithm: types.ServerSideEncryptionAwsKms, KMSMasterKeyID: key}, true))
	now := read()
	same(s, "algorithm", now.ApplyServerSideEncryptionByDefault.SSEAlgorithm, types.ServerSideEncryptionAwsKms)
	same(s, "key", aws.ToString(now.ApplyServerSideEncryptionByDefault.KMSMasterKeyID), *key)
	same(s, "bucket key", aws.ToBool(now.BucketKeyEnabled), true)
	s.fails(put(types.ServerSideEncryptionByDefault{SSEAlgorithm: "ROT13"}, false), "MalformedXML")
}

func (s *session) publicAccess() {
	read := func() (*s3.GetPublicAccessBlockOutput, error) {
		return s.c.GetPublicAccessBlock(s.ctx, &s3.GetPublicAccessBlockInput{Bucket: &s.Bucket})
	}
	// A bucket that AWS makes today has a block from its first day; one of before has none.
	if _, err := read(); err != nil {
		s.fails(err, "NoSuchPublicAccessBlockConfiguration")
	}
	_, err := s.c.PutPublicAccessBlock(s.ctx, &s3.PutPublicAccessBlockInput{
		Bucket: &s.Bucket, PublicAccessBlockConfiguration: &types.PublicAccessBlockConfiguration{
			BlockPublicAcls: aws.Bool(true), BlockPublicPolicy: aws.Bool(true), RestrictPublicBuckets: aws.Bool(true),
		},
	})
	s.ok(err)
	out, err := read()
	s.ok(err)
	now := out.PublicAccessBlockConfiguration
	same(s, "block public ACLs", aws.ToBool(now.BlockPublicAcls), true)
	same(s, "ignore public ACLs", aws.ToBool(now.IgnorePublicAcls), false)
	same(s, "block public policy", aws.ToBool(now.BlockPublicPolicy), true)
	same(s, "restrict public buckets", aws.ToBool(now.RestrictPublicBuckets), true)
}
