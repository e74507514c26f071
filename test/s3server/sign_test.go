package s3server

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// The example account and time of "Authenticating Requests (AWS Signature Version 4)" in the S3 API reference.
const (
	exampleKey    = "AKIAIOSFODNN7EXAMPLE"
	exampleSecret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
	exampleScope  = exampleKey + "/20130524/us-east-1/s3/aws4_request"
)

func exampleTime() time.Time { return time.Date(2013, 5, 24, 0, 0, 0, 0, time.UTC) }

func TestSignatureIsThatOfTheAWSExamples(t *testing.T) {
	for _, c := range []struct {
		name, target string
		header       map[string]string
		want         string
	}{
		{"get object", "/test.txt", map[string]string{"Range": "bytes=0-9"}, "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"},
		{"bucket lifecycle", "/?lifecycle", nil, "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
		{"list objects", "/?max-keys=2&prefix=J", nil, "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"},
	} {
		r := httptest.NewRequest(http.MethodGet, c.target, nil)
		r.Host = "examplebucket.s3.amazonaws.com"
		headers := []string{"host", "x-amz-content-sha256", "x-amz-date"}
		for name, value := range c.header {
			r.Header.Set(name, value)
			headers = []string{"host", "range", "x-amz-content-sha256", "x-amz-date"}
		}
		r.Header.Set("X-Amz-Date", "20130524T000000Z")
		r.Header.Set("X-Amz-Content-Sha256", hexSHA256(""))
		if got := sign(t, r, headers, hexSHA256("")); got != c.want {
			t.Errorf("%s: %s", c.name, got)
		}
	}
}

func sign(t *testing.T, r *http.Request, headers []string, payload string) string {
	t.Helper()
	cred, err := newCredential(exampleScope, strings.Join(headers, ";"), strings.Repeat("0", 64))
	if err != nil {
		t.Fatal(err)
	}
	canonical, err := canonicalRequest(r, headers, payload)
	if err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(hmacSHA256(signingKey(exampleSecret, cred), stringToSign(exampleTime(), cred.scope, canonical)))
}

func TestAWSExampleOfAChunkedBodyIsRead(t *testing.T) {
	body, auth := exampleChunks(t)
	r := newChunkedReader(strings.NewReader(body), auth)
	got, err := io.ReadAll(r)
	if err != nil || !bytes.Equal(got, bytes.Repeat([]byte("a"), 66560)) {
		t.Fatalf("%d bytes, %v", len(got), err)
	}
}

// exampleChunks is the body of "Transferring Payload in Multiple Chunks" in the S3 API reference: 65 KiB of "a".
func exampleChunks(t testing.TB) (string, authorized) {
	t.Helper()
	cred, err := newCredential(exampleScope, "host", strings.Repeat("0", 64))
	if err != nil {
		t.Fatal(err)
	}
	auth := authorized{
		payloadHash: streamingSigned, key: signingKey(exampleSecret, cred), scope: cred.scope, at: exampleTime(),
		signature: "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
	}
	return "10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\n" + strings.Repeat("a", 65536) + "\r\n" +
		"400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\n" + strings.Repeat("a", 1024) + "\r\n" +
		"0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n", auth
}

func TestEveryChangedByteOfAChunkedBodyIsFound(t *testing.T) {
	body, auth := exampleChunks(t)
	for _, at := range []int{0, 3, 40, 85, 100, 50_000, 65_700, len(body) - 10} {
		changed := []byte(body)
		changed[at] ^= 1
		_, err := io.ReadAll(newChunkedReader(bytes.NewReader(changed), auth))
		var api *apiError
		if !errors.As(err, &api) {
			t.Errorf("byte %d: %v", at, err)
		}
	}
	for _, cut := range []int{1, 80, 30_000, 65_650, 66_000, len(body) - 100} {
		if _, err := io.ReadAll(newChunkedReader(strings.NewReader(body[:cut]), auth)); err == nil {
			t.Errorf("cut at %d: nothing found", cut)
		}
	}
}

// AWS CLI 2.23 signs the header of a body in chunks, which net/http takes out of the header map.
func TestASignedTransferEncodingIsOfTheRequestAsItCame(t *testing.T) {
	s := newTestServer(t)
	request := httptest.NewRequest(http.MethodPut, "/backups/a", io.NopCloser(strings.NewReader("1;\r\nx\r\n0\r\n\r\n")))
	request.Host, request.TransferEncoding, request.ContentLength = "store", []string{"chunked"}, -1
	now := time.Now().UTC()
	for name, value := range map[string]string{
		"X-Amz-Content-Sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "X-Amz-Decoded-Content-Length": "1",
		"Content-Encoding": "aws-chunked", "X-Amz-Date": now.Format("20060102T150405Z"),
	} {
		request.Header.Set(name, value)
	}
	scope := now.Format("20060102") + "/" + DefaultRegion + "/s3/aws4_request"
	const names = "content-encoding;host;transfer-encoding;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length"
	canonical := "PUT\n/backups/a\n\ncontent-encoding:aws-chunked\nhost:store\ntransfer-encoding:chunked\n" +
		"x-amz-content-sha256:STREAMING-UNSIGNED-PAYLOAD-TRAILER\nx-amz-date:" + request.Header.Get("X-Amz-Date") +
		"\nx-amz-decoded-content-length:1\n\n" + names + "\nSTREAMING-UNSIGNED-PAYLOAD-TRAILER"
	cred, err := newCredential(DefaultAccessKey+"/"+scope, names, strings.Repeat("0", 64))
	if err != nil {
		t.Fatal(err)
	}
	key := signingKey(DefaultSecretKey, cred)
	request.Header.Set("Authorization", signAlgorithm+" Credential="+DefaultAccessKey+"/"+scope+", SignedHeaders="+names+
		", Signature="+hex.EncodeToString(hmacSHA256(key, stringToSign(now, scope, canonical))))
	w := httptest.NewRecorder()
	s.ServeHTTP(w, request)
	if w.Code != http.StatusOK {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestSignatureOfTheSDKIsAcceptedForEveryKey(t *testing.T) {
	s := newTestServer(t)
	for _, key := range []string{"a", "a b", "a+b", "a%2Fb", "../up", "a//b/", "ü/数", "q?x=1#y", "\x01\n", "~*'()!", "%", "a=b&c"} {
		target := "/backups/" + uriEncode(key, true)
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, "http://store"+target, strings.NewReader("x"))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("X-Amz-Content-Sha256", unsignedPayload)
		request.Header.Set("X-Amz-Meta-Spaced", "  two   words ")
		creds := aws.Credentials{AccessKeyID: DefaultAccessKey, SecretAccessKey: DefaultSecretKey}
		err = v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true }).
			SignHTTP(context.Background(), creds, request, unsignedPayload, "s3", DefaultRegion, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		request.RequestURI, request.Host = target, "store"
		w := httptest.NewRecorder()
		s.ServeHTTP(w, request)
		if w.Code != http.StatusOK {
			t.Errorf("%q: %d %s", key, w.Code, w.Body)
		}
		if b, _ := s.store.bucket("backups"); b.objects[key] == nil {
			t.Errorf("%q: not stored under its name", key)
		}
	}
}

func newTestServer(t testing.TB) *Server {
	t.Helper()
	s, err := New(Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if err := s.MakeBucket("backups"); err != nil {
		t.Fatal(err)
	}
	return s
}

func FuzzAuthorization(f *testing.F) {
	f.Add(signAlgorithm + " Credential=" + exampleScope + ", SignedHeaders=host;range, Signature=" + strings.Repeat("a", 64))
	f.Add(signAlgorithm + " Credential=//, SignedHeaders=, Signature=")
	f.Add("AWS a:b")
	f.Fuzz(func(t *testing.T, header string) {
		c, err := parseAuthorization(header)
		empty := c.accessKey == "" || c.day == "" || c.region == "" || c.service == ""
		if err == nil && (empty || len(c.signature) != 64 || len(c.signedHeaders) == 0) {
			t.Errorf("%q: accepted as %+v", header, c)
		}
	})
}

func FuzzChunked(f *testing.F) {
	body, auth := exampleChunks(f)
	f.Add([]byte(body[:200]), true)
	f.Add([]byte("3\r\nabc\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n"), false)
	f.Add([]byte("0\r\n\r\n"), false)
	f.Add([]byte("ffffffffffffffff\r\n"), false)
	f.Fuzz(func(t *testing.T, body []byte, signed bool) {
		a := auth
		if !signed {
			a.payloadHash = streamingUnsigned
		}
		got, err := io.ReadAll(newChunkedReader(bytes.NewReader(body), a))
		if len(got) > len(body) {
			t.Errorf("%d bytes out of %d", len(got), len(body))
		}
		if signed && err == nil && len(got) > 0 {
			t.Errorf("a body that nobody signed was accepted")
		}
	})
}
