package s3

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

func TestWhoseKeyItIsAndWhereItIsFrom(t *testing.T) {
	file := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(file, []byte("[default]\naws_access_key_id = in-file\naws_secret_access_key = secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_CONFIG_FILE", "/nonexistent")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
	for _, c := range []struct {
		file, key string
		want      Identity
	}{
		{file: file, want: Identity{KeyID: "in-file", Origin: OriginFile, File: file}},
		{key: "in-environment", want: Identity{KeyID: "in-environment", Origin: OriginEnvironment}},
	} {
		t.Setenv("AWS_ACCESS_KEY_ID", c.key)
		t.Setenv("AWS_SECRET_ACCESS_KEY", c.key)
		b, err := Open(t.Context(), Options{Bucket: "b", Region: "us-east-1", Endpoint: "http://127.0.0.1:1", CredentialsFile: c.file})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(b.Close)
		if got, err := b.Identity(t.Context()); err != nil || got != c.want {
			t.Errorf("%+v, %v", got, err)
		}
	}
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	b, err := Open(t.Context(), Options{Bucket: "b", Region: "us-east-1", Endpoint: "http://127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	if got, err := b.Identity(t.Context()); err == nil || strings.Contains(err.Error(), "\n") {
		t.Errorf("no key, and %+v, %v", got, err)
	}
}

func TestAWSTellsWhoseKeyItIsAndARefusalHasNoSecret(t *testing.T) {
	const answer = `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>` +
		`<Arn>arn:aws:iam::123456789012:user/backup</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>`
	status, body := http.StatusOK, answer
	sts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(sts.Close)
	t.Setenv("AWS_ENDPOINT_URL_STS", sts.URL)
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIACANARY0000000000")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "canary-secret-of-the-key")
	arn, err := Caller(t.Context(), Access{Region: "us-east-1"})
	if err != nil || arn != "arn:aws:iam::123456789012:user/backup" {
		t.Errorf("%q, %v", arn, err)
	}
	status = http.StatusForbidden
	body = `<ErrorResponse><Error><Code>InvalidClientTokenId</Code><Message>AKIACANARY0000000000 canary-secret-of-the-key</Message></Error></ErrorResponse>`
	_, err = Caller(t.Context(), Access{Region: "us-east-1"})
	if err == nil || strings.Contains(err.Error(), "canary") || strings.Contains(err.Error(), "AKIA") || fault.CodeOf(err) == fault.OK {
		t.Errorf("%v", err)
	}
}

func TestTheHostOfABucketIsWhereRequestsGo(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "x")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "x")
	for _, c := range []struct {
		region, endpoint, want string
		encrypted              bool
	}{
		{"eu-central-1", "", "company.s3.eu-central-1.amazonaws.com", true},
		{"cn-north-1", "", "company.s3.cn-north-1.amazonaws.com.cn", true},
		{"us-east-1", "https://store.example:9000/x", "store.example:9000", true},
		{"us-east-1", "http://127.0.0.1:9000", "127.0.0.1:9000", false},
	} {
		b, err := Open(t.Context(), Options{Bucket: "company", Region: c.region, Endpoint: c.endpoint})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(b.Close)
		if b.Host() != c.want || b.Encrypted() != c.encrypted {
			t.Errorf("%+v: %s, %v", c, b.Host(), b.Encrypted())
		}
	}
}
