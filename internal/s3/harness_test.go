package s3

import (
	"errors"
	"io"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// smallPart keeps many-part uploads small in tests.
const smallPart = 64 << 10

// quietEnvironment takes away what the machine says about AWS.
func quietEnvironment(t *testing.T) {
	t.Helper()
	nowhere := filepath.Join(t.TempDir(), "none")
	for _, name := range []string{
		"AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_CA_BUNDLE",
		"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_MAX_ATTEMPTS",
	} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_CONFIG_FILE", nowhere)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", nowhere)
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
}

// startServer is a real S3 server that takes parts of any size.
func startServer(t *testing.T, opts ...s3server.Option) *s3server.Running {
	t.Helper()
	quietEnvironment(t)
	small := s3server.With(func(o *s3server.Options) { o.MinPartBytes = 1 })
	srv := s3server.Start(t, append([]s3server.Option{small}, opts...)...)
	t.Setenv("AWS_ACCESS_KEY_ID", srv.AccessKey)
	t.Setenv("AWS_SECRET_ACCESS_KEY", srv.SecretKey)
	return srv
}

// openAt opens srv's bucket with short waits and small parts.
func openAt(t *testing.T, srv *s3server.Running, change ...func(*Options)) *Bucket {
	t.Helper()
	o := Options{
		Bucket: srv.Bucket, Endpoint: srv.Endpoint, Region: srv.Region,
		PartSizeMin: smallPart, MaxAttempts: 5, MaxBackoff: time.Millisecond, IdleTimeout: 5 * time.Second,
	}
	for _, c := range change {
		c(&o)
	}
	b, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

// someBytes are n bytes that do not compress and are the same in each run.
func someBytes(n int) []byte {
	out := make([]byte, n)
	_, _ = io.ReadFull(rand.NewChaCha8([32]byte{1}), out)
	return out
}

func wantCode(t *testing.T, err error, code fault.Code) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want exit code %d", code)
	}
	if got := fault.CodeOf(err); got != code {
		t.Errorf("exit code %d, want %d: %v", got, code, err)
	}
	if !strings.HasPrefix(err.Error(), "s3: ") {
		t.Errorf("error does not begin with s3: %q", err)
	}
	if fault.Remedy(err) == "" {
		t.Errorf("no remedy: %v", err)
	}
}

func wantIs(t *testing.T, err, sentinel error) {
	t.Helper()
	if !errors.Is(err, sentinel) {
		t.Errorf("error is not %q: %v", sentinel, err)
	}
}

func noOpenUploads(t *testing.T, b *Bucket) {
	t.Helper()
	open, err := b.Uploads(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if len(open) != 0 {
		t.Errorf("%d multipart uploads were left open: %v", len(open), open)
	}
}

func readAll(t *testing.T, b *Bucket, key string) []byte {
	t.Helper()
	body, _, err := b.Get(t.Context(), key, 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	got, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func mustPut(t *testing.T, b *Bucket, key string, body []byte) Object {
	t.Helper()
	object, err := b.Put(t.Context(), key, body, PutOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return object
}
