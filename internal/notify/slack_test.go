package notify

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// canary stands for the secret part of a webhook's address.
const canary = "T000/B000/canary-secret"

// server answers each request by the next of the given functions, the last one for ever.
func server(t *testing.T, answers ...http.HandlerFunc) (address string, count *atomic.Int32, text *string) {
	t.Helper()
	count, text = new(atomic.Int32), new(string)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i := int(count.Add(1)) - 1
		body, _ := io.ReadAll(r.Body)
		var message struct{ Text string }
		if err := json.Unmarshal(body, &message); err != nil || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("request: %v, %q, %q", err, body, r.Header.Get("Content-Type"))
		}
		*text = message.Text
		answers[min(i, len(answers)-1)](w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL + "/services/" + canary, count, text
}

func status(code int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(code)
		_, _ = io.WriteString(w, body)
	}
}

func quick() sender {
	return sender{pause: time.Millisecond, client: &http.Client{
		Timeout:       5 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

func TestSlackPostsTheText(t *testing.T) {
	address, count, text := server(t, status(200, "ok"))
	if err := quick().post(t.Context(), address, "failed: <!channel> & \"co\""); err != nil {
		t.Fatal(err)
	}
	if *text != "failed: &lt;!channel&gt; &amp; \"co\"" || count.Load() != 1 {
		t.Errorf("%d posts, text %q", count.Load(), *text)
	}
}

func TestSlackTriesAgainWhereItMayHelp(t *testing.T) {
	address, count, _ := server(t, status(503, "busy"), status(429, "slow"), status(200, "ok"))
	if err := quick().post(t.Context(), address, "x"); err != nil || count.Load() != 3 {
		t.Errorf("%v after %d posts", err, count.Load())
	}
}

func TestSlackGivesUpAfterAFewTries(t *testing.T) {
	address, count, _ := server(t, status(500, "no"))
	err := quick().post(t.Context(), address, "x")
	if fault.CodeOf(err) != fault.Unavailable || count.Load() != attempts {
		t.Errorf("%v after %d posts", err, count.Load())
	}
}

func TestSlackDoesNotRepeatARefusal(t *testing.T) {
	for _, code := range []int{400, 403, 404, 410, 302} {
		address, count, _ := server(t, status(code, "no_service"))
		err := quick().post(t.Context(), address, "x")
		if err == nil || count.Load() != 1 || !strings.Contains(err.Error(), "no_service") {
			t.Errorf("%d: %v after %d posts", code, err, count.Load())
		}
	}
}

func TestSlackNeverShowsTheAddress(t *testing.T) {
	answered, _, _ := server(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(404)
		_, _ = io.WriteString(w, "no such thing: "+r.URL.Path)
	})
	moved, _, _ := server(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/x/"+canary, http.StatusFound) })
	for _, address := range []string{
		answered, moved,
		"http://127.0.0.1:1/services/" + canary, "https://127.0.0.1:1/" + canary, "http://[::1]:namedport/" + canary,
		"ftp://x/" + canary, canary, "http://x\n/" + canary, "http://no-such-host.invalid/" + canary,
	} {
		err := quick().post(t.Context(), address, "x")
		if err == nil {
			t.Errorf("no error for %q", address)
			continue
		}
		if all := err.Error() + fault.Remedy(err); strings.Contains(all, "canary") {
			t.Errorf("the address is in %q", all)
		}
	}
}

func TestSlackEndsWithItsContext(t *testing.T) {
	address, count, _ := server(t, status(503, ""))
	ctx, cancel := context.WithCancel(t.Context())
	s := quick()
	s.pause = time.Hour
	done := make(chan error, 1)
	go func() { done <- s.post(ctx, address, "x") }()
	for count.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	cancel()
	if err := <-done; err == nil {
		t.Error("no error")
	}
}

func TestLongTextsAreCutBetweenCharacters(t *testing.T) {
	for n := range 5 {
		got := cut(strings.Repeat("x", n)+strings.Repeat("数", 5000), textLimit)
		if !utf8.ValidString(got) || len(got) > textLimit+len("…") || !strings.HasSuffix(got, "…") {
			t.Errorf("%d bytes, valid %v", len(got), utf8.ValidString(got))
		}
	}
}
