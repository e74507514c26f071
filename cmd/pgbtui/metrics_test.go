package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// metricsIn are the lines of all files that node_exporter would read, without comments.
func metricsIn(t *testing.T, dir string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.prom"))
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if !strings.HasPrefix(line, "#") {
				lines = append(lines, line)
			}
		}
	}
	return strings.Join(lines, "")
}

// value is that of the one series of a metric with this label, "" without one.
func value(t *testing.T, dir, metric, label string) string {
	t.Helper()
	found := ""
	for line := range strings.Lines(metricsIn(t, dir)) {
		if strings.HasPrefix(line, metric) && strings.Contains(line, label) {
			if found != "" {
				t.Errorf("%s with %s is there twice", metric, label)
			}
			found = strings.TrimSpace(line[strings.LastIndex(line, " "):])
		}
	}
	return found
}

func (w *watched) measured(t *testing.T, dir, more string) {
	t.Helper()
	w.configure(t, "metrics: {textfile: "+dir+"}\n"+more)
}

// newMeasured is a watched host that writes its metrics to a folder.
func newMeasured(t *testing.T) (w *watched, dir string) {
	t.Helper()
	w = newWatched(t, "")
	dir = t.TempDir()
	w.measured(t, dir, "")
	return w, dir
}

func TestRunsAndTheWatchWriteWhatPrometheusReads(t *testing.T) {
	w, dir := newMeasured(t)
	job := `backup_job="` + w.db + `"`
	w.must(t, fault.Warnings, "watch", "--tell")
	if value(t, dir, "pgbtui_job_info", job) != "1" || value(t, dir, "pgbtui_last_success", job) != "" ||
		value(t, dir, "pgbtui_problem", `kind="backup"`) != "1" || value(t, dir, "pgbtui_rpo_seconds", job) != "93600" {
		t.Errorf("before a backup:\n%s", metricsIn(t, dir))
	}
	w.must(t, fault.OK, "--headless")
	if value(t, dir, "pgbtui_last_attempt_exit_code", job) != "0" || value(t, dir, "pgbtui_last_success", job) == "" ||
		value(t, dir, "pgbtui_duration_seconds", `stage="dump"`) == "" {
		t.Errorf("after the backup:\n%s", metricsIn(t, dir))
	}
	w.must(t, fault.OK, "watch", "--tell")
	if value(t, dir, "pgbtui_problem", "") != "" || value(t, dir, "pgbtui_last_success", job) == "" {
		t.Errorf("when all is well:\n%s", metricsIn(t, dir))
	}
}

func TestAFailedRunLeavesTheTimeOfTheLastGoodOne(t *testing.T) {
	w, dir := newMeasured(t)
	w.must(t, fault.OK, "--headless")
	good := value(t, dir, "pgbtui_last_success", "")
	t.Setenv("PGPORT", "1")
	w.measured(t, dir, "connect_wait: 1s\n")
	w.now = w.now.Add(time.Hour)
	w.must(t, fault.Unavailable, "--headless")
	if value(t, dir, "pgbtui_last_attempt_exit_code", "") != "69" || value(t, dir, "pgbtui_last_success", "") != good {
		t.Errorf("%s", metricsIn(t, dir))
	}
	if at := value(t, dir, "pgbtui_last_attempt_timestamp", ""); !strings.HasPrefix(at, fmt.Sprint(w.now.Unix())) {
		t.Errorf("%s", at)
	}
}

// What systemd tells of a unit's end is told on, also of one that could say nothing itself.
func TestTheEndOfAUnitsRunIsTold(t *testing.T) {
	w, dir := newMeasured(t)
	unit := "postgres-backup@" + w.db + ".service"
	w.env["INVOCATION_ID"], w.env["SYSTEMD_EXEC_PID"] = strings.Repeat("a", 32), "1"
	for end, want := range map[unitEnd]string{
		{"success", "exited", "0"}:     "0",
		{"success", "exited", "3"}:     "3",
		{"exit-code", "exited", "77"}:  "77",
		{"signal", "killed", "KILL"}:   "137",
		{"oom-kill", "killed", "9"}:    "1",
		{"timeout", "exited", "0"}:     "1",
		{"resources", "", ""}:          "1",
		{"exit-code", "exited", "203"}: "203",
	} {
		w.ended(t, unit, end)
		if got := value(t, dir, "pgbtui_last_attempt_exit_code", w.db); got != want {
			t.Errorf("%+v: %s", end, got)
		}
	}
	before := metricsIn(t, dir)
	for _, other := range []string{"postgres-backup-verify@" + w.db + ".service", "postgres-restore@r1.service", "x.service", "postgres-backup@nobody.service"} {
		if code, _ := w.run(t, "ended", other); code != fault.OK || other != "postgres-backup@nobody.service" && metricsIn(t, dir) != before {
			t.Errorf("%s: %d\n%s", other, code, metricsIn(t, dir))
		}
	}
}

func TestMetricsThatCannotBeWrittenCostNoBackupAndAreTold(t *testing.T) {
	h := newHook(t)
	w := newWatched(t, "")
	w.must(t, fault.OK, "--headless")
	dir := filepath.Join(w.dir, "prom")
	w.measured(t, dir, "alert: {channels: [{url: "+h.URL+"}]}\n")
	code, out := w.run(t, "--headless")
	if code != fault.OK || !strings.Contains(out, "metrics were not accepted by textfile "+dir) {
		t.Errorf("%d: %s", code, out)
	}
	w.expect(t, h, time.Minute, "metrics by textfile "+dir)
	w.expect(t, h, time.Hour)
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	w.expect(t, h, time.Hour, "all clear: metrics by textfile")
}

func TestAGatewayThatIsGoneCostsNoBackupAndIsTold(t *testing.T) {
	h := newHook(t)
	w := newWatched(t, "metrics: {pushgateway: \"http://u:canary@127.0.0.1:1\"}\nalert: {channels: [{url: "+h.URL+"}]}\n")
	code, out := w.run(t, "--headless")
	if code != fault.OK || !strings.Contains(out, "metrics were not accepted by Pushgateway 127.0.0.1:1") {
		t.Errorf("%d: %s", code, out)
	}
	w.expect(t, h, time.Minute, "metrics by Pushgateway 127.0.0.1:1")
}

// A run tells CloudWatch with the key that it has, and one that CloudWatch refuses is a backup all the same.
func TestARunTellsCloudWatchSigned(t *testing.T) {
	w := newWatched(t, "metrics: {cloudwatch: {namespace: Database/Backups}}\n")
	var signed []error
	status := http.StatusOK
	key := s3server.Credential{AccessKey: w.s3.AccessKey, SecretKey: w.s3.SecretKey}
	cloud := httptest.NewServer(http.HandlerFunc(func(to http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		signed = append(signed, s3server.Signed(r, body, key, w.s3.Region, "monitoring"))
		if !bytes.Contains(body, []byte("BackupSuccess")) || !bytes.Contains(body, []byte("BackupAge")) {
			t.Errorf("%q", body)
		}
		to.Header().Set("Smithy-Protocol", "rpc-v2-cbor")
		to.WriteHeader(status)
		_, _ = to.Write([]byte{0xa0}) // an empty map
	}))
	defer cloud.Close()
	t.Setenv("AWS_ENDPOINT_URL_CLOUDWATCH", cloud.URL)
	if code, out := w.run(t, "--headless"); code != fault.OK || len(signed) != 1 || signed[0] != nil {
		t.Fatalf("%d, %v: %s", code, signed, out)
	}
	status = http.StatusForbidden
	if code, out := w.run(t, "--headless"); code != fault.OK || !strings.Contains(out, "not accepted by CloudWatch Database/Backups") {
		t.Errorf("%d: %s", code, out)
	}
}

// A bucket that does not answer is no reason to forget what it held; a job that is taken out of the configuration is.
func TestOnlyAJobThatIsGoneLosesItsSamples(t *testing.T) {
	w, dir := newMeasured(t)
	w.must(t, fault.OK, "--headless")
	good := value(t, dir, "pgbtui_last_success", "")
	secret := w.env["AWS_SECRET_ACCESS_KEY"]
	t.Setenv("AWS_SECRET_ACCESS_KEY", "wrong")
	w.must(t, fault.Warnings, "watch", "--tell")
	if good == "" || value(t, dir, "pgbtui_last_success", "") != good || value(t, dir, "pgbtui_problem", `kind="bucket"`) != "1" {
		t.Errorf("%s", metricsIn(t, dir))
	}
	t.Setenv("AWS_SECRET_ACCESS_KEY", secret)
	text, err := os.ReadFile(w.config)
	if err != nil {
		t.Fatal(err)
	}
	delete(w.env, "DB_NAME")
	if err := os.WriteFile(w.config, []byte(strings.Replace(string(text), w.db+": {}", "other: {}", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	w.must(t, fault.Warnings, "watch", "--tell")
	if got := metricsIn(t, dir); strings.Contains(got, w.db) || value(t, dir, "pgbtui_job_info", `backup_job="other"`) != "1" {
		t.Errorf("%s", got)
	}
}
