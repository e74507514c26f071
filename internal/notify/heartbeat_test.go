package notify

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

func TestAHeartbeatNeverShowsItsAddress(t *testing.T) {
	for _, bad := range []string{"", "canary", "ftp://host/canary", "https:///canary", "https://ho st/canary", "\x00canary"} {
		if _, err := NewHeartbeat(bad, "a"); fault.CodeOf(err) != fault.Config || strings.Contains(fmt.Sprint(err), "canary") {
			t.Errorf("%q: %v", bad, err)
		}
	}
	for _, gone := range []string{"http://127.0.0.1:1/canary", "http://canary.invalid/canary"} {
		h, err := NewHeartbeat(gone, "a")
		if err != nil {
			t.Fatal(err)
		}
		err = h.Start(t.Context(), "r")
		if fault.CodeOf(err) != fault.Unavailable || strings.Contains(fmt.Sprint(err), "canary") {
			t.Errorf("%v", err)
		}
	}
}

func TestAHeartbeatIsTriedOnceMoreAndItsBodyIsBounded(t *testing.T) {
	var calls []string
	status := []int{500, 200, 404, 503, 503}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.WriteHeader(status[len(calls)])
		calls = append(calls, fmt.Sprintf("%s %d", r.URL.RequestURI(), len(body)))
	}))
	defer server.Close()
	h, err := NewHeartbeat(server.URL+"/k/{job}?create=1", "a/b c")
	if err != nil {
		t.Fatal(err)
	}
	if err := h.End(t.Context(), "r", 69, strings.Repeat("some line\n", 5000)); err != nil {
		t.Error(err)
	}
	for range 2 {
		if err := h.Start(t.Context(), "r"); err == nil {
			t.Error("a refusal is no error")
		}
	}
	if len(calls) != 5 || !strings.HasPrefix(calls[1], "/k/a%2Fb%20c/69?create=1&rid=r ") || calls[1] != calls[0] || !strings.HasSuffix(calls[1], " 9990") {
		t.Errorf("%q", calls)
	}
}
