package s3server_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

func put(r *s3server.Running, key, body string) error {
	_, err := client(r).PutObject(context.Background(), &s3.PutObjectInput{Bucket: &r.Bucket, Key: &key, Body: strings.NewReader(body)})
	return err
}

// get reads without the SDK's own checksum check, so that what the server sent is what is seen.
func get(ctx context.Context, r *s3server.Running, key string) (string, error) {
	out, err := client(r, func(o *s3.Options) { o.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenRequired }).
		GetObject(ctx, &s3.GetObjectInput{Bucket: &r.Bucket, Key: &key})
	if err != nil {
		return "", err
	}
	defer func() { _ = out.Body.Close() }()
	body, err := io.ReadAll(out.Body)
	return string(body), err
}

func code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

func TestRuleSkipsThenFailsSoOftenThenIsSpent(t *testing.T) {
	r := s3server.Start(t)
	r.Inject(s3server.Rule{Op: s3server.OpPutObject, Key: "vic", Skip: 1, Times: 2, Fault: s3server.Fault{Kind: s3server.Answer, Status: 503}})
	var got []string
	for range 4 {
		got = append(got, code(put(r, "victim", "x")))
	}
	if want := ",SlowDown,SlowDown,"; strings.Join(got, ",") != want {
		t.Errorf("codes %q", got)
	}
	if err := put(r, "other", "x"); err != nil {
		t.Errorf("another key: %v", err)
	}
	r.Inject(s3server.Rule{Fault: s3server.Fault{Kind: s3server.Answer, Code: "AccessDenied"}})
	for range 3 {
		if err := put(r, "victim", "x"); code(err) != "AccessDenied" {
			t.Errorf("for ever: %v", err)
		}
	}
	r.ClearFaults()
	if err := put(r, "victim", "x"); err != nil {
		t.Errorf("cleared: %v", err)
	}
}

func TestResetAppliesNothingAndALostAnswerApplies(t *testing.T) {
	for _, tls := range []bool{false, true} {
		var opts []s3server.Option
		if tls {
			opts = append(opts, s3server.WithTLS())
		}
		r := s3server.Start(t, opts...)
		for kind, applied := range map[s3server.Kind]bool{s3server.Reset: false, s3server.LoseAnswer: true} {
			key := string(kind)
			r.Inject(s3server.Rule{Op: s3server.OpPutObject, Key: key, Times: 1, Fault: s3server.Fault{Kind: kind}})
			if err := putTrusting(t, r, key); err == nil || code(err) != "" {
				t.Errorf("%s: want a broken connection, got %v", kind, err)
			}
			_, err := trusting(t, r).HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: &r.Bucket, Key: &key})
			if (err == nil) != applied {
				t.Errorf("%s (tls %v): applied %v, head %v", kind, tls, applied, err)
			}
		}
	}
}

func TestStallLastsUntilTheClientLeaves(t *testing.T) {
	r := s3server.Start(t)
	if err := put(r, "a", strings.Repeat("x", 1000)); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []s3server.Kind{s3server.Stall, s3server.StallBody} {
		r.Inject(s3server.Rule{Op: s3server.OpGetObject, Times: 1, Fault: s3server.Fault{Kind: kind, After: 100}})
		ctx, stop := context.WithTimeout(t.Context(), 300*time.Millisecond)
		_, err := get(ctx, r, "a")
		stop()
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

func TestServerEndsWhileARequestStalls(t *testing.T) {
	r := s3server.Start(t)
	r.Inject(s3server.Rule{Fault: s3server.Fault{Kind: s3server.Stall}})
	ended := make(chan error, 1)
	go func() { ended <- put(r, "a", "x") }()
	for len(r.Requests()) == 0 {
		time.Sleep(time.Millisecond)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if err := <-ended; err == nil {
		t.Error("the stalled request succeeded")
	}
}

func TestBodiesAreSpoiledAsOrdered(t *testing.T) {
	r := s3server.Start(t)
	body := strings.Repeat("0123456789", 20_000)
	if err := put(r, "a", body); err != nil {
		t.Fatal(err)
	}
	flipped := []byte(body)
	flipped[70_000] ^= 1
	for _, c := range []struct {
		fault  s3server.Fault
		want   string
		broken bool
	}{
		{s3server.Fault{Kind: s3server.Cut, After: 50_000}, body[:50_000], true},
		{s3server.Fault{Kind: s3server.Short, After: 50_000}, body[:50_000], false},
		{s3server.Fault{Kind: s3server.Extra, After: 3}, body + "\x00\x00\x00", false},
		{s3server.Fault{Kind: s3server.Flip, After: 70_000}, string(flipped), false},
	} {
		r.Inject(s3server.Rule{Op: s3server.OpGetObject, Times: 1, Fault: c.fault})
		got, err := get(t.Context(), r, "a")
		if got != c.want || (err != nil) != c.broken {
			t.Errorf("%s: %d bytes, %v", c.fault.Kind, len(got), err)
		}
	}
	if got, err := get(t.Context(), r, "a"); got != body || err != nil {
		t.Errorf("afterwards: %d bytes, %v", len(got), err)
	}
}

func TestWrongChecksumIsSeenByTheSDK(t *testing.T) {
	r := s3server.Start(t)
	if err := put(r, "a", "body"); err != nil {
		t.Fatal(err)
	}
	head := func() string {
		out, err := client(r).HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: &r.Bucket, Key: aws.String("a"), ChecksumMode: types.ChecksumModeEnabled})
		if err != nil {
			t.Fatal(err)
		}
		return aws.ToString(out.ChecksumCRC64NVME)
	}
	right := head()
	r.Inject(s3server.Rule{Op: s3server.OpHeadObject, Times: 1, Fault: s3server.Fault{Kind: s3server.WrongChecksum}})
	if wrong := head(); wrong == right || len(wrong) != len(right) {
		t.Errorf("%q beside %q", wrong, right)
	}
}

func TestCompleteAnswers200WithAnErrorAndDoesNothing(t *testing.T) {
	r := s3server.Start(t)
	c := client(r)
	key := aws.String("a")
	begun, err := c.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: &r.Bucket, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	part, err := c.UploadPart(t.Context(), &s3.UploadPartInput{
		Bucket: &r.Bucket, Key: key, UploadId: begun.UploadId, PartNumber: aws.Int32(1), Body: bytes.NewReader([]byte("x")),
	})
	if err != nil {
		t.Fatal(err)
	}
	r.Inject(s3server.Rule{Op: s3server.OpCompleteMultipart, Times: 1, Fault: s3server.Fault{Kind: s3server.ErrorIn200, Code: "InternalError"}})
	complete := func() error {
		_, err := c.CompleteMultipartUpload(t.Context(), &s3.CompleteMultipartUploadInput{
			Bucket: &r.Bucket, Key: key, UploadId: begun.UploadId,
			MultipartUpload: &types.CompletedMultipartUpload{Parts: []types.CompletedPart{{PartNumber: aws.Int32(1), ETag: part.ETag}}},
		})
		return err
	}
	if err := complete(); code(err) != "InternalError" {
		t.Errorf("want InternalError, got %v", err)
	}
	if log := r.Requests(s3server.OpCompleteMultipart); len(log) != 1 || log[0].Status != http.StatusOK {
		t.Errorf("log %+v", log)
	}
	if err := complete(); err != nil {
		t.Errorf("the second try: %v", err)
	}
}

func TestFaultFunctionSeesEachRequest(t *testing.T) {
	r := s3server.Start(t, s3server.With(func(o *s3server.Options) {
		o.Fault = func(op s3server.Op, r *http.Request) *s3server.Fault {
			if op == s3server.OpPutObject && strings.HasSuffix(r.URL.Path, "/bad") {
				return &s3server.Fault{Kind: s3server.Answer, Code: "ExpiredToken"}
			}
			return nil
		}
	}))
	if err := put(r, "bad", "x"); code(err) != "ExpiredToken" {
		t.Errorf("bad: %v", err)
	}
	if err := put(r, "good", "x"); err != nil {
		t.Errorf("good: %v", err)
	}
}
