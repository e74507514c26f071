package s3suite

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"codeberg.org/pgbtui/pgbtui/test/need"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// StartMinIO starts MinIO on a folder of the test, with a bucket, until the test's end, and with a key to encrypt
// with. PGBTUI_TEST_MINIO is its program, which `make matrix` builds from test/minio in five minutes.
func StartMinIO(t testing.TB) Store {
	t.Helper()
	return startMinIO(t, "http://", "", minioKey)
}

// StartMinIOWithoutKeys starts MinIO as it is without further ado: it refuses to encrypt.
func StartMinIOWithoutKeys(t testing.TB) Store {
	t.Helper()
	return startMinIO(t, "http://", "")
}

const minioKey = "MINIO_KMS_SECRET_KEY=test:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

// StartMinIOTLS is StartMinIO over https.
func StartMinIOTLS(t testing.TB) Store {
	t.Helper()
	dir := t.TempDir()
	cert, ca, err := s3server.SelfSigned("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	certFile := filepath.Join(dir, "public.crt") // names that MinIO looks for
	if err := errors.Join(os.WriteFile(certFile, ca, 0o600), os.WriteFile(filepath.Join(dir, "private.key"), keyPEM(t, cert), 0o600)); err != nil {
		t.Fatal(err)
	}
	return startMinIO(t, "https://", certFile, minioKey)
}

func startMinIO(t testing.TB, scheme, certFile string, env ...string) Store {
	t.Helper()
	program := need.Given(t, "PGBTUI_TEST_MINIO", "the program of MinIO, which `make matrix` builds")
	s := Store{
		AccessKey: "minio-key", SecretKey: "minio-secret", Region: "us-east-1", Bucket: "backups", Features: MinIO(),
		CAFile: certFile,
	}
	addr, certs := freeAddress(t), t.TempDir()
	if certFile != "" {
		certs = filepath.Dir(certFile)
	}
	s.Endpoint = scheme + addr
	startProgram(t, server{
		name: "MinIO", addr: addr, program: program,
		args: []string{"server", "--quiet", "--address", addr, "--console-address", freeAddress(t), "--certs-dir", certs, t.TempDir()},
		env: append(
			env, "MINIO_ROOT_USER="+s.AccessKey, "MINIO_ROOT_PASSWORD="+s.SecretKey, "HOME="+t.TempDir(),
			"MINIO_CI_CD=1", // else it wants a disk of its own
		),
	})
	s.awaitBucket(t)
	return s
}

// awaitBucket makes the bucket of a server that listens before it serves.
func (s Store) awaitBucket(t testing.TB) {
	t.Helper()
	var err error
	for range 60 {
		if _, err = s.Client(t).CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &s.Bucket}); err == nil {
			return
		}
		time.Sleep(500 * time.Millisecond)
	}
	t.Fatalf("make bucket in %s: %v", s.Endpoint, err)
}
