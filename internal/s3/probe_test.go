package s3

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

func TestProbeTellsTroublesApart(t *testing.T) {
	srv := startServer(t)
	b := openAt(t, srv)
	if err := b.Probe(t.Context()); err != nil {
		t.Fatal(err)
	}
	err := openAt(t, srv, func(o *Options) { o.Bucket = "elsewhere" }).Probe(t.Context())
	wantCode(t, err, fault.NotFound)
	wantIs(t, err, ErrNotFound)

	for code, want := range map[string]fault.Code{
		"AccessDenied": fault.NotPermitted, "ExpiredToken": fault.NotPermitted, "InvalidAccessKeyId": fault.NotPermitted,
		"SignatureDoesNotMatch": fault.NotPermitted, "RequestTimeTooSkewed": fault.NotPermitted,
		"SlowDown": fault.Temporary, "ServiceUnavailable": fault.Unavailable, "InternalError": fault.Unavailable,
	} {
		srv.ClearFaults()
		srv.Inject(s3server.Rule{Fault: s3server.Fault{Kind: s3server.Answer, Code: code}})
		err := b.Probe(t.Context())
		if code == "SlowDown" { // the answer to HEAD has no body: 503 is all that is known
			want = fault.Unavailable
		}
		if err == nil || fault.CodeOf(err) != want || fault.Remedy(err) == "" {
			t.Errorf("%s: exit code %d, remedy %q: %v", code, fault.CodeOf(err), fault.Remedy(err), err)
		}
		if want == fault.NotPermitted && !strings.Contains(err.Error(), code) {
			t.Errorf("%s is not named: %v", code, err)
		}
	}
	if r := fault.Remedy(b.fail(t.Context(), "x", "", b.Probe(t.Context()))); r == "" {
		t.Error("a wrapped error lost its remedy")
	}
}

func TestProbeNamesAClockThatIsOff(t *testing.T) {
	srv := startServer(t)
	b := openAt(t, srv)
	date := time.Now().Add(-20 * time.Minute).UTC().Format(http.TimeFormat)
	srv.Inject(s3server.Rule{Fault: s3server.Fault{Kind: s3server.Answer, Code: "RequestTimeTooSkewed", Header: map[string]string{"Date": date}}})
	err := b.Probe(t.Context())
	wantCode(t, err, fault.NotPermitted)
	if !strings.Contains(err.Error(), "clock is off by 20m") {
		t.Errorf("the clock is not named: %v", err)
	}
}

func TestProbeAsksNoMoreThanThreeTimes(t *testing.T) {
	srv := startServer(t)
	t.Setenv("AWS_MAX_ATTEMPTS", "7")
	srv.Inject(s3server.Rule{Fault: s3server.Fault{Kind: s3server.Answer, Status: 503}})
	b := openAt(t, srv)
	wantCode(t, b.Probe(t.Context()), fault.Unavailable)
	if n := len(srv.Requests(s3server.OpHeadBucket)); n != probeAttempts {
		t.Errorf("%d requests", n)
	}
	for configured, want := range map[int]int{0: 7, 2: 2} {
		srv.ForgetRequests()
		b := openAt(t, srv, func(o *Options) { o.MaxAttempts = configured })
		if _, err := b.Head(t.Context(), "k"); err == nil || len(srv.Requests(s3server.OpHeadObject)) != want {
			t.Errorf("MaxAttempts %d: %d requests", configured, len(srv.Requests(s3server.OpHeadObject)))
		}
	}
}

func TestProbeNamesTheRightRegion(t *testing.T) {
	srv := startServer(t)
	b := openAt(t, srv)
	for _, status := range []int{301, 400} {
		srv.ClearFaults()
		srv.Inject(s3server.Rule{Fault: s3server.Fault{
			Kind: s3server.Answer, Status: status, Code: "PermanentRedirect",
			Header: map[string]string{"x-amz-bucket-region": "ap-south-1"},
		}})
		err := b.Probe(t.Context())
		wantCode(t, err, fault.Config)
		if !strings.Contains(fault.Remedy(err), "ap-south-1") {
			t.Errorf("HTTP %d: the region is not named: %q", status, fault.Remedy(err))
		}
	}
}

func TestProbeNamesACertificateThatIsNotValidNow(t *testing.T) {
	for name, ends := range map[string]time.Time{"expired": time.Now().Add(-time.Minute), "not valid yet": time.Now().Add(26 * time.Hour)} {
		srv := startServer(t, s3server.WithTLSUntil(ends))
		t.Setenv("AWS_CA_BUNDLE", srv.CAFile) // its date is all that is wrong
		err := openAt(t, srv, func(o *Options) { o.MaxAttempts, o.MaxBackoff = 10, time.Hour }).Probe(t.Context())
		wantCode(t, err, fault.Unavailable)
		if !strings.Contains(fault.Remedy(err), "has expired or is not valid yet") || len(srv.Requests()) > 0 {
			t.Errorf("%s: remedy %q for %v, %d requests", name, fault.Remedy(err), err, len(srv.Requests()))
		}
	}
}

func TestProbeNamesCertificateTroubleWithoutRetrying(t *testing.T) {
	srv := startServer(t, s3server.WithTLS())
	b := openAt(t, srv, func(o *Options) { o.MaxAttempts, o.MaxBackoff = 10, time.Hour })
	err := b.Probe(t.Context())
	wantCode(t, err, fault.Unavailable)
	if !strings.Contains(fault.Remedy(err), "the authority is unknown") {
		t.Errorf("remedy %q for %v", fault.Remedy(err), err)
	}
	t.Setenv("AWS_CA_BUNDLE", srv.CAFile)
	if err := openAt(t, srv).Probe(t.Context()); err != nil {
		t.Errorf("with AWS_CA_BUNDLE: %v", err)
	}
	// Its certificate is for 127.0.0.1, ::1 and localhost only.
	other := openAt(t, srv, func(o *Options) { o.Endpoint = strings.Replace(o.Endpoint, "127.0.0.1", "s3.localhost", 1) })
	other.transport.(*http.Transport).DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, network, strings.TrimPrefix(srv.Endpoint, "https://"))
	}
	err = other.Probe(t.Context())
	if wantCode(t, err, fault.Unavailable); !strings.Contains(fault.Remedy(err), "another host name") {
		t.Errorf("remedy %q for %v", fault.Remedy(err), err)
	}
	plain := openAt(t, startServer(t), func(o *Options) { o.Endpoint = strings.Replace(o.Endpoint, "http:", "https:", 1) })
	err = plain.Probe(t.Context())
	if wantCode(t, err, fault.Unavailable); !strings.Contains(fault.Remedy(err), "does not speak TLS") {
		t.Errorf("remedy %q for %v", fault.Remedy(err), err)
	}
}

func TestProbeOfNobodyIsUnavailable(t *testing.T) {
	srv := startServer(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	_ = l.Close()
	for _, endpoint := range []string{"http://" + addr, "https://no-such-host.invalid"} {
		err := openAt(t, srv, func(o *Options) { o.Endpoint = endpoint }).Probe(t.Context())
		wantCode(t, err, fault.Unavailable)
	}
}

func TestNoCredentialsAreNamedAsSuch(t *testing.T) {
	srv := startServer(t)
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	err := openAt(t, srv).Probe(t.Context())
	wantCode(t, err, fault.NotPermitted)
	if !strings.Contains(fault.Remedy(err), "no AWS credentials") {
		t.Errorf("remedy %q for %v", fault.Remedy(err), err)
	}
}

func TestErrorsHoldNoSecretsAndNoControls(t *testing.T) {
	quietEnvironment(t)
	t.Setenv("AWS_ACCESS_KEY_ID", "canary-access")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "canary-secret")
	t.Setenv("AWS_SESSION_TOKEN", "canary-token")
	evil := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte("<Error><Code>Odd\u202e&#x9b;31m</Code><Message>canary-access canary-secret " + r.Header.Get("X-Amz-Security-Token") +
			" " + r.Header.Get("Authorization") + strings.Repeat(" long", 1000) + "</Message></Error>"))
	}))
	defer evil.Close()
	b, err := tryOpen(t, Options{Bucket: "b", Endpoint: evil.URL, MaxAttempts: 1})
	if err != nil {
		t.Fatal(err)
	}
	_, err = b.Put(t.Context(), "key\x1b[31m", nil, PutOptions{})
	wantCode(t, err, fault.NotPermitted)
	text := err.Error() + fault.Remedy(err)
	for _, bad := range []string{"canary", "\x1b", "\u202e", "\u009b"} {
		if strings.Contains(text, bad) {
			t.Errorf("%q reached the error %q", bad, text)
		}
	}
	if len(text) > 800 {
		t.Errorf("the error has %d bytes", len(text))
	}
}
