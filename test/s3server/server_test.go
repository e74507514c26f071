package s3server_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// trusting is a client that trusts the server's CA.
func trusting(t *testing.T, r *s3server.Running) *s3.Client {
	t.Helper()
	return client(r, func(o *s3.Options) { o.HTTPClient = httpClient(t, r.CAFile) })
}

func putTrusting(t *testing.T, r *s3server.Running, key string) error {
	t.Helper()
	_, err := trusting(t, r).PutObject(t.Context(), &s3.PutObjectInput{Bucket: &r.Bucket, Key: &key, Body: strings.NewReader("x")})
	return err
}

func TestClientThatDoesNotTrustTheCertificateRefusesIt(t *testing.T) {
	r := s3server.Start(t, s3server.WithTLS())
	if err := put(r, "a", "x"); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("got %v", err)
	}
	if err := putTrusting(t, r, "a"); err != nil {
		t.Errorf("trusting: %v", err)
	}
}

// serveDir runs a server on a folder until stop.
func serveDir(t *testing.T, dir string) (r *s3server.Running, stop func()) {
	t.Helper()
	s, err := s3server.New(s3server.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, l, nil) }()
	r = &s3server.Running{
		Server: s, Endpoint: "http://" + l.Addr().String(), Bucket: "backups", Region: s3server.DefaultRegion,
		AccessKey: s3server.DefaultAccessKey, SecretKey: s3server.DefaultSecretKey,
	}
	if err := s.MakeBucket(r.Bucket); err != nil {
		t.Fatal(err)
	}
	return r, func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

func TestEverythingIsThereAfterARestart(t *testing.T) {
	dir := t.TempDir()
	r, stop := serveDir(t, dir)
	if _, err := s3server.New(s3server.Options{Dir: dir}); err == nil {
		t.Error("a second server got the same folder")
	}
	hostile := "../../etc/\x01 ü"
	if err := put(r, hostile, "body"); err != nil {
		t.Fatal(err)
	}
	begun, err := client(r).CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: &r.Bucket, Key: aws.String("up")})
	if err != nil {
		t.Fatal(err)
	}
	part, err := client(r).UploadPart(t.Context(), &s3.UploadPartInput{
		Bucket: &r.Bucket, Key: aws.String("up"), UploadId: begun.UploadId, PartNumber: aws.Int32(1), Body: strings.NewReader("part"),
	})
	if err != nil {
		t.Fatal(err)
	}
	stop()
	orphan := filepath.Join(dir, r.Bucket, "data", "orphan")
	if err := errors.Join(os.WriteFile(orphan, nil, 0o600), os.WriteFile(filepath.Join(dir, r.Bucket, "keys", "x.tmp"), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	r, stop = serveDir(t, dir)
	defer stop()
	if _, err := os.Stat(orphan); !os.IsNotExist(err) {
		t.Errorf("what a killed server left is still there: %v", err)
	}
	if got, err := get(t.Context(), r, hostile); got != "body" || err != nil {
		t.Errorf("object: %q %v", got, err)
	}
	_, err = client(r).CompleteMultipartUpload(t.Context(), &s3.CompleteMultipartUploadInput{
		Bucket: &r.Bucket, Key: aws.String("up"), UploadId: begun.UploadId,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: []types.CompletedPart{{PartNumber: aws.Int32(1), ETag: part.ETag}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := get(t.Context(), r, "up"); got != "part" || err != nil {
		t.Errorf("upload: %q %v", got, err)
	}
}

// plainReader hides a pipe from the SDK, which would send it without its length.
type plainReader struct{ io.Reader }

func TestBrokenOffUploadLeavesNothing(t *testing.T) {
	r := s3server.Start(t)
	body, feed := io.Pipe()
	go func() {
		_, _ = feed.Write(make([]byte, 100_000))
		_ = feed.CloseWithError(errors.New("source died"))
	}()
	_, err := client(r, unsigned).PutObject(t.Context(), &s3.PutObjectInput{
		Bucket: &r.Bucket, Key: aws.String("a"), Body: plainReader{body}, ContentLength: aws.Int64(200_000),
	})
	if err == nil {
		t.Fatal("half a body was taken")
	}
	if err := r.Close(); err != nil { // waits for the request
		t.Error(err)
	}
	for _, sub := range []string{"keys", "data"} {
		if left, err := os.ReadDir(filepath.Join(r.Dir, r.Bucket, sub)); err != nil || len(left) != 0 {
			t.Errorf("%s holds %d files, %v", sub, len(left), err)
		}
	}
}

func TestDeleteDuringAConditionalPutIsAConflict(t *testing.T) {
	r := s3server.Start(t)
	body, feed := io.Pipe()
	result := make(chan error, 1)
	go func() {
		_, err := client(r, unsigned).PutObject(context.Background(), &s3.PutObjectInput{
			Bucket: &r.Bucket, Key: aws.String("a"), Body: plainReader{body}, ContentLength: aws.Int64(200_000), IfNoneMatch: aws.String("*"),
		})
		result <- err
	}()
	if _, err := feed.Write(make([]byte, 150_000)); err != nil {
		t.Fatal(err)
	}
	waitForData(t, r)
	if _, err := client(r).DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &r.Bucket, Key: aws.String("a")}); err != nil {
		t.Fatal(err)
	}
	if _, err := feed.Write(make([]byte, 50_000)); err != nil {
		t.Fatal(err)
	}
	_ = feed.Close()
	if err := <-result; code(err) != "ConditionalRequestConflict" {
		t.Errorf("got %v", err)
	}
}

// waitForData waits until the server is storing a body.
func waitForData(t *testing.T, r *s3server.Running) {
	t.Helper()
	for range 1000 {
		if files, _ := os.ReadDir(filepath.Join(r.Dir, r.Bucket, "data")); len(files) > 0 {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatal("the body never arrived")
}

func TestRefusalReachesAClientThatIsStillSending(t *testing.T) {
	r := s3server.Start(t)
	body, feed := io.Pipe()
	go func() { _, _ = feed.Write(make([]byte, 100_000)) }() // and never the rest
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, r.Endpoint+"/backups/a", body)
	if err != nil {
		t.Fatal(err)
	}
	request.ContentLength = 200_000
	answer, err := httpClient(t, "").Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusForbidden {
		t.Errorf("status %d", answer.StatusCode)
	}
}

func TestBodyWithoutItsLengthIsRefused(t *testing.T) {
	r := s3server.Start(t)
	body, feed := io.Pipe()
	go func() { _ = feed.Close() }()
	_, err := client(r, unsigned).PutObject(t.Context(), &s3.PutObjectInput{Bucket: &r.Bucket, Key: aws.String("a"), Body: body})
	if code(err) != "NotImplemented" {
		t.Errorf("got %v", err)
	}
}

func TestFurtherCallerIsHeldToItsLimits(t *testing.T) {
	writer := s3server.Credential{AccessKey: "writer", SecretKey: "s", SessionToken: "token", Deny: []s3server.Op{s3server.OpDeleteObject}}
	r := s3server.Start(t, s3server.With(func(o *s3server.Options) { o.More = []s3server.Credential{writer} }))
	as := func(token string) *s3.Client {
		return client(r, func(o *s3.Options) { o.Credentials = credentials.NewStaticCredentialsProvider("writer", "s", token) })
	}
	in := &s3.PutObjectInput{Bucket: &r.Bucket, Key: aws.String("a"), Body: strings.NewReader("x")}
	if _, err := as("token").PutObject(t.Context(), in); err != nil {
		t.Errorf("put: %v", err)
	}
	if _, err := as("other").ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &r.Bucket}); code(err) != "InvalidToken" {
		t.Errorf("other token: %v", err)
	}
	_, err := as("token").DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &r.Bucket, Key: aws.String("a")})
	if code(err) != "AccessDenied" {
		t.Errorf("delete: %v", err)
	}
	_, err = client(r).HeadBucket(t.Context(), &s3.HeadBucketInput{Bucket: &r.Bucket, ExpectedBucketOwner: aws.String("999999999999")})
	if err == nil {
		t.Error("a bucket of another account was taken for ours")
	}
}

func TestArchivedObjectIsReadableOnlyAfterItsThaw(t *testing.T) {
	now := time.Now()
	r := s3server.Start(t, s3server.With(func(o *s3server.Options) {
		o.ThawAfter, o.Clock = 5*time.Minute, func() time.Time { return now }
	}))
	key := aws.String("cold")
	_, err := client(r).PutObject(t.Context(), &s3.PutObjectInput{
		Bucket: &r.Bucket, Key: key, Body: strings.NewReader("x"), StorageClass: types.StorageClassDeepArchive,
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := get(t.Context(), r, "cold"); code(err) != "InvalidObjectState" {
		t.Errorf("frozen: %v", err)
	}
	_, err = client(r).RestoreObject(t.Context(), &s3.RestoreObjectInput{Bucket: &r.Bucket, Key: key, RestoreRequest: &types.RestoreRequest{Days: aws.Int32(1)}})
	if err != nil {
		t.Fatal(err)
	}
	head, err := client(r).HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: &r.Bucket, Key: key})
	if err != nil || aws.ToString(head.Restore) != `ongoing-request="true"` {
		t.Errorf("thawing: %v %v", head, err)
	}
	now = now.Add(6 * time.Minute)
	if got, err := get(t.Context(), r, "cold"); got != "x" || err != nil {
		t.Errorf("thawed: %q %v", got, err)
	}
}

func TestWhatIsNotBuiltSaysSo(t *testing.T) {
	r := s3server.Start(t)
	_, err := client(r).GetBucketCors(t.Context(), &s3.GetBucketCorsInput{Bucket: &r.Bucket})
	if code(err) != "NotImplemented" {
		t.Errorf("CORS: %v", err)
	}
	_, err = client(r).PutObject(t.Context(), &s3.PutObjectInput{Bucket: &r.Bucket, Key: aws.String("a"), Tagging: aws.String("a=b")})
	if code(err) != "NotImplemented" {
		t.Errorf("tagging: %v", err)
	}
	if head, err := http.Head(r.Endpoint); err != nil || head.StatusCode != http.StatusForbidden {
		t.Errorf("unsigned: %v %v", head, err)
	}
}
