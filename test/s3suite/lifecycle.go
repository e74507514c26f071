package s3suite

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

func (s *session) setLifecycle(rules ...types.LifecycleRule) error {
	_, err := s.c.PutBucketLifecycleConfiguration(s.ctx, &s3.PutBucketLifecycleConfigurationInput{
		Bucket: &s.Bucket, LifecycleConfiguration: &types.BucketLifecycleConfiguration{Rules: rules},
	})
	return err
}

func lifecycle(s *session) {
	if !s.Features.Lifecycle {
		s.Skip("SKIPPED: a known difference of this store (Features.Lifecycle)")
	}
	s.inBucket(nil)
	read := func() (*s3.GetBucketLifecycleConfigurationOutput, error) {
		return s.c.GetBucketLifecycleConfiguration(s.ctx, &s3.GetBucketLifecycleConfigurationInput{Bucket: &s.Bucket})
	}
	_, err := read()
	s.fails(err, "NoSuchLifecycleConfiguration")
	all := &types.LifecycleRuleFilter{Prefix: aws.String("postgresql/")}
	s.ok(s.setLifecycle(
		types.LifecycleRule{
			ID: aws.String("cold & old"), Status: types.ExpirationStatusEnabled, Filter: all,
			Transitions: []types.Transition{{Days: aws.Int32(90), StorageClass: types.TransitionStorageClassGlacier}},
			Expiration:  &types.LifecycleExpiration{Days: aws.Int32(365)},
		},
		types.LifecycleRule{
			Status: types.ExpirationStatusDisabled, Filter: all,
			NoncurrentVersionExpiration:    &types.NoncurrentVersionExpiration{NoncurrentDays: aws.Int32(7)},
			AbortIncompleteMultipartUpload: &types.AbortIncompleteMultipartUpload{DaysAfterInitiation: aws.Int32(2)},
		},
	))
	got, err := read()
	s.ok(err)
	same(s, "rules", len(got.Rules), 2)
	first, second := got.Rules[0], got.Rules[1]
	same(s, "id", *first.ID, "cold & old")
	same(s, "prefix", *first.Filter.Prefix, "postgresql/")
	same(s, "class", first.Transitions[0].StorageClass, types.TransitionStorageClassGlacier)
	same(s, "days", *first.Expiration.Days, 365)
	same(s, "status", second.Status, types.ExpirationStatusDisabled)
	same(s, "noncurrent days", *second.NoncurrentVersionExpiration.NoncurrentDays, 7)
	same(s, "upload's days", *second.AbortIncompleteMultipartUpload.DaysAfterInitiation, 2)
	if aws.ToString(second.ID) == "" {
		s.Error("a rule without an ID was not given one")
	}
	s.fails(s.setLifecycle(types.LifecycleRule{Status: types.ExpirationStatusEnabled, Filter: all}), "InvalidRequest")
}
