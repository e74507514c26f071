package s3

import (
	"os"
	"path/filepath"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

func tryOpen(t *testing.T, o Options) (*Bucket, error) {
	t.Helper()
	b, err := Open(t.Context(), o)
	if err == nil {
		t.Cleanup(b.Close)
	}
	return b, err
}

func TestOpenRefusesWhatCannotWork(t *testing.T) {
	quietEnvironment(t)
	for name, o := range map[string]Options{
		"no bucket":                  {Region: "eu-central-1"},
		"no region on AWS":           {Bucket: "b"},
		"plain http":                 {Bucket: "b", Endpoint: "http://s3.example.com"},
		"plain http to a local name": {Bucket: "b", Endpoint: "http://localhost.example.com"},
		"not a URL":                  {Bucket: "b", Endpoint: "s3.example.com:9000"},
		"another scheme":             {Bucket: "b", Endpoint: "ftp://s3.example.com"},
		"credentials in the URL":     {Bucket: "b", Endpoint: "https://user:canary@s3.example.com"},
		"unknown sse":                {Bucket: "b", Region: "eu-central-1", SSE: "aes"},
		"kms key without kms":        {Bucket: "b", Region: "eu-central-1", KMSKeyID: "k"},
		"too many parts":             {Bucket: "b", Region: "eu-central-1", MaxParts: 10_001},
		"crossed part sizes":         {Bucket: "b", Region: "eu-central-1", PartSizeMin: 9 << 20, PartSizeMax: 8 << 20},
		"no credentials file":        {Bucket: "b", Region: "eu-central-1", CredentialsFile: "/nonexistent/credentials"},
		"no such profile":            {Bucket: "b", Region: "eu-central-1", Profile: "nobody"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := tryOpen(t, o)
			wantCode(t, err, fault.Config)
		})
	}
}

func TestOpenTakesLoopbackAndAllowedPlainHTTP(t *testing.T) {
	quietEnvironment(t)
	for _, o := range []Options{
		{Endpoint: "http://127.0.0.1:9000"},
		{Endpoint: "http://[::1]:9000"},
		{Endpoint: "http://localhost:9000"},
		{Endpoint: "http://s3.localhost"},
		{Endpoint: "https://s3.example.com"},
		{Endpoint: "http://s3.example.com", AllowPlainHTTP: true},
	} {
		o.Bucket = "b"
		b, err := tryOpen(t, o)
		if err != nil {
			t.Errorf("%s: %v", o.Endpoint, err)
			continue
		}
		if b.unsigned == o.AllowPlainHTTP {
			t.Errorf("%s: payloads unsigned: %v", o.Endpoint, b.unsigned)
		}
	}
}

func TestOpenDefaultsFollowTheEndpoint(t *testing.T) {
	quietEnvironment(t)
	t.Setenv("AWS_REGION", "eu-central-1")
	aws, err := tryOpen(t, Options{Bucket: "b"})
	if err != nil {
		t.Fatal(err)
	}
	if o := aws.client.Options(); aws.opts.StorageClass != "STANDARD_IA" || o.UsePathStyle || aws.Endpoint() != "" || aws.Region() != "eu-central-1" {
		t.Errorf("on AWS: class %q, path style %v, region %q", aws.opts.StorageClass, o.UsePathStyle, aws.Region())
	}
	t.Setenv("AWS_REGION", "")
	for _, name := range []string{"", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"} {
		opts := Options{Bucket: "b", Endpoint: "https://store.example.com"}
		if name != "" {
			opts.Endpoint = ""
			t.Setenv(name, "https://store.example.com")
		}
		b, err := tryOpen(t, opts)
		if err != nil {
			t.Fatal(err)
		}
		if o := b.client.Options(); b.opts.StorageClass != "" || !o.UsePathStyle || b.Region() != "us-east-1" || b.Endpoint() != "https://store.example.com" {
			t.Errorf("%q: class %q, path style %v, region %q, endpoint %q", name, b.opts.StorageClass, o.UsePathStyle, b.Region(), b.Endpoint())
		}
		if name != "" {
			t.Setenv(name, "")
		}
	}
	if aws.Location() != "s3://b/" || aws.opts.SSE != "AES256" {
		t.Errorf("location %q, sse %q", aws.Location(), aws.opts.SSE)
	}
}

func TestOpenCredentialsFileWinsOverTheEnvironment(t *testing.T) {
	srv := startServer(t)
	file := filepath.Join(t.TempDir(), "credentials")
	text := "[default]\naws_access_key_id = " + srv.AccessKey + "\naws_secret_access_key = " + srv.SecretKey + "\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_ACCESS_KEY_ID", "somebody-else")
	b := openAt(t, srv, func(o *Options) { o.CredentialsFile = file })
	if err := b.Probe(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestUploadsCarryTheConfiguredClassAndEncryption(t *testing.T) {
	srv := startServer(t)
	b := openAt(t, srv, func(o *Options) { o.StorageClass, o.SSE, o.KMSKeyID = "GLACIER", "aws:kms", "key-1" })
	u := startUpload(t, b, UploadOptions{})
	if _, err := u.Complete(t.Context()); err != nil {
		t.Fatal(err)
	}
	head, err := b.Head(t.Context(), "dump")
	if err != nil || head.StorageClass != "GLACIER" || head.SSE != "aws:kms" || !head.Archived || head.Restoring {
		t.Errorf("%+v, %v", head, err)
	}
	_, _, err = b.Get(t.Context(), "dump", 0, -1)
	wantIs(t, err, ErrArchived)
	wantCode(t, err, fault.Refused)

	plain := openAt(t, srv, func(o *Options) { o.SSE = SSENone })
	mustPut(t, plain, "plain", nil)
	for _, r := range srv.Requests(s3server.OpPutObject) {
		if r.Header.Get("X-Amz-Server-Side-Encryption") != "" {
			t.Error("sse: none asked for encryption")
		}
	}
}

func TestPayloadsAreUnsignedOnlyWhereNobodyCanChangeThem(t *testing.T) {
	srv := startServer(t)
	for _, unsigned := range []bool{true, false} {
		b := openAt(t, srv)
		b.unsigned = unsigned
		u := startUpload(t, b, UploadOptions{})
		if _, err := u.Complete(t.Context()); err != nil {
			t.Fatal(err)
		}
		sent := srv.Requests(s3server.OpUploadPart)
		h := sent[len(sent)-1].Header
		if got := h.Get("X-Amz-Content-Sha256") == "UNSIGNED-PAYLOAD"; got != unsigned {
			t.Errorf("unsigned: %v, want %v", got, unsigned)
		}
		if h.Get("X-Amz-Checksum-Crc64nvme") == "" {
			t.Error("no checksum was sent")
		}
	}
}
