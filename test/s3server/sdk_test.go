package s3server_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"os"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
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

// unsigned lets the client send a body that it cannot read twice over plain HTTP.
func unsigned(o *s3.Options) {
	o.APIOptions = append(o.APIOptions, v4.SwapComputePayloadSHA256ForUnsignedPayloadMiddleware)
	o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
}

// httpClient trusts the CA of a file, or, without one, the system's.
func httpClient(t *testing.T, caFile string) *http.Client {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	if caFile != "" {
		pem, err := os.ReadFile(caFile)
		pool := x509.NewCertPool()
		if err != nil || !pool.AppendCertsFromPEM(pem) {
			t.Fatalf("read %s: %v", caFile, err)
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	return &http.Client{Transport: transport}
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
