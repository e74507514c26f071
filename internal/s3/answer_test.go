package s3

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// What a store, or a proxy before it, answers is not trusted: any status with any body is an
// answer or an error with an exit code, and a list has no key that was not asked for.
func FuzzAnyAnswerOfAStoreIsAListOrAnError(f *testing.F) {
	for _, seed := range []struct {
		status int
		body   string
	}{
		{200, `<ListBucketResult><Contents><Key>postgresql/a</Key><Size>1</Size><LastModified>2026-11-22T02:00:00Z</LastModified></Contents></ListBucketResult>`},
		{200, `<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated><Contents><Key>%ZZ%00</Key></Contents></ListBucketResult>`},
		{200, `<Error><Code>InternalError</Code></Error>`},
		{200, ``},
		{200, `<html><body>log in first</body></html>`},
		{200, `<ListBucketResult><Contents><Key>a</Key><Size>-9223372036854775809</Size></Contents></ListBucketResult>`},
		{200, `<ListBucketResult><Contents><Key>a</Key><Size>-1</Size></Contents></ListBucketResult>`},
		{403, "<Error><Code>AccessDenied</Code><Message>\x1b]52;c;x\a</Message></Error>"},
		{503, `<Error><Code>SlowDown`},
		{301, ``},
		{404, `{"error":"json"}`},
	} {
		f.Add(seed.status, []byte(seed.body))
	}
	b, answers := lyingStore(f)
	f.Fuzz(func(t *testing.T, code int, answer []byte) {
		answers(code, answer)
		pages := 0
		for o, err := range b.List(t.Context(), "postgresql/") {
			if err != nil {
				if fault.CodeOf(err) == fault.OK {
					t.Fatalf("an error without a code: %v", err)
				}
				break
			}
			if o.Size < 0 {
				t.Fatalf("%+v", o)
			}
			if pages++; pages > 10000 { // a store that always has one more page
				break
			}
		}
	})
}

// lyingStore gives every request the answer that was set last: a status, made one that ends a
// request, and a body.
func lyingStore(f *testing.F) (b *Bucket, answers func(status int, body []byte)) {
	f.Helper()
	var status int
	var body []byte
	store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(status)
		_, _ = w.Write(body) // some statuses have none
	}))
	f.Cleanup(store.Close)
	f.Setenv("AWS_ACCESS_KEY_ID", "k")
	f.Setenv("AWS_SECRET_ACCESS_KEY", "s")
	b, err := Open(context.Background(), Options{Bucket: "backups", Endpoint: store.URL, Region: "us-east-1", MaxAttempts: 1, MaxBackoff: time.Millisecond})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(b.Close)
	return b, func(code int, answer []byte) { status, body = 200+int(uint(code)%400), answer } // 1xx would never end
}

// The same for every other call whose answer is XML: what is asked for comes back, or an error
// with an exit code that a terminal can be given.
func FuzzAnyAnswerToAnyCallIsUsableOrAnError(f *testing.F) {
	b, answers := lyingStore(f)
	calls := callsWithXML(b)
	for i := range calls {
		for _, body := range []string{
			``, `<Error><Code>NoSuchUpload</Code><Message>\x1b[2J</Message></Error>`,
			`<ListMultipartUploadsResult><IsTruncated>true</IsTruncated><NextKeyMarker>a</NextKeyMarker><Upload><Key>%00</Key><UploadId>1</UploadId></Upload></ListMultipartUploadsResult>`,
			`<ListPartsResult><Part><Size>9223372036854775807</Size></Part><Part><Size>9</Size></Part><Part><Size>-7</Size></Part></ListPartsResult>`,
			`<DeleteResult><Error><Key>never asked</Key><Code>AccessDenied</Code></Error><Error></Error></DeleteResult>`,
			`<ListVersionsResult><Version><Key>a</Key><Size>-1</Size></Version><DeleteMarker></DeleteMarker></ListVersionsResult>`,
			`<LifecycleConfiguration><Rule><Status>Enabled</Status><Expiration><Days>-3</Days></Expiration></Rule></LifecycleConfiguration>`,
			`<ObjectLockConfiguration><Rule><DefaultRetention><Mode>X</Mode><Days>-1</Days></DefaultRetention></Rule></ObjectLockConfiguration>`,
		} {
			f.Add(i, 0, []byte(body))
		}
		f.Add(i, 303, []byte(`<Error><Code>SlowDown`))
	}
	f.Fuzz(func(t *testing.T, call, code int, answer []byte) {
		answers(code, answer)
		c := calls[uint(call)%uint(len(calls))]
		wrong, err := c.call(t.Context())
		switch {
		case err == nil && wrong != "":
			t.Fatalf("%s: %s", c.name, wrong)
		case err != nil && fault.CodeOf(err) == fault.OK:
			t.Fatalf("%s: an error without a code: %v", c.name, err)
		case err != nil && strings.ContainsFunc(err.Error(), func(r rune) bool { return r != '\n' && unicode.IsControl(r) }):
			t.Fatalf("%s: a control character in the error %q", c.name, err)
		}
	})
}

// xmlCall does something and says what is wrong with the answer that it takes.
type xmlCall struct {
	name string
	call func(context.Context) (wrong string, err error)
}

func callsWithXML(b *Bucket) []xmlCall {
	asked := []string{"postgresql/a", "postgresql/b"}
	return []xmlCall{
		{"delete", func(ctx context.Context) (string, error) {
			gone, err := b.Delete(ctx, asked)
			if slices.ContainsFunc(gone, func(key string) bool { return !slices.Contains(asked, key) }) || len(gone) > len(asked) {
				return fmt.Sprintf("deleted %q", gone), nil
			}
			return "", err
		}},
		{"uploads", func(ctx context.Context) (string, error) {
			_, err := b.Uploads(ctx, "postgresql/")
			return "", err
		}},
		{"parts", func(ctx context.Context) (string, error) {
			parts, err := b.Parts(ctx, OpenUpload{Key: asked[0], UploadID: "u"})
			if parts.Bytes < 0 {
				return fmt.Sprintf("%d bytes", parts.Bytes), err
			}
			return "", err
		}},
		{"versions", func(ctx context.Context) (string, error) {
			for v, err := range b.Versions(ctx, "postgresql/") {
				if err != nil {
					return "", err
				}
				if v.Size < 0 {
					return fmt.Sprintf("%+v", v), nil
				}
			}
			return "", nil
		}},
		{"lifecycle", func(ctx context.Context) (string, error) {
			rules, err := b.Lifecycle(ctx)
			for _, r := range rules {
				if r.ExpireDays < 0 || r.NoncurrentDays < 0 || r.NoncurrentKept < 0 || r.AbortDays < 0 {
					return fmt.Sprintf("%+v", r), err
				}
			}
			return "", err
		}},
		{"protection", func(ctx context.Context) (string, error) {
			p, err := b.Protection(ctx)
			if p.Default.Days < 0 || p.Default.Years < 0 {
				return fmt.Sprintf("%+v", p), err
			}
			return "", err
		}},
		{"folders", func(ctx context.Context) (string, error) {
			_, err := b.ListDirs(ctx, "postgresql/")
			return "", err
		}},
		{"abort", func(ctx context.Context) (string, error) {
			return "", b.AbortUpload(ctx, OpenUpload{Key: asked[0], UploadID: "u"})
		}},
		{"put", func(ctx context.Context) (string, error) {
			_, err := b.Put(ctx, asked[0], []byte("x"), PutOptions{})
			return "", err
		}},
	}
}
