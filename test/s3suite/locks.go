package s3suite

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

func (s *session) inLockedBucket() {
	s.Helper()
	s.inBucket(func(in *s3.CreateBucketInput) { in.ObjectLockEnabledForBucket = aws.Bool(true) })
}

// inDays is a time that S3 gives back as it got it.
func inDays(n int) time.Time { return time.Now().UTC().AddDate(0, 0, n).Truncate(time.Second) }

func lockedPut(mode types.ObjectLockMode, until time.Time) func(*s3.PutObjectInput) {
	return func(in *s3.PutObjectInput) {
		in.ObjectLockMode, in.ObjectLockRetainUntilDate = mode, &until
		in.ChecksumAlgorithm = types.ChecksumAlgorithmCrc64nvme // S3 wants a locked upload vouched for
	}
}

func (s *session) retain(name, version string, mode types.ObjectLockRetentionMode, until time.Time) error {
	_, err := s.c.PutObjectRetention(s.ctx, &s3.PutObjectRetentionInput{
		Bucket: &s.Bucket, Key: s.key(name), VersionId: &version, Retention: &types.ObjectLockRetention{Mode: mode, RetainUntilDate: &until},
	})
	return err
}

// lockedUntil wants head to tell of a retention.
func (s *session) lockedUntil(name string, mode types.ObjectLockMode, until time.Time) {
	s.Helper()
	head, err := s.head(name)
	s.ok(err)
	same(s, "mode of "+name, head.ObjectLockMode, mode)
	if got := aws.ToTime(head.ObjectLockRetainUntilDate); !got.Equal(until) {
		s.Errorf("%s is locked until %s, want %s", name, got, until)
	}
}

func locks(s *session) {
	s.sub("hold a version until their end", heldVersions)
	s.sub("are extended and never shortened", extendedLocks)
	s.sub("by hold end with it", legalHolds)
	s.sub("cover objects of parts", lockedUploads)
	s.sub("come by default", defaultLocks)
	s.sub("need a bucket that has them", func(s *session) {
		s.inVersionedBucket()
		_, err := s.put("a", []byte("x"), lockedPut(types.ObjectLockModeGovernance, inDays(1)))
		s.fails(err, "InvalidRequest")
		_, err = s.c.GetObjectLockConfiguration(s.ctx, &s3.GetObjectLockConfigurationInput{Bucket: &s.Bucket})
		s.fails(err, "ObjectLockConfigurationNotFoundError")
	})
	s.sub("are of the future, and keep versions on", func(s *session) {
		s.inLockedBucket()
		_, err := s.put("a", []byte("x"), lockedPut(types.ObjectLockModeGovernance, inDays(-1)))
		s.fails(err, "InvalidArgument", "InvalidRequest")
		s.fails(s.setVersioning(types.BucketVersioningStatusSuspended), "InvalidBucketState")
	})
}

func heldVersions(s *session) {
	s.inLockedBucket()
	until := inDays(3)
	for mode, name := range map[types.ObjectLockMode]string{types.ObjectLockModeGovernance: "g", types.ObjectLockModeCompliance: "c"} {
		out, err := s.put(name, []byte("x"), lockedPut(mode, until))
		s.ok(err)
		s.lockedUntil(name, mode, until)
		_, err = s.deleteKey(name, *out.VersionId)
		s.fails(err, s.Features.LockedCode)
		many, err := s.c.DeleteObjects(s.ctx, &s3.DeleteObjectsInput{Bucket: &s.Bucket, Delete: &types.Delete{
			Objects: []types.ObjectIdentifier{{Key: s.key(name), VersionId: out.VersionId}},
		}})
		s.ok(err)
		if len(many.Errors) != 1 || *many.Errors[0].Code != s.Features.LockedCode {
			s.Errorf("%s: DeleteObjects says %+v", name, many)
		}
		// Hiding is no deleting.
		gone, err := s.deleteKey(name, "")
		s.ok(err)
		same(s, "is a marker", aws.ToBool(gone.DeleteMarker), true)
		_, err = s.getVersion(name, *out.VersionId)
		s.ok(err)
	}
	if s.Features.LockNeedsSum {
		_, err := s.put("bare", []byte("x"), lockedPut(types.ObjectLockModeGovernance, until), func(in *s3.PutObjectInput) { in.ChecksumAlgorithm = "" })
		s.fails(err, "InvalidRequest")
	}
	free := s.mustPut("free", []byte("x"))
	_, err := s.deleteKey("free", *free.VersionId)
	s.ok(err)
}

func extendedLocks(s *session) {
	s.inLockedBucket()
	out, err := s.put("a", []byte("x"), lockedPut(types.ObjectLockModeCompliance, inDays(3)))
	s.ok(err)
	s.fails(s.retain("a", *out.VersionId, types.ObjectLockRetentionModeCompliance, inDays(1)), s.Features.LockedCode)
	s.fails(s.retain("a", *out.VersionId, types.ObjectLockRetentionModeGovernance, inDays(5)), s.Features.LockedCode)
	later := inDays(5)
	s.ok(s.retain("a", *out.VersionId, types.ObjectLockRetentionModeCompliance, later))
	s.lockedUntil("a", types.ObjectLockModeCompliance, later)
	got, err := s.c.GetObjectRetention(s.ctx, &s3.GetObjectRetentionInput{Bucket: &s.Bucket, Key: s.key("a")})
	s.ok(err)
	if !got.Retention.RetainUntilDate.Equal(later) {
		s.Errorf("retention is %+v", got.Retention)
	}
}

func legalHolds(s *session) {
	s.inLockedBucket()
	out := s.mustPut("a", []byte("x"))
	set := func(status types.ObjectLockLegalHoldStatus) {
		_, err := s.c.PutObjectLegalHold(s.ctx, &s3.PutObjectLegalHoldInput{
			Bucket: &s.Bucket, Key: s.key("a"), VersionId: out.VersionId, LegalHold: &types.ObjectLockLegalHold{Status: status},
		})
		s.ok(err)
	}
	set(types.ObjectLockLegalHoldStatusOn)
	head, err := s.head("a")
	s.ok(err)
	same(s, "hold", head.ObjectLockLegalHoldStatus, types.ObjectLockLegalHoldStatusOn)
	_, err = s.deleteKey("a", *out.VersionId)
	s.fails(err, s.Features.LockedCode)
	set(types.ObjectLockLegalHoldStatusOff)
	_, err = s.deleteKey("a", *out.VersionId)
	s.ok(err)
}

func lockedUploads(s *session) {
	s.inLockedBucket()
	until := inDays(2)
	b := s.begin("parts", func(in *s3.CreateMultipartUploadInput) {
		in.ObjectLockMode, in.ObjectLockRetainUntilDate = types.ObjectLockModeCompliance, &until
		in.ChecksumAlgorithm = types.ChecksumAlgorithmCrc64nvme
	})
	b.add(noise(1000))
	out, err := b.complete()
	s.ok(err)
	s.lockedUntil("parts", types.ObjectLockModeCompliance, until)
	_, err = s.deleteKey("parts", *out.VersionId)
	s.fails(err, s.Features.LockedCode)
}

func defaultLocks(s *session) {
	s.inLockedBucket()
	_, err := s.c.PutObjectLockConfiguration(s.ctx, &s3.PutObjectLockConfigurationInput{
		Bucket: &s.Bucket, ObjectLockConfiguration: &types.ObjectLockConfiguration{
			ObjectLockEnabled: types.ObjectLockEnabledEnabled,
			Rule:              &types.ObjectLockRule{DefaultRetention: &types.DefaultRetention{Mode: types.ObjectLockRetentionModeGovernance, Days: aws.Int32(4)}},
		},
	})
	s.ok(err)
	got, err := s.c.GetObjectLockConfiguration(s.ctx, &s3.GetObjectLockConfigurationInput{Bucket: &s.Bucket})
	s.ok(err)
	same(s, "days", aws.ToInt32(got.ObjectLockConfiguration.Rule.DefaultRetention.Days), 4)
	out, err := s.put("a", []byte("x"), func(in *s3.PutObjectInput) { in.ChecksumAlgorithm = types.ChecksumAlgorithmCrc64nvme })
	s.ok(err)
	if s.Features.TellsDefault {
		head, err := s.head("a")
		s.ok(err)
		same(s, "mode", head.ObjectLockMode, types.ObjectLockModeGovernance)
		if left := time.Until(aws.ToTime(head.ObjectLockRetainUntilDate)); left < 3*24*time.Hour || left > 5*24*time.Hour {
			s.Errorf("locked for %s", left)
		}
	}
	_, err = s.deleteKey("a", *out.VersionId)
	s.fails(err, s.Features.LockedCode)
	later := inDays(9)
	_, err = s.put("own", []byte("x"), lockedPut(types.ObjectLockModeCompliance, later))
	s.ok(err)
	s.lockedUntil("own", types.ObjectLockModeCompliance, later)
}
