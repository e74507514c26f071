package s3

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

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
		{403, "<Error><Code>AccessDenied</Code><Message>\x1b]52;c;x\a</Message></Error>"},
		{503, `<Error><Code>SlowDown`},
		{301, ``},
		{404, `{"error":"json"}`},
	} {
		f.Add(seed.status, []byte(seed.body))
	}
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
	f.Fuzz(func(t *testing.T, code int, answer []byte) {
		status, body = 200+int(uint(code)%400), answer // 1xx would never end
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
