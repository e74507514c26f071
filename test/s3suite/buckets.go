package s3suite

import (
	"net/http"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

func escape(text string) string { return url.QueryEscape(text) }

func buckets(s *session) {
	name := "made-" + random(6)
	_, err := s.c.HeadBucket(s.ctx, &s3.HeadBucketInput{Bucket: &name})
	s.status(err, http.StatusNotFound)
	_, err = s.c.ListObjectsV2(s.ctx, &s3.ListObjectsV2Input{Bucket: &name})
	s.fails(err, "NoSuchBucket")
	_, err = s.c.CreateBucket(s.ctx, &s3.CreateBucketInput{Bucket: &name})
	s.ok(err)
	_, err = s.c.CreateBucket(s.ctx, &s3.CreateBucketInput{Bucket: &name})
	if err != nil { // us-east-1 may say 200 instead
		s.fails(err, "BucketAlreadyOwnedByYou")
	}
	_, err = s.c.HeadBucket(s.ctx, &s3.HeadBucketInput{Bucket: &name})
	s.ok(err)
}
