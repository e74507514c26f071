package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/test/need"
)

// What packaging/monitoring ships, held against Debian's promtool, Prometheus and node_exporter.

const shippedRules = "../../packaging/monitoring/pgbtui.rules.yml"

func alertNames(t *testing.T) (names []string) {
	t.Helper()
	text, err := os.ReadFile(shippedRules)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`(?m)^ +- alert: (\w+)$`).FindAllStringSubmatch(string(text), -1) {
		names = append(names, m[1])
	}
	return names
}

func TestEachAlertRuleFiresForItsFaultAndIsOverAfterIt(t *testing.T) {
	promtool := need.Program(t, "promtool")
	for _, args := range [][]string{{"check", "rules", shippedRules}, {"test", "rules", "testdata/alert-rules.yml"}} {
		if out, err := exec.CommandContext(t.Context(), promtool, args...).CombinedOutput(); err != nil {
			t.Errorf("%q: %v\n%s", args, err, out)
		}
	}
	tests, err := os.ReadFile("testdata/alert-rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../../docs/monitoring.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range alertNames(t) {
		if !strings.Contains(string(page), "\n| `"+name+"` |") {
			t.Errorf("docs/monitoring.md does not say when %s fires", name)
		}
		fires := regexp.MustCompile(`alertname: ` + name + `\n\s+exp_alerts:\n`)
		if !fires.Match(tests) || !strings.Contains(string(tests), "alertname: "+name+", exp_alerts: []") {
			t.Errorf("no test sees %s both fire and be silent", name)
		}
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// serve starts a program and returns what ends it.
func serve(t *testing.T, program string, args ...string) (end func()) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), need.Program(t, program), args...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	end = func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }
	t.Cleanup(end)
	return end
}

// prometheus is a real one, which scrapes and judges every second.
type prometheus struct{ url string }

// startPrometheus scrapes target by the shipped rules, with their times to wait cut to a second.
func startPrometheus(t *testing.T, target string) prometheus {
	t.Helper()
	dir := t.TempDir()
	rules, err := os.ReadFile(shippedRules)
	if err != nil {
		t.Fatal(err)
	}
	rules = regexp.MustCompile(`(?m)^( +for: )\S+`).ReplaceAll(rules, []byte("${1}1s"))
	config := "global: {scrape_interval: 1s, evaluation_interval: 1s}\nrule_files: [rules.yml]\n" +
		"scrape_configs: [{job_name: node, honor_labels: true, static_configs: [{targets: ['" + target + "']}]}]\n"
	for name, text := range map[string]string{"rules.yml": string(rules), "prometheus.yml": config} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	address := freeAddress(t)
	serve(t, "prometheus", "--config.file="+filepath.Join(dir, "prometheus.yml"), "--storage.tsdb.path="+filepath.Join(dir, "data"),
		"--web.listen-address="+address, "--log.level=error")
	return prometheus{url: "http://" + address}
}

// ask is the data of an answer of its API.
func (p prometheus) ask(path string, into any) error {
	response, err := http.Get(p.url + path)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	answer := struct {
		Status string
		Error  string
		Data   any
	}{Data: into}
	if err := json.Unmarshal(text, &answer); err != nil {
		return fmt.Errorf("%w: %s", err, text)
	}
	if answer.Status != "success" {
		return fmt.Errorf("%s", answer.Error)
	}
	return nil
}

// firing waits until exactly these alerts fire, one of each.
func (p prometheus) firing(t *testing.T, when string, want ...string) {
	t.Helper()
	var last []string
	var err error
	for range 600 {
		var data struct {
			Alerts []struct {
				Labels map[string]string
				State  string
			}
		}
		last = nil
		if err = p.ask("/api/v1/alerts", &data); err == nil {
			for _, a := range data.Alerts {
				if a.State == "firing" {
					last = append(last, a.Labels["alertname"])
				}
			}
			slices.Sort(last)
			if slices.Equal(last, want) && len(want)+p.targets(t) > 0 {
				return
			}
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("%s: firing are %q, want %q (%v)", when, last, want, err)
}

// targets is how many have been scraped: before that, no alert means nothing.
func (p prometheus) targets(t *testing.T) int {
	t.Helper()
	var data struct{ Result []any }
	if err := p.ask("/api/v1/query?query=pgbtui_job_info", &data); err != nil {
		return 0
	}
	return len(data.Result)
}

// The faults are real where they can be had in a second; a silence of hours is written into the file.
func TestUnderARealPrometheusEachAlertFiresOnceForItsFault(t *testing.T) {
	need.Program(t, "prometheus", "prometheus-node-exporter")
	w := newWatched(t, "")
	dir := t.TempDir()
	exporter := freeAddress(t)
	export := func() func() {
		return serve(t, "prometheus-node-exporter", "--web.listen-address="+exporter, "--collector.disable-defaults",
			"--web.disable-exporter-metrics", "--collector.textfile", "--collector.textfile.directory="+dir, "--log.level=error")
	}
	gone := export()
	seen := map[string]bool{}
	look := func(more string) {
		w.measured(t, dir, more)
		w.now = time.Now()
		w.run(t, "watch", "--tell")
	}
	backUp := func(want fault.Code) {
		w.now = time.Now()
		if code, out := w.run(t, "--headless"); code != want {
			t.Fatalf("%d: %s", code, out)
		}
	}
	look("")
	p := startPrometheus(t, exporter)
	fires := func(when, alert string) {
		t.Helper()
		p.firing(t, when, alert)
		seen[alert] = true
	}

	fires("no backup yet", "PgbtuiNoBackup")
	backUp(fault.OK)
	look("")
	p.firing(t, "after a backup")

	look("rpo: 1s\n")
	fires("older than the objective", "PgbtuiBackupTooOld")
	look("")
	p.firing(t, "within the objective")

	port := os.Getenv("PGPORT")
	t.Setenv("PGPORT", "1")
	w.measured(t, dir, "connect_wait: 1s\n")
	backUp(fault.Unavailable)
	fires("the server is gone", "PgbtuiRunFailed")
	t.Setenv("PGPORT", port)
	backUp(fault.OK)
	p.firing(t, "the server is back")

	look("proof_objective: 1s\n")
	fires("never proven", "PgbtuiNeverProven")
	w.must(t, fault.OK, "verify", "latest")
	look("proof_objective: 1s\n")
	fires("the proof is old", "PgbtuiProofTooOld")
	look("proof_objective: 8d\n")
	p.firing(t, "proven")

	look("proof_objective: 8d\nrto: 1h\n")
	fires("never restored", "PgbtuiRestoreTimeUnknown")
	if code, out := w.run(t, "drill", "latest"); code != fault.OK {
		t.Fatalf("%d: %s", code, out)
	}
	look("proof_objective: 8d\nrto: 1ms\n")
	fires("slower than the objective", "PgbtuiRestoreTooSlow")
	look("proof_objective: 8d\nrto: 1h\n")
	p.firing(t, "fast enough")

	secret := os.Getenv("AWS_SECRET_ACCESS_KEY")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "wrong")
	look("")
	fires("the bucket cannot be read", "PgbtuiProblem")
	t.Setenv("AWS_SECRET_ACCESS_KEY", secret)
	look("")
	p.firing(t, "the bucket can be read")

	silence(t, filepath.Join(dir, "pgbtui_host.prom"), 4*time.Hour)
	fires("the watch is silent", "PgbtuiWatchSilent")
	look("proof_objective: 8d\n")
	p.firing(t, "the watch is back")

	gone()
	fires("the exporter is gone", "PgbtuiMetricsGone")
	export()
	p.firing(t, "the exporter is back")

	for _, name := range alertNames(t) {
		if !seen[name] {
			t.Errorf("%s was not seen to fire", name)
		}
	}
	dashboardHasData(t, p)
}

// silence makes a file of the watch one of so long ago.
func silence(t *testing.T, file string, since time.Duration) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before := fmt.Sprintf("pgbtui_watch_timestamp_seconds %d\n", time.Now().Add(-since).Unix())
	text = regexp.MustCompile(`(?m)^pgbtui_watch_timestamp_seconds .*\n`).ReplaceAll(text, []byte(before))
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// dashboardHasData runs every query of the dashboard: Debian has no Grafana that could draw it.
func dashboardHasData(t *testing.T, p prometheus) {
	t.Helper()
	text, err := os.ReadFile("../../packaging/monitoring/grafana-dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
		Annotations struct{ List []struct{ Expr string } }
	}
	if err := json.Unmarshal(text, &dashboard); err != nil {
		t.Fatal(err)
	}
	queries := 0
	run := func(title, expr string) {
		queries++
		expr = strings.NewReplacer("$instance", ".*", "$job", ".*").Replace(expr)
		var data struct{ Result []any }
		if err := p.ask("/api/v1/query?query="+url.QueryEscape(expr), &data); err != nil {
			t.Errorf("%s: %s: %v", title, expr, err)
		}
		none := strings.Contains(expr, "cost_usd") // the store is not AWS
		if (len(data.Result) == 0) != none {
			t.Errorf("%s: %s has %d series", title, expr, len(data.Result))
		}
	}
	for _, panel := range dashboard.Panels {
		for _, target := range panel.Targets {
			run(panel.Title, target.Expr)
		}
	}
	for _, a := range dashboard.Annotations.List {
		run("annotation", strings.Replace(a.Expr, "> 0", ">= 0", 1))
	}
	if queries < 15 {
		t.Errorf("only %d queries are found", queries)
	}
}
