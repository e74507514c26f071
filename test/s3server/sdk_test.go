package s3server_test

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// client is the SDK's client of a running server, which retries nothing.
func client(r *s3server.Running, change ...func(*s3.Options)) *s3.Client {
	return s3.New(s3.Options{
		BaseEndpoint: aws.String(r.Endpoint), UsePathStyle: true, Region: r.Region, Retryer: aws.NopRetryer{},
		Credentials: credentials.NewStaticCredentialsProvider(r.AccessKey, r.SecretKey, ""),
	}, change...)
}

func TestServerStartsEmptyWithItsBucket(t *testing.T) {
	r := s3server.Start(t)
	out, err := client(r).ListObjectsV2(context.Background(), &s3.ListObjectsV2Input{Bucket: &r.Bucket})
	if err != nil || *out.KeyCount != 0 {
		t.Fatalf("list: %v %+v", err, out)
	}
	if n := len(r.Requests(s3server.OpListObjectsV2)); n != 1 {
		t.Fatalf("%d requests logged", n)
	}
}
