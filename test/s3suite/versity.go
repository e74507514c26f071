package s3suite

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

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
	addr := freeAddress(t)
	s.Endpoint = scheme + addr
	args := append([]string{"--port", addr, "--quiet", "--keep-alive"}, flags...)
	startProgram(t, server{
		name: "versitygw", addr: addr, program: versityProgram(t),
		args: append(args, "posix", "--versioning-dir", t.TempDir(), t.TempDir()),
		env:  []string{"ROOT_ACCESS_KEY=" + s.AccessKey, "ROOT_SECRET_KEY=" + s.SecretKey},
	})
	if scheme == "http://" {
		s.makeBucket(t)
	}
	return s
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
