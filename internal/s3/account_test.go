package s3

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// control stands for S3 Control, in the words of its API reference.
func control(t *testing.T, status int, body string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		signed := r.Header.Get("Authorization")
		if r.URL.Path != "/v20180820/configuration/publicAccessBlock" || r.Header.Get("X-Amz-Account-Id") != "123456789012" ||
			!strings.HasPrefix(signed, "AWS4-HMAC-SHA256 ") || !strings.Contains(signed, "x-amz-account-id") {
			t.Errorf("%s %s: %v", r.Method, r.URL, r.Header)
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(server.Close)
	t.Setenv("AWS_ENDPOINT_URL_S3_CONTROL", server.URL)
}

func TestTheAccountsBlockIsAskedForAndCountsWithTheBuckets(t *testing.T) {
	srv := startServer(t)
	b := openAt(t, srv)
	if p, err := b.AccountPublicAccess(t.Context()); err != nil || p.Known {
		t.Errorf("no account is named: %+v, %v", p, err)
	}
	b.opts.ExpectedBucketOwner = "123456789012"
	if p, err := b.AccountPublicAccess(t.Context()); err != nil || p.Known {
		t.Errorf("another store: %+v, %v", p, err)
	}
	control(t, 200, `<PublicAccessBlockConfiguration xmlns="http://awss3control.amazonaws.com/doc/2018-08-20/"><BlockPublicAcls>true</BlockPublicAcls>`+
		`<IgnorePublicAcls>true</IgnorePublicAcls><BlockPublicPolicy>true</BlockPublicPolicy><RestrictPublicBuckets>false</RestrictPublicBuckets></PublicAccessBlockConfiguration>`)
	p, err := b.AccountPublicAccess(t.Context())
	if err != nil || !p.Known || p.Blocked() || !p.BlockPublicACLs {
		t.Errorf("%+v, %v", p, err)
	}
	if !p.With(PublicAccess{RestrictPublicBuckets: true}).Blocked() {
		t.Error("what the bucket adds does not count")
	}
	control(t, 404, `<ErrorResponse><Error><Code>NoSuchPublicAccessBlockConfiguration</Code><Message>none</Message></Error></ErrorResponse>`)
	if p, err := b.AccountPublicAccess(t.Context()); err != nil || p != (PublicAccess{Known: true}) {
		t.Errorf("%+v, %v", p, err)
	}
	control(t, 403, `<Error><Code>AccessDenied</Code><Message>is not authorized to perform: s3:GetAccountPublicAccessBlock</Message></Error>`)
	_, err = b.AccountPublicAccess(t.Context())
	wantCode(t, err, fault.NotPermitted)
	control(t, 403, "not XML")
	_, err = b.AccountPublicAccess(t.Context())
	wantCode(t, err, fault.NotPermitted)
	control(t, 200, "not XML")
	if _, err = b.AccountPublicAccess(t.Context()); err == nil {
		t.Error("whatever came is no block")
	}
}
