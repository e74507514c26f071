package s3

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// A store that never ends its answer must not fill the memory of whoever asks.
func TestAnAnswerWithoutAnEndIsCutOff(t *testing.T) {
	quietEnvironment(t)
	t.Setenv("AWS_ACCESS_KEY_ID", "k")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "s")
	for name, c := range map[string]struct {
		status    int
		head, row string
	}{
		"a page":         {http.StatusOK, "<ListBucketResult>", "<Contents><Key>a</Key></Contents>"},
		"one long key":   {http.StatusOK, "<ListBucketResult><Contents><Key>", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
		"an error":       {http.StatusForbidden, "<Error><Code>AccessDenied</Code><Message>", "no, never, and not here either. "},
		"no XML at all":  {http.StatusBadGateway, "", "<p>please log in</p>"},
		"a long comment": {http.StatusOK, "<!-- ", "--------------------------------"},
	} {
		t.Run(name, func(t *testing.T) {
			sent := 0
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				sent = 0
				w.WriteHeader(c.status)
				_, err := w.Write([]byte(c.head))
				for chunk := []byte(strings.Repeat(c.row, 2048)); err == nil && sent < 20*maxAnswerBytes; sent += len(chunk) {
					_, err = w.Write(chunk)
				}
			}))
			defer server.Close()
			b, err := Open(t.Context(), Options{Bucket: "b", Endpoint: server.URL, Region: "r", MaxAttempts: 1})
			if err != nil {
				t.Fatal(err)
			}
			defer b.Close()
			err = nil
			for _, err = range b.List(t.Context(), "") {
				if err != nil {
					break
				}
			}
			if err == nil || fault.CodeOf(err) == fault.OK {
				t.Fatalf("no error after %d bytes", sent)
			}
			server.CloseClientConnections()
			server.Close() // waits for the handler
			if sent >= 10*maxAnswerBytes {
				t.Errorf("%d bytes were taken: %v", sent, err)
			}
		})
	}
}

func TestAnObjectMayBeLargerThanAnyAnswer(t *testing.T) {
	b := openAt(t, startServer(t))
	body := someBytes(maxAnswerBytes + 1)
	if _, err := b.Put(t.Context(), "large", body, PutOptions{}); err != nil {
		t.Fatal(err)
	}
	stream, _, err := b.Get(t.Context(), "large", 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	n, err := io.Copy(io.Discard, stream)
	if n != int64(len(body)) || err != nil {
		t.Errorf("%d bytes, %v", n, err)
	}
}
