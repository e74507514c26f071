package s3

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"

	"codeberg.org/pgbtui/pgbtui/internal/bounded"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// briefly reads an object, and reports whether the SDK had no part in it.
func briefly(t *testing.T, srv *s3server.Running, b *Bucket, key string) (raw []byte, object Object, brief bool) {
	t.Helper()
	srv.ForgetRequests()
	raw, object, err := b.GetSmall(t.Context(), key, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	asked := srv.Requests(s3server.OpGetObject)
	last := asked[len(asked)-1].Header
	return raw, object, last.Get("Amz-Sdk-Request") == ""
}

func TestSmallObjectsAreReadAfterTheExampleOfTheFirst(t *testing.T) {
	srv := startServer(t)
	b := openAt(t, srv)
	for i, key := range []string{"first", "a/b.json", "a b+c%/ü&=?#'()*!~", "x//y/../z", "%41", "empty"} {
		want := someBytes(100 * i)
		mustPut(t, b, key, want)
		raw, object, brief := briefly(t, srv, b, key)
		if !bytes.Equal(raw, want) {
			t.Errorf("%q: %d bytes, want %d", key, len(raw), len(want))
		}
		if brief != (i > 0) {
			t.Errorf("%q: asked by the SDK: %v", key, !brief)
		}
		body, whole, err := b.Get(t.Context(), key, 0, -1)
		if err != nil {
			t.Fatal(err)
		}
		_ = body.Close()
		if object.ETag != whole.ETag || object.Size != whole.Size || object.CRC64NVME != whole.CRC64NVME || object.CRC64NVME == "" ||
			!object.LastModified.Equal(whole.LastModified) || object.Key != whole.Key {
			t.Errorf("%q: %+v, want %+v", key, object, whole)
		}
	}
	_, _, err := b.GetSmall(t.Context(), "a/b.json", 99)
	wantIs(t, err, bounded.ErrTooLarge)
	_, _, err = b.GetSmall(t.Context(), "nothing", 99)
	wantIs(t, err, ErrNotFound)
	wantCode(t, err, fault.NotFound)
}

// What goes wrong with a request made after an example is the SDK's to look at.
func TestWhateverGoesWrongWithASmallObjectIsAskedForAgain(t *testing.T) {
	for name, f := range map[string]s3server.Fault{
		"busy":    {Kind: s3server.Answer, Status: 503, Code: "SlowDown"},
		"reset":   {Kind: s3server.Reset},
		"cut":     {Kind: s3server.Cut, After: 10},
		"flipped": {Kind: s3server.Flip, After: 10},
	} {
		t.Run(name, func(t *testing.T) {
			srv := startServer(t)
			b := openAt(t, srv)
			want := someBytes(3000)
			mustPut(t, b, "k", want)
			briefly(t, srv, b, "k")
			srv.Inject(s3server.Rule{Op: s3server.OpGetObject, Times: 1, Fault: f})
			raw, _, brief := briefly(t, srv, b, "k")
			if retried := name == "reset"; !bytes.Equal(raw, want) || brief != retried { // net/http repeats a request that had no answer
				t.Errorf("%d bytes, by the SDK: %v", len(raw), !brief)
			}
			if _, _, brief = briefly(t, srv, b, "k"); !brief {
				t.Error("one fault ended the brief way")
			}
		})
	}
}

// A host whose clock is wrong is corrected by the SDK, and must not ask twice for every document.
func TestAfterAFewRefusalsTheSDKAsksForAll(t *testing.T) {
	srv := startServer(t)
	b := openAt(t, srv)
	mustPut(t, b, "k", someBytes(10))
	briefly(t, srv, b, "k")
	for range mostRefusals {
		srv.Inject(s3server.Rule{Op: s3server.OpGetObject, Times: 1, Fault: s3server.Fault{Kind: s3server.Answer, Code: "AccessDenied"}})
		briefly(t, srv, b, "k")
	}
	for range 3 {
		if _, _, brief := briefly(t, srv, b, "k"); brief {
			t.Error("it is asked the brief way again")
		}
		if n := len(srv.Requests(s3server.OpGetObject)); n != 1 {
			t.Errorf("%d requests for one object", n)
		}
	}
}

// Keys that change while a process runs (a role's, by the hour) are taken from the SDK for each request.
func TestSmallObjectsAreSignedWithTheKeysOfTheMoment(t *testing.T) {
	other := s3server.Credential{AccessKey: "second/key", SecretKey: "second-secret", SessionToken: "token"}
	srv := startServer(t, s3server.With(func(o *s3server.Options) { o.More = append(o.More, other) }))
	b := openAt(t, srv)
	mustPut(t, b, "k", someBytes(10))
	briefly(t, srv, b, "k")
	b.credentials.from = credentials.NewStaticCredentialsProvider(other.AccessKey, other.SecretKey, other.SessionToken)
	if _, _, brief := briefly(t, srv, b, "k"); !brief {
		t.Error("the new keys were refused")
	}
	if got := srv.Requests(s3server.OpGetObject); len(got) != 1 || got[0].Header.Get("X-Amz-Security-Token") != "token" {
		t.Errorf("asked with %+v", got)
	}
}

func TestARequestOfAnotherKindIsNoExample(t *testing.T) {
	for authorization, want := range map[string]string{
		"AWS4-HMAC-SHA256 Credential=A/K/20261128/eu-1/s3/aws4_request, SignedHeaders=host, Signature=0": "eu-1",
		"AWS4-HMAC-SHA256 Credential=AK/20261128/eu-1/s3express/aws4_request, SignedHeaders=host":        "",
		"AWS4-ECDSA-P256-SHA256 Credential=AK/20261128/s3/aws4_request, SignedHeaders=host":              "",
		"AWS AK:0": "", "": "",
	} {
		if got, _ := signedFor(authorization); got != want {
			t.Errorf("%q: %q", authorization, got)
		}
	}
}

func TestASmallObjectEndsWithItsContext(t *testing.T) {
	srv := startServer(t)
	b := openAt(t, srv)
	mustPut(t, b, "k", someBytes(10))
	briefly(t, srv, b, "k")
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	srv.Inject(s3server.Rule{Op: s3server.OpGetObject, Fault: s3server.Fault{Kind: s3server.Stall}})
	if _, _, err := b.GetSmall(ctx, "k", 100); err == nil || errors.Is(err, bounded.ErrTooLarge) {
		t.Errorf("error %v", err)
	}
}
