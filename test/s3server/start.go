package s3server

import (
	"context"
	"crypto/tls"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Running is a server for one test, ended with it.
type Running struct {
	*Server
	Endpoint  string // http://127.0.0.1:PORT or https://…
	Bucket    string
	AccessKey string
	SecretKey string
	Region    string
	Dir       string
	CAFile    string // PEM of the CA that signed the certificate; "" without TLS
}

// Option changes how Start sets a server up.
type Option func(*setup)

type setup struct {
	Options
	bucket string
	info   bucketInfo
	tls    bool
	ends   time.Time // of the certificate
}

// WithTLS serves https with a certificate for 127.0.0.1, ::1 and localhost.
func WithTLS() Option { return func(s *setup) { s.tls = true } }

// WithTLSUntil is WithTLS with a certificate that is good for 25 hours until end.
func WithTLSUntil(end time.Time) Option { return func(s *setup) { s.tls, s.ends = true, end } }

// WithBucket names the bucket that is made; the default is "backups".
func WithBucket(name string) Option { return func(s *setup) { s.bucket = name } }

// WithVersions makes the bucket one that keeps versions.
func WithVersions() Option { return func(s *setup) { s.info.Versioning = versioningEnabled } }

// WithObjectLock makes the bucket one with object lock, without a default retention.
func WithObjectLock() Option {
	return func(s *setup) { s.info.Versioning, s.info.ObjectLock = versioningEnabled, true }
}

// WithDefaultRetention makes the bucket one that locks every new version for some days.
func WithDefaultRetention(mode string, days int) Option {
	return func(s *setup) {
		WithObjectLock()(s)
		s.info.DefaultLock = defaultLock{Mode: mode, Days: days}
	}
}

// With changes the server's own options.
func With(change func(*Options)) Option { return func(s *setup) { change(&s.Options) } }

// Start runs a server on a free port of 127.0.0.1 and a folder of the test, until the test's end.
func Start(t testing.TB, opts ...Option) *Running {
	t.Helper()
	set := setup{bucket: "backups", Options: Options{Dir: t.TempDir()}, ends: time.Now().Add(24 * time.Hour)}
	for _, o := range opts {
		o(&set)
	}
	s, err := New(set.Options)
	if err != nil {
		t.Fatal(err)
	}
	set.info.Created = s.now()
	if _, err := s.store.createBucket(set.bucket, set.info); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &Running{
		Server: s, Endpoint: "http://" + l.Addr().String(), Bucket: set.bucket, AccessKey: s.opt.AccessKey,
		SecretKey: s.opt.SecretKey, Region: s.opt.Region, Dir: set.Dir,
	}
	var cert *tls.Certificate
	if set.tls {
		cert = r.secure(t, l.Addr().String(), set.ends)
	}
	r.serve(t, l, cert)
	return r
}

// secure makes a certificate and the CA file that a client needs.
func (r *Running) secure(t testing.TB, addr string, ends time.Time) *tls.Certificate {
	t.Helper()
	cert, ca, err := selfSigned(ends, "127.0.0.1", "::1", "localhost")
	if err != nil {
		t.Fatal(err)
	}
	r.Endpoint = "https://" + addr
	r.CAFile = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(r.CAFile, ca, 0o644); err != nil { // a certificate is public
		t.Fatal(err)
	}
	return cert
}

func (r *Running) serve(t testing.TB, l net.Listener, cert *tls.Certificate) {
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.Serve(ctx, l, cert) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("s3server: %v", err)
		}
	})
}
