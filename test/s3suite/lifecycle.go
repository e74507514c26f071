package s3suite

import (
	"net/http"
	"time"

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
		s.Skip("LEFT OUT: a known difference of this store (Features.Lifecycle)")
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
	s.defaultMinimum()
	if s.Features.LifecycleAtOnce {
		s.obeysLifecycle()
	}
}

// defaultMinimum is of the whole document, and what is put without a word of it sets it back.
func (s *session) defaultMinimum() {
	rule := types.LifecycleRule{
		ID: aws.String("one"), Status: types.ExpirationStatusEnabled, Filter: &types.LifecycleRuleFilter{Prefix: aws.String("x")},
		AbortIncompleteMultipartUpload: &types.AbortIncompleteMultipartUpload{DaysAfterInitiation: aws.Int32(2)},
	}
	varies := types.TransitionDefaultMinimumObjectSizeVariesByStorageClass
	for _, want := range []types.TransitionDefaultMinimumObjectSize{varies, types.TransitionDefaultMinimumObjectSizeAllStorageClasses128k} {
		in := &s3.PutBucketLifecycleConfigurationInput{
			Bucket: &s.Bucket, LifecycleConfiguration: &types.BucketLifecycleConfiguration{Rules: []types.LifecycleRule{rule}},
		}
		if want == varies {
			in.TransitionDefaultMinimumObjectSize = varies
		}
		_, err := s.c.PutBucketLifecycleConfiguration(s.ctx, in)
		s.ok(err)
		out, err := s.c.GetBucketLifecycleConfiguration(s.ctx, &s3.GetBucketLifecycleConfigurationInput{Bucket: &s.Bucket})
		s.ok(err)
		same(s, "default minimum", out.TransitionDefaultMinimumObjectSize, want)
	}
}

// obeysLifecycle puts rules that are due since long.
func (s *session) obeysLifecycle() {
	past := aws.Time(time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC))
	for name, size := range map[string]int{"gone/old": 1, "cold/large": 200 << 10, "cold/small": 10, "sized/large": 2000, "sized/small": 10} {
		s.mustPut(name, noise(size))
	}
	below := func(name string) *types.LifecycleRuleFilter {
		return &types.LifecycleRuleFilter{Prefix: s.key(name)}
	}
	rule := func(id string, filter *types.LifecycleRuleFilter) types.LifecycleRule {
		return types.LifecycleRule{ID: &id, Status: types.ExpirationStatusEnabled, Filter: filter}
	}
	gone, cold := rule("gone", below("gone/")), rule("cold", below("cold/"))
	gone.Expiration = &types.LifecycleExpiration{Date: past}
	cold.Transitions = []types.Transition{{Date: past, StorageClass: types.TransitionStorageClassGlacierIr}}
	sized := rule("sized", &types.LifecycleRuleFilter{And: &types.LifecycleRuleAndOperator{
		Prefix: s.key("sized/"), ObjectSizeGreaterThan: aws.Int64(1000),
	}})
	sized.Transitions = []types.Transition{{Date: past, StorageClass: types.TransitionStorageClassDeepArchive}}
	s.ok(s.setLifecycle(gone, cold, sized))
	_, err := s.head("gone/old")
	s.status(err, http.StatusNotFound)
	for name, want := range map[string]types.StorageClass{
		"cold/large": types.StorageClassGlacierIr, "cold/small": "",
		"sized/large": types.StorageClassDeepArchive, "sized/small": "",
	} {
		out, err := s.head(name)
		s.ok(err)
		same(s, "class of "+name, out.StorageClass, want)
	}
}
