package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// checks stands in the place of a service that takes heartbeats.
type checks struct {
	*httptest.Server
	mu     sync.Mutex
	calls  []string // "/path?query body"
	status int
}

func newChecks(t *testing.T) *checks {
	t.Helper()
	c := &checks{status: http.StatusOK}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		defer c.mu.Unlock()
		body, _ := io.ReadAll(r.Body)
		c.calls = append(c.calls, r.Method+" "+r.URL.RequestURI()+" "+string(body))
		w.WriteHeader(c.status)
	}))
	t.Cleanup(c.Close)
	return c
}

func (c *checks) take() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	calls := c.calls
	c.calls = nil
	return calls
}

var runQuery = regexp.MustCompile(`rid=([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})`)

func runOf(t *testing.T, call string) string {
	t.Helper()
	m := runQuery.FindStringSubmatch(call)
	if m == nil {
		t.Fatalf("%q has no run", call)
	}
	return m[1]
}

func TestARunTellsItsStartAndItsEndUnderOneID(t *testing.T) {
	c := newChecks(t)
	w := newWatched(t, "heartbeat: {url: \""+c.URL+"/canary/{job}?create=1\"}\n")
	w.must(t, fault.OK, "--headless")
	calls := c.take()
	if len(calls) != 2 || !strings.HasPrefix(calls[0], "POST /canary/"+w.db+"/start?create=1&rid=") ||
		!strings.HasPrefix(calls[1], "POST /canary/"+w.db+"/0?create=1&rid=") || runOf(t, calls[0]) != runOf(t, calls[1]) {
		t.Fatalf("%q", calls)
	}
	if !strings.Contains(calls[1], "committed") {
		t.Errorf("the last lines are not there: %q", calls[1])
	}
	if w.run(t, "--headless"); runOf(t, c.take()[0]) == runOf(t, calls[0]) {
		t.Error("two runs have one ID")
	}
	w.env["INVOCATION_ID"] = "0123456789abcdef0123456789abcdef"
	w.run(t, "--headless")
	if got := runOf(t, c.take()[1]); got != "01234567-89ab-cdef-0123-456789abcdef" {
		t.Errorf("in a unit: %s", got)
	}
}

func TestAFailedRunTellsItsCodeAndErrorWithoutSecrets(t *testing.T) {
	c := newChecks(t)
	w := newWatched(t, "")
	file := filepath.Join(w.dir, "address")
	if err := os.WriteFile(file, []byte(c.URL+"/canary\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	w.configure(t, "heartbeat: {url_file: "+file+"}\nconnect_wait: 1s\n")
	t.Setenv("PGPORT", "1")
	w.must(t, fault.Unavailable, "--headless")
	calls := c.take()
	if len(calls) != 2 || !strings.HasPrefix(calls[1], "POST /canary/69?rid=") || !strings.Contains(calls[1], "onnect") {
		t.Errorf("%q", calls)
	}
	secret := w.env["AWS_SECRET_ACCESS_KEY"]
	h := &lastLines{secrets: []string{secret, c.URL + "/canary", ""}}
	_, _ = h.Write([]byte("a " + secret + " b " + c.URL + "/canary\n"))
	if got := h.text(); got != "a [redacted] b [redacted]\n" {
		t.Errorf("%q", got)
	}
	for range 100 {
		_, _ = h.Write([]byte("line\n"))
	}
	if n := strings.Count(h.text(), "\n"); n != mostLines {
		t.Errorf("%d lines", n)
	}
}

func TestAHeartbeatThatIsNotTakenCostsNoBackup(t *testing.T) {
	c := newChecks(t)
	c.status = http.StatusNotFound
	w := newWatched(t, "")
	for address, want := range map[string]string{c.URL + "/canary": "answered Not Found", "http://127.0.0.1:1/canary": "connection refused"} {
		w.configure(t, "heartbeat: {url: \""+address+"\"}\n")
		code, out := w.run(t, "--headless")
		if code != fault.OK || strings.Count(out, "the heartbeat was not delivered") != 2 || !strings.Contains(out, want) {
			t.Errorf("%d: %s", code, out)
		}
	}
	w.configure(t, "heartbeat: {url_file: /nonexistent}\n")
	if code, out := w.run(t, "--headless"); code != fault.OK || !strings.Contains(out, "read the address of the heartbeat") {
		t.Errorf("%d: %s", code, out)
	}
}

// A process that came to its own end has told it; one that was killed has not.
func TestTheEndOfAKilledRunIsTheUnitsToTell(t *testing.T) {
	c := newChecks(t)
	w := newWatched(t, "heartbeat: {url: "+c.URL+"/canary}\n")
	w.env["INVOCATION_ID"] = "0123456789abcdef0123456789abcdef"
	for end, want := range map[unitEnd]string{
		{"success", "exited", "0"}:     "",
		{"success", "exited", "3"}:     "",
		{"exit-code", "exited", "69"}:  "",
		{"timeout", "exited", "143"}:   "",
		{"signal", "killed", "KILL"}:   "/canary/137?rid=01234567-89ab-",
		{"exit-code", "exited", "203"}: "/canary/203?rid=01234567-89ab-",
		{"exit-code", "exited", "2"}:   "/canary/2?rid=01234567-89ab-",
		{"resources", "", ""}:          "/canary/1?rid=01234567-89ab-",
	} {
		w.ended(t, "postgres-backup@"+w.db+".service", end)
		calls := c.take()
		told := slices.ContainsFunc(calls, func(call string) bool {
			return strings.HasPrefix(call, "POST "+want) && strings.Contains(call, " ended: ")
		})
		if (len(calls) > 0) != (want != "") || want != "" && !told {
			t.Errorf("%+v: %q", end, calls)
		}
	}
	w.ended(t, "postgres-backup-verify@"+w.db+".service", unitEnd{"signal", "killed", "KILL"})
	if len(c.take()) != 0 {
		t.Error("a verification is told as a backup")
	}
}

// An address that the units alone can read serves jobs that name none; one of the configuration comes first.
func TestAHeartbeatsAddressMayBeASecretOfTheUnits(t *testing.T) {
	c := newChecks(t)
	w := newWatched(t, "")
	secrets := t.TempDir()
	w.env["CREDENTIALS_DIRECTORY"] = secrets
	put := func(text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(secrets, "heartbeat-url"), []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("none") // as the units have it where there is no such file
	if code, out := w.run(t, "--headless"); code != fault.OK || len(c.take()) != 0 {
		t.Fatalf("%d: %s", code, out)
	}
	put(c.URL + "/canary/secret-{job}")
	w.run(t, "--headless")
	if calls := c.take(); len(calls) != 2 || !strings.HasPrefix(calls[1], "POST /canary/secret-"+w.db+"/0?rid=") {
		t.Errorf("%q", calls)
	}
	w.configure(t, "heartbeat: {url: \""+c.URL+"/canary/own\"}\n")
	w.run(t, "--headless")
	if calls := c.take(); len(calls) != 2 || !strings.HasPrefix(calls[1], "POST /canary/own/0?rid=") {
		t.Errorf("%q", calls)
	}
}
