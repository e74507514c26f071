package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// hook takes what is posted to it.
type hook struct {
	*httptest.Server
	mu     sync.Mutex
	texts  []string
	broken bool // answers 403, and keeps nothing
}

func newHook(t *testing.T) *hook {
	t.Helper()
	h := &hook{}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.mu.Lock()
		defer h.mu.Unlock()
		raw, _ := io.ReadAll(r.Body)
		var body struct{ Text string }
		if h.broken {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		if json.Unmarshal(raw, &body) != nil {
			body.Text = string(raw)
		}
		h.texts = append(h.texts, body.Text)
	}))
	t.Cleanup(h.Close)
	return h
}

// take is what came since the last call.
func (h *hook) take() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	texts := h.texts
	h.texts = nil
	return texts
}

func (h *hook) breaks(broken bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.broken = broken
}

// watched is a host whose bucket is watched: a world, a configuration, a memory, and a clock.
type watched struct {
	*world
	config string
	now    time.Time
	env    map[string]string
}

func newWatched(t *testing.T, alert string) *watched {
	t.Helper()
	w := &watched{world: newWorld(t), now: time.Now(), env: map[string]string{}}
	for _, e := range w.world.env() {
		name, value, _ := strings.Cut(e, "=")
		t.Setenv(name, value)
		w.env[name] = value
	}
	w.env["STATE_DIRECTORY"] = t.TempDir()
	w.config = filepath.Join(w.dir, "config.yaml")
	w.configure(t, alert)
	return w
}

// configure excludes all databases that no job backs up: the server has those of other tests.
func (w *watched) configure(t *testing.T, alert string) {
	t.Helper()
	w.configureExcluding(t, `["*"]`, alert)
}

func (w *watched) configureExcluding(t *testing.T, exclude, alert string) {
	t.Helper()
	text := fmt.Sprintf("read_only: true\nexclude: %s\ns3: {bucket: %s, region: us-east-1, endpoint: %q, path_style: true}\n"+
		"drill: {server: {host: %s, port: %q, user: %s}}\njobs: {%s: {}}\n%s", exclude, w.s3.Bucket, w.s3.Endpoint, w.pg.Host, w.pg.Port, w.pg.User, w.db, alert)
	if err := os.WriteFile(w.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// run is one call of the program at the world's time; what it printed holds no secret.
func (w *watched) run(t *testing.T, args ...string) (fault.Code, string) {
	t.Helper()
	var out bytes.Buffer
	p := newProgram(outside{
		in: os.Stdin, out: &out, err: &out,
		getenv: func(k string) string { return w.env[k] }, now: func() time.Time { return w.now },
	})
	code := p.main(t.Context(), append(args, "--config", w.config))
	if strings.Contains(out.String(), "canary") {
		t.Errorf("%q shows a secret: %s", args, out.String())
	}
	return code, out.String()
}

// must is a call that ends with this code.
func (w *watched) must(t *testing.T, want fault.Code, args ...string) {
	t.Helper()
	if code, out := w.run(t, args...); code != want {
		t.Fatalf("%q: exit %d, not %d: %s", args, code, want, out)
	}
}

// unitEnd is how systemd tells ExecStopPost= that a unit's process ended.
type unitEnd struct{ result, code, status string }

// ended is the call of a unit's ExecStopPost=.
func (w *watched) ended(t *testing.T, unit string, end unitEnd) {
	t.Helper()
	w.env["SERVICE_RESULT"] = end.result
	w.env["EXIT_CODE"] = end.code
	w.env["EXIT_STATUS"] = end.status
	w.must(t, fault.OK, "ended", unit)
}

func (w *watched) expect(t *testing.T, h *hook, after time.Duration, want ...string) {
	t.Helper()
	w.now = w.now.Add(after)
	_, out := w.run(t, "watch", "--tell")
	got := h.take()
	if len(got) != len(want) {
		t.Fatalf("%d messages, want %q: %q\n%s", len(got), want, got, out)
	}
	for i := range want {
		if !strings.Contains(got[i], want[i]) {
			t.Errorf("message %q does not say %q", got[i], want[i])
		}
	}
}

func TestALateBackupIsToldOnceAndItsEndOnce(t *testing.T) {
	h := newHook(t)
	w := newWatched(t, "alert: {channels: [{url: "+h.URL+"/canary}]}\nwatch: {ping_url: "+h.URL+"/ping/canary}\n")
	w.expect(t, h, 0, "there is no good backup of this database") // nothing ever ran
	w.expect(t, h, time.Hour)
	w.expect(t, h, 23*time.Hour, "problem continues")
	w.must(t, fault.OK, "--headless")
	w.expect(t, h, time.Hour, "all clear", "") // and the ping, now that nothing is wrong
	w.expect(t, h, time.Hour, "")
	w.expect(t, h, 27*time.Hour, "older than the objective of 26h")
}

func TestABucketThatDoesNotAnswerIsNoMissingBackup(t *testing.T) {
	h := newHook(t)
	w := newWatched(t, "alert: {channels: [{url: "+h.URL+"}]}\n")
	w.must(t, fault.OK, "--headless")
	w.expect(t, h, 0)
	good := w.env["AWS_SECRET_ACCESS_KEY"]
	t.Setenv("AWS_SECRET_ACCESS_KEY", "wrong")
	w.expect(t, h, time.Hour, "the bucket cannot be read")
	w.expect(t, h, time.Hour)
	t.Setenv("AWS_SECRET_ACCESS_KEY", good)
	w.expect(t, h, time.Hour, "all clear")
}

func TestAChannelThatFailsIsToldOnTheOthers(t *testing.T) {
	first, second := newHook(t), newHook(t)
	w := newWatched(t, "alert: {channels: [{url: "+first.URL+"/canary}, "+
		"{url: generic+"+second.URL+"/canary, severity: critical}]}\n")
	first.breaks(true)
	w.expect(t, second, 0, "there is no good backup", "alerts to this channel fail")
	w.expect(t, second, time.Hour)
	first.breaks(false)
	w.expect(t, second, 24*time.Hour, "problem continues", "all clear: alerts by channel 1")
	if got := first.take(); len(got) != 2 {
		t.Errorf("the mended channel got %q", got)
	}
}

func TestWhatNobodyTookIsToldAtTheNextLook(t *testing.T) {
	h := newHook(t)
	w := newWatched(t, "alert: {slack_webhook: "+h.URL+"/canary}\n")
	h.breaks(true)
	w.expect(t, h, 0)
	h.breaks(false)
	w.expect(t, h, time.Hour, "there is no good backup", "all clear: alerts by channel 1")
	w.expect(t, h, time.Hour)
}

func TestAnAddressThatCannotBeUsedIsToldByTheOthersBeforeItIsNeeded(t *testing.T) {
	h := newHook(t)
	w := newWatched(t, "")
	w.must(t, fault.OK, "--headless")
	w.configure(t, "alert: {channels: [{url: "+h.URL+"}, {url_file: /nonexistent/address}, {url: canary://x}]}\n")
	w.expect(t, h, 0, "a channel that cannot be used")
	w.expect(t, h, time.Hour)
	code, out := w.run(t, "config", "check", "--offline")
	if code != fault.Config || !strings.Contains(out, "FAIL alerts") {
		t.Errorf("%d: %s", code, out)
	}
	w.configure(t, "alert: {channels: [{url: "+h.URL+"}]}\n")
	w.expect(t, h, time.Hour, "all clear")
}

func TestAChannelOfOneJobIsToldApartFromThatOfAnother(t *testing.T) {
	first, second := newHook(t), newHook(t)
	w := newWatched(t, "")
	text := fmt.Sprintf("read_only: true\ns3: {bucket: %s, region: us-east-1, endpoint: %q, path_style: true}\n"+
		"jobs:\n  a: {alert: {channels: [{url: %s}]}}\n  b: {alert: {channels: [{url: %s}]}}\n",
		w.s3.Bucket, w.s3.Endpoint, first.URL, second.URL)
	delete(w.env, "DB_NAME")
	if err := os.WriteFile(w.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	second.breaks(true)
	w.expect(t, first, 0, "job a", "alerts by channel 2")
	second.breaks(false)
	w.expect(t, first, time.Hour, "all clear: alerts by channel 2")
	if got := second.take(); len(got) != 2 || !strings.Contains(got[0], "job b") {
		t.Errorf("%q", got)
	}
}

// Backups that succeed do not answer a drill that failed, and nothing but a drill that passes ends its reminders.
func TestAFailedDrillIsRemindedOfUntilOnePassesAndThenCleared(t *testing.T) {
	h := newHook(t)
	w := newWatched(t, "alert: {channels: [{url: "+h.URL+"}]}\n")
	w.now = w.now.Add(-5 * 24 * time.Hour) // the store knows what time it is
	w.pg.Exec(t, w.db, `CREATE TABLE known (a text); INSERT INTO known VALUES ('a');
		CREATE FUNCTION is_known(i text) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT EXISTS (SELECT FROM known WHERE a = i)';
		CREATE TABLE verified (i text CHECK (is_known(i))); INSERT INTO verified VALUES ('a')`)
	w.must(t, fault.OK, "--headless")
	w.expect(t, h, time.Hour)
	w.must(t, fault.Integrity, "drill", "latest")
	w.expect(t, h, time.Hour, "the newest drill failed, and none has passed since")
	w.expect(t, h, time.Hour)
	for range 2 { // days
		w.must(t, fault.OK, "--headless")
		w.expect(t, h, 23*time.Hour+30*time.Minute, "problem continues")
		w.expect(t, h, 30*time.Minute)
	}
	// It fails again, of another set: the same incident.
	w.must(t, fault.OK, "--headless")
	w.must(t, fault.Integrity, "drill", "latest")
	w.expect(t, h, time.Hour)

	w.pg.Exec(t, w.db, "ALTER FUNCTION is_known SET search_path = public")
	w.must(t, fault.OK, "--headless")
	w.expect(t, h, time.Hour)
	w.must(t, fault.OK, "drill", "latest")
	w.expect(t, h, time.Hour, "all clear")
	w.expect(t, h, time.Hour)
}

func TestALostMemoryCostsOneRepeat(t *testing.T) {
	h := newHook(t)
	w := newWatched(t, "alert: {channels: [{url: "+h.URL+"}]}\n")
	w.expect(t, h, 0, "there is no good backup")
	if err := os.WriteFile(filepath.Join(w.env["STATE_DIRECTORY"], "incidents.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	w.expect(t, h, time.Hour, "there is no good backup")
	w.expect(t, h, time.Hour)
}

func TestByHandTheWatchOnlySays(t *testing.T) {
	h := newHook(t)
	w := newWatched(t, "alert: {channels: [{url: "+h.URL+"}]}\n")
	code, out := w.run(t, "watch")
	missing := "CRITICAL " + w.db + ": there is no good backup"
	if code != fault.Warnings || !strings.Contains(out, missing) || len(h.take()) != 0 {
		t.Errorf("%d: %s", code, out)
	}
	checkDocument(t, w, "watch", "watch", "--json")
	w.must(t, fault.OK, "--headless")
	if code, out := w.run(t, "watch"); code != fault.OK || !strings.Contains(out, "objective 26h 00m (default)") {
		t.Errorf("%d: %s", code, out)
	}
	checkDocument(t, w, "watch", "watch", "--json")
}

func checkDocument(t *testing.T, w *watched, name string, args ...string) {
	t.Helper()
	_, out := w.run(t, args...)
	c, err := readContract()
	if err == nil {
		err = c.check(name, []byte(out))
	}
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestAlertTestSaysHowEachChannelTookIt(t *testing.T) {
	good, bad := newHook(t), newHook(t)
	bad.breaks(true)
	file := filepath.Join(t.TempDir(), "address")
	if err := os.WriteFile(file, []byte("generic+"+good.URL+"/canary\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	w := newWatched(t, "alert: {slack_webhook: "+good.URL+"/services/canary, "+
		"channels: [{url_file: "+file+", severity: critical}]}\n")
	code, out := w.run(t, "alert", "test")
	if code != fault.OK || strings.Count(out, "ok ") != 2 {
		t.Errorf("%d: %s", code, out)
	}
	for _, text := range good.take() {
		if !strings.Contains(text, "this is a test") {
			t.Errorf("%q", text)
		}
	}
	checkDocument(t, w, "alert test", "alert", "test", "--json")
	w.configure(t, "alert: {channels: [{url: "+good.URL+"/canary}, {url: "+bad.URL+"/canary}]}\n")
	code, out = w.run(t, "alert", "test")
	if code != fault.NotPermitted || !strings.Contains(out, "FAIL channel 2") || !strings.Contains(out, "ok   channel 1") {
		t.Errorf("%d: %s", code, out)
	}
	checkDocument(t, w, "alert test", "alert", "test", "--json")
	w.configure(t, "alert: {channels: [{url: canary://x}]}\n")
	if code, out := w.run(t, "alert", "test"); code != fault.Config || !strings.Contains(out, "FAIL") {
		t.Errorf("%d: %s", code, out)
	}
	w.configure(t, "")
	if code, out := w.run(t, "alert", "test"); code != fault.Config || !strings.Contains(out, "there is no channel") {
		t.Errorf("%d: %s", code, out)
	}
}

// A failed unit's alert and the hourly watch share one memory: neither repeats the other.
func TestAFailureThatWasToldIsNotToldByTheNextAlert(t *testing.T) {
	h := newHook(t)
	w := newWatched(t, "alert: {channels: [{url: "+h.URL+"}]}\n")
	fails := func(status string) []string {
		w.env["MONITOR_UNIT"], w.env["MONITOR_SERVICE_RESULT"] = "postgres-backup@"+w.db+".service", "exit-code"
		w.env["MONITOR_EXIT_CODE"], w.env["MONITOR_EXIT_STATUS"] = "exited", status
		if code, out := w.run(t, "alert", "x.service"); code != fault.OK {
			t.Errorf("%d: %s", code, out)
		}
		return h.take()
	}
	if got := fails("77"); len(got) != 1 || !strings.Contains(got[0], "exit code 77, not permitted") {
		t.Errorf("%q", got)
	}
	if got := fails("77"); len(got) != 0 {
		t.Errorf("the same again: %q", got)
	}
	if got := fails("69"); len(got) != 1 {
		t.Errorf("another reason: %q", got)
	}
	w.env["MONITOR_UNIT"], w.env["MONITOR_EXIT_STATUS"] = "postgres-restore@r1.service", "65"
	for range 2 { // each restore is its own
		if _, out := w.run(t, "alert", "x.service"); len(h.take()) != 1 {
			t.Errorf("a person's restore: %s", out)
		}
	}
}
