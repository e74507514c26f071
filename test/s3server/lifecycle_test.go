package s3server_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// withRulesAhead follows rules by a time that the test moves.
func withRulesAhead(by *time.Duration) s3server.Option {
	return s3server.With(func(o *s3server.Options) { o.RulesAhead = func() time.Duration { return *by } })
}

func setRules(t *testing.T, r *s3server.Running, rules ...types.LifecycleRule) {
	t.Helper()
	for i := range rules {
		rules[i].Status = types.ExpirationStatusEnabled
		rules[i].Filter = &types.LifecycleRuleFilter{Prefix: aws.String("")}
	}
	_, err := client(r).PutBucketLifecycleConfiguration(t.Context(), &s3.PutBucketLifecycleConfigurationInput{
		Bucket: &r.Bucket, LifecycleConfiguration: &types.BucketLifecycleConfiguration{Rules: rules},
		TransitionDefaultMinimumObjectSize: types.TransitionDefaultMinimumObjectSizeVariesByStorageClass,
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestARuleIsFollowedAtTheMidnightAfterItsDays(t *testing.T) {
	var ahead time.Duration
	r := s3server.Start(t, withRulesAhead(&ahead))
	if err := put(r, "a", "x"); err != nil {
		t.Fatal(err)
	}
	upload, err := client(r).CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: &r.Bucket, Key: aws.String("b")})
	if err != nil {
		t.Fatal(err)
	}
	setRules(t, r, types.LifecycleRule{
		ID:                             aws.String("all"),
		Transitions:                    []types.Transition{{Days: aws.Int32(1), StorageClass: types.TransitionStorageClassGlacier}},
		Expiration:                     &types.LifecycleExpiration{Days: aws.Int32(3)},
		AbortIncompleteMultipartUpload: &types.AbortIncompleteMultipartUpload{DaysAfterInitiation: aws.Int32(1)},
	})
	head := func() (*s3.HeadObjectOutput, error) {
		return client(r).HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: &r.Bucket, Key: aws.String("a")})
	}
	out, err := head()
	if err != nil || out.StorageClass != "" || !strings.Contains(aws.ToString(out.Expiration), `rule-id="all"`) {
		t.Fatalf("%+v, %v", out, err)
	}
	ahead = 48 * time.Hour
	if out, err = head(); err != nil || out.StorageClass != types.StorageClassGlacier {
		t.Fatalf("%+v, %v", out, err)
	}
	_, err = client(r).ListParts(t.Context(), &s3.ListPartsInput{Bucket: &r.Bucket, Key: aws.String("b"), UploadId: upload.UploadId})
	if code(err) != "NoSuchUpload" {
		t.Errorf("upload: %v", err)
	}
	ahead = 96 * time.Hour
	if _, err = head(); code(err) != "NotFound" {
		t.Errorf("after its days: %v", err)
	}
}

func TestOldVersionsAndLoneMarkersGo(t *testing.T) {
	var ahead time.Duration
	r := s3server.Start(t, withRulesAhead(&ahead), s3server.WithVersions())
	for _, body := range []string{"1", "2", "3"} {
		if err := put(r, "a", body); err != nil {
			t.Fatal(err)
		}
	}
	setRules(t, r, types.LifecycleRule{
		ID:                          aws.String("old"),
		NoncurrentVersionExpiration: &types.NoncurrentVersionExpiration{NoncurrentDays: aws.Int32(2), NewerNoncurrentVersions: aws.Int32(1)},
		Expiration:                  &types.LifecycleExpiration{ExpiredObjectDeleteMarker: aws.Bool(true)},
	}, types.LifecycleRule{ID: aws.String("cold"), NoncurrentVersionTransitions: []types.NoncurrentVersionTransition{
		{NoncurrentDays: aws.Int32(1), StorageClass: types.TransitionStorageClassGlacier},
	}})
	left := func() (versions []types.ObjectVersion, markers int) {
		out, err := client(r).ListObjectVersions(t.Context(), &s3.ListObjectVersionsInput{Bucket: &r.Bucket})
		if err != nil {
			t.Fatal(err)
		}
		return out.Versions, len(out.DeleteMarkers)
	}
	ahead += 72 * time.Hour
	if versions, _ := left(); len(versions) != 2 || versions[1].StorageClass != types.ObjectVersionStorageClass("GLACIER") || *versions[0].Size != 1 {
		t.Fatalf("%+v", versions)
	}
	if _, err := client(r).DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &r.Bucket, Key: aws.String("a")}); err != nil {
		t.Fatal(err)
	}
	setRules(t, r, types.LifecycleRule{
		ID: aws.String("all"), Expiration: &types.LifecycleExpiration{ExpiredObjectDeleteMarker: aws.Bool(true)},
		NoncurrentVersionExpiration: &types.NoncurrentVersionExpiration{NoncurrentDays: aws.Int32(1)},
	})
	ahead += 72 * time.Hour
	_, _ = left()
	ahead += time.Minute
	if versions, markers := left(); len(versions) != 0 || markers != 0 {
		t.Errorf("%d versions, %d markers", len(versions), markers)
	}
}
