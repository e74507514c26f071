package s3server_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

func TestVersionsLocksAndRulesSurviveARestart(t *testing.T) {
	dir := t.TempDir()
	r, stop := serveDir(t, dir)
	bucket := aws.String("locked")
	must := func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	c := client(r)
	must(c.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: bucket, ObjectLockEnabledForBucket: aws.Bool(true)}))
	must(c.PutBucketLifecycleConfiguration(t.Context(), &s3.PutBucketLifecycleConfigurationInput{
		Bucket: bucket, LifecycleConfiguration: &types.BucketLifecycleConfiguration{Rules: []types.LifecycleRule{{
			Status: types.ExpirationStatusEnabled, Filter: &types.LifecycleRuleFilter{Prefix: aws.String("p/")},
			NoncurrentVersionExpiration: &types.NoncurrentVersionExpiration{NoncurrentDays: aws.Int32(3)},
		}}},
	}))
	until := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
	for range 3 {
		must(c.PutObject(t.Context(), &s3.PutObjectInput{
			Bucket: bucket, Key: aws.String("a"), ChecksumAlgorithm: types.ChecksumAlgorithmCrc64nvme,
			ObjectLockMode: types.ObjectLockModeGovernance, ObjectLockRetainUntilDate: &until,
		}))
	}
	must(c.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: bucket, Key: aws.String("a")}))
	before := bucketState(t, c, bucket)
	stop()
	r, stop = serveDir(t, dir)
	defer stop()
	if after := bucketState(t, client(r), bucket); after != before {
		t.Errorf("before the restart\n%s\nafter\n%s", before, after)
	}
}

// bucketState is what a restart must keep.
func bucketState(t *testing.T, c *s3.Client, bucket *string) (text string) {
	t.Helper()
	list, err := c.ListObjectVersions(t.Context(), &s3.ListObjectVersionsInput{Bucket: bucket})
	if err != nil || len(list.Versions) != 3 || len(list.DeleteMarkers) != 1 {
		t.Fatalf("%+v, %v", list, err)
	}
	for _, v := range list.Versions {
		head, err := c.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: bucket, Key: v.Key, VersionId: v.VersionId})
		if err != nil {
			t.Fatal(err)
		}
		text += fmt.Sprintln(*v.VersionId, *v.IsLatest, head.ObjectLockMode, head.ObjectLockRetainUntilDate)
	}
	rules, err := c.GetBucketLifecycleConfiguration(t.Context(), &s3.GetBucketLifecycleConfigurationInput{Bucket: bucket})
	if err != nil {
		t.Fatal(err)
	}
	return text + fmt.Sprintln(*list.DeleteMarkers[0].VersionId, *rules.Rules[0].ID, *rules.Rules[0].NoncurrentVersionExpiration.NoncurrentDays)
}

func TestNobodyBypassesGovernance(t *testing.T) {
	r := s3server.Start(t, s3server.WithDefaultRetention("GOVERNANCE", 1))
	out, err := client(r).PutObject(t.Context(), &s3.PutObjectInput{Bucket: &r.Bucket, Key: aws.String("a"), ChecksumAlgorithm: types.ChecksumAlgorithmSha256})
	if err != nil {
		t.Fatal(err)
	}
	_, err = client(r).DeleteObject(t.Context(), &s3.DeleteObjectInput{
		Bucket: &r.Bucket, Key: aws.String("a"), VersionId: out.VersionId, BypassGovernanceRetention: aws.Bool(true),
	})
	if code(err) != "AccessDenied" {
		t.Errorf("delete: %v", err)
	}
}
