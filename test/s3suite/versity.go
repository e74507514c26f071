package s3suite

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"codeberg.org/pgbtui/pgbtui/test/need"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// StartVersity starts versitygw on a folder of the test, with a bucket, until the test's end. The first
// build takes minutes; Go's build cache keeps the program, by the version that test/versitygw/go.mod pins.
func StartVersity(t testing.TB) Store {
	t.Helper()
	return startVersity(t, "http://")
}

// StartVersityTLS is StartVersity over https.
func StartVersityTLS(t testing.TB) Store {
	t.Helper()
	dir := t.TempDir()
	cert, ca, err := s3server.SelfSigned("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	if err := errors.Join(os.WriteFile(certFile, ca, 0o600), os.WriteFile(keyFile, keyPEM(t, cert), 0o600)); err != nil {
		t.Fatal(err)
	}
	s := startVersity(t, "https://", "--cert", certFile, "--key", keyFile)
	s.CAFile = certFile
	s.makeBucket(t)
	return s
}

func keyPEM(t testing.TB, cert *tls.Certificate) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

func startVersity(t testing.TB, scheme string, flags ...string) Store {
	t.Helper()
	need.All(t, "versitygw (the first build takes minutes)")
	s := Store{
		AccessKey: "versity-key", SecretKey: "versity-secret", Region: "us-east-1", Bucket: "backups", Features: Versity(),
	}
	program, addr, said := versityProgram(t), freeAddress(t), filepath.Join(t.TempDir(), "versitygw.log")
	s.Endpoint = scheme + addr
	log, err := os.Create(said)
	if err != nil {
		t.Fatal(err)
	}
	args := append([]string{"--port", addr, "--quiet", "--keep-alive"}, flags...)
	cmd := exec.CommandContext(context.Background(), program, append(args, "posix", "--versioning-dir", t.TempDir(), t.TempDir())...)
	cmd.Env = append(os.Environ(), "ROOT_ACCESS_KEY="+s.AccessKey, "ROOT_SECRET_KEY="+s.SecretKey)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatalf("start versitygw: %v", err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // killed just now
		_ = log.Close()
		if text, _ := os.ReadFile(said); t.Failed() {
			t.Logf("versitygw said:\n%s", text)
		}
	})
	awaitListener(t, addr, said)
	if scheme == "http://" {
		s.makeBucket(t)
	}
	return s
}

func (s Store) makeBucket(t testing.TB) {
	t.Helper()
	if _, err := s.Client(t).CreateBucket(context.Background(), &s3.CreateBucketInput{Bucket: &s.Bucket}); err != nil {
		t.Fatalf("make bucket in versitygw: %v", err)
	}
}

// versityProgram builds the pinned tool, or finds it built, and returns its path.
func versityProgram(t testing.TB) string {
	t.Helper()
	_, self, _, _ := runtime.Caller(0)
	cmd := exec.CommandContext(context.Background(), "go", "tool", "-n", "versitygw")
	cmd.Dir = filepath.Join(filepath.Dir(self), "..", "versitygw")
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=readonly -buildvcs=false", "GOWORK=off")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("build versitygw: %v\n%s", err, stderr.String())
	}
	return strings.TrimSpace(string(out))
}

func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// awaitListener waits until somebody listens.
func awaitListener(t testing.TB, addr, said string) {
	t.Helper()
	for range 300 {
		if c, err := net.DialTimeout("tcp", addr, time.Second); err == nil {
			_ = c.Close()
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	text, _ := os.ReadFile(said)
	t.Fatalf("versitygw did not listen within 30 s:\n%s", text)
}
