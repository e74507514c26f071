package notify

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// channel is one with short pauses.
func channel(t *testing.T, n int, address string) Channel {
	t.Helper()
	c, err := NewChannel(n, address, false)
	if err != nil {
		t.Fatalf("%s: %v", address, err)
	}
	c.pause = time.Millisecond
	return c
}

// taker takes whatever is posted, and answers by status.
func taker(t *testing.T, status int) (host string, count *atomic.Int32, body *atomic.Value) {
	t.Helper()
	count, body = new(atomic.Int32), new(atomic.Value)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		count.Add(1)
		raw, _ := io.ReadAll(r.Body)
		body.Store(r.Header.Get("Title") + "|" + string(raw))
		w.WriteHeader(status)
		_, _ = io.WriteString(w, `{"id":"x","message":"no: `+r.URL.Path+`"}`)
	}))
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://"), count, body
}

func TestEveryKindOfChannelTakesAMessage(t *testing.T) {
	host, _, body := taker(t, http.StatusOK)
	for address, want := range map[string]string{
		"generic+http://" + host + "/hook?" + canary:               "what failed",
		"generic://" + host + "/hook?disabletls=yes&template=json": `"message":"what failed"`,
		"ntfy://" + host + "/topic?scheme=http":                    "the title|what failed",
		"http://" + host + "/services/" + canary:                   `{"text":"what failed"}`,
	} {
		c := channel(t, 1, address)
		if err := c.Send(t.Context(), Message{"the title", "what failed"}); err != nil {
			t.Errorf("%s: %v", c.Label, err)
		}
		if got, _ := body.Load().(string); !strings.Contains(got, want) {
			t.Errorf("%s got %q, want %q in it", c.Label, got, want)
		}
	}
}

// hostile are addresses of all sorts of kinds with a secret in each of their parts.
func hostile(host string) []string {
	return []string{
		"generic+http://canary:canary@" + host + "/canary?@X-Canary=canary", "generic+http://127.0.0.1:1/canary", "generic+http://no-such-host.invalid/canary",
		"slack://hook:T0CANARY00-B0CANARY00-canarycanarycanarycanary@canary", "slack://canary", "discord://canary@123canary", "telegram://canary@telegram?chats=canary",
		"smtp://canary:canary@127.0.0.1:1/?from=canary@example.com&to=canary@example.com", "smtp://mail.example.com/?from=canary", "ntfy://canary:canary@" + host + "/canary?scheme=http",
		"pushover://shoutrrr:canary@canary", "teams://canary", "pagerduty://canary", "opsgenie://127.0.0.1:1/canary", "gotify://127.0.0.1:1/canary",
		"http://" + host + "/canary", "https://127.0.0.1:1/canary",
	}
}

func TestAFailingChannelNeverShowsItsAddress(t *testing.T) {
	host, _, _ := taker(t, http.StatusNotFound)
	for n, address := range hostile(host) {
		c, err := NewChannel(n, address, false)
		if err == nil {
			c.pause = time.Millisecond
			if strings.HasPrefix(address, "telegram:") || strings.HasPrefix(address, "discord:") || strings.HasPrefix(address, "pushover:") || strings.HasPrefix(address, "slack://hook") || strings.HasPrefix(address, "pagerduty:") {
				continue // would ask the real service; their labels are below
			}
			err = c.Send(t.Context(), Message{"t", "x"})
		}
		if err == nil {
			t.Errorf("%d, %s: no error", n, c.Label)
			continue
		}
		if all := strings.ToLower(err.Error() + fault.Remedy(err) + c.Label); strings.Contains(all, "canary") {
			t.Errorf("%d: the address is in %q", n, all)
		}
	}
	for n, address := range hostile(host) {
		if c, err := NewChannel(n, address, false); err == nil && strings.Contains(strings.ToLower(c.Label), "canary") {
			t.Errorf("the label shows it: %s", c.Label)
		}
	}
}

func TestWordsOfOthersAreNotRepeated(t *testing.T) {
	for text, want := range map[string]string{
		`posting to "https://x/canary": dial tcp: connect: connection refused`: "connection refused",
		"https://x/canary answered 404 Not Found":                              "answered 404 Not Found",
		"canary": "it did not accept the message (the reason is not shown, since it may contain the address)",
	} {
		if _, got := inWords(errors.New(text)); got != want {
			t.Errorf("%q: %q", text, got)
		}
	}
}

func TestAChannelIsTriedAgainWhereItMayHelp(t *testing.T) {
	for status, want := range map[int]int32{http.StatusServiceUnavailable: attempts, http.StatusTooManyRequests: attempts, http.StatusForbidden: 1} {
		host, count, _ := taker(t, status)
		err := channel(t, 1, "generic+http://"+host+"/x").Send(t.Context(), Message{"t", "x"})
		if fault.CodeOf(err) != fault.Unavailable || count.Load() != want {
			t.Errorf("%d: %v after %d posts", status, err, count.Load())
		}
	}
}

func TestAddressesThatNothingTakesAreRefused(t *testing.T) {
	for _, address := range []string{"", "canary", "http:///canary", "logger://", "canary://x", "://canary", "http://%zz/canary"} {
		_, err := NewChannel(3, address, false)
		if fault.CodeOf(err) != fault.Config || !strings.Contains(err.Error(), "channel 3") || strings.Contains(err.Error(), "canary") {
			t.Errorf("%q: %v", address, err)
		}
	}
}

func TestOneSlowChannelHoldsUpNoOther(t *testing.T) {
	held := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-held }))
	t.Cleanup(slow.Close)
	host, count, _ := taker(t, http.StatusOK)
	all := []Outgoing{{Channel: channel(t, 1, slow.URL)}, {Channel: channel(t, 2, "http://"+host)}}
	done := make(chan struct{})
	go func() { defer close(done); Send(t.Context(), all) }()
	for count.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	close(held)
	<-done
	if all[0].Err != nil || all[1].Err != nil {
		t.Errorf("%v, %v", all[0].Err, all[1].Err)
	}
}
