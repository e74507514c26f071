package metrics

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/test/need"
)

// gateway is a real Pushgateway.
func gateway(t *testing.T) Pushgateway {
	t.Helper()
	program := need.Program(t, "prometheus-pushgateway")
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	cmd := exec.CommandContext(t.Context(), program, "--web.listen-address="+address)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	for range 200 {
		if conn, err := net.Dial("tcp", address); err == nil {
			conn.Close()
			return Pushgateway{URL: "http://" + address, Host: "db1"}
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("the Pushgateway does not listen")
	return Pushgateway{}
}

// held is what the gateway would be scraped for, of ours.
func held(t *testing.T, p Pushgateway) (lines []string) {
	t.Helper()
	response, err := http.Get(p.URL + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "pgbtui_") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}

func TestAPushReplacesItsOwnPartOfItsOwnJobOnItsOwnHost(t *testing.T) {
	p := gateway(t)
	other := p
	other.Host = "db2"
	hostile := Who{Job: "a/b\"\n%é ", Database: `x\`, Instance: "db1"}
	plain := Who{Job: "a", Database: "a", Instance: "db1"}
	for _, to := range []Pushgateway{p, other} {
		groups := []Group{
			Run(plain, at, 0), Run(hostile, at, 0),
			{Part: PartSets, Job: "a", Of: plain, Samples: []Sample{plain.sample(rawBytes, 1), plain.sample(storedBytes, 1)}},
			{Part: PartHost, Samples: append(Expected(plain, Objective{RPO: time.Hour}), Watched(at))},
		}
		if err := to.Send(t.Context(), groups); err != nil {
			t.Fatal(err)
		}
	}
	before := held(t, p)
	if len(before) != 2*9 {
		t.Errorf("%d series:\n%s", len(before), strings.Join(before, "\n"))
	}
	// A sample that a group does not have any more is gone, and nothing else.
	if err := p.Send(t.Context(), []Group{Run(plain, at, 69), {Part: PartSets, Job: "a", Of: plain, Samples: []Sample{plain.sample(rawBytes, 2)}}}); err != nil {
		t.Fatal(err)
	}
	after := held(t, p)
	changed := 0
	for _, line := range after {
		found := false
		for _, was := range before {
			found = found || was == line
		}
		if !found {
			changed++
			if !strings.Contains(line, `instance="db1"`) || !strings.Contains(line, `backup_job="a"`) {
				t.Errorf("changed: %s", line)
			}
		}
	}
	if len(after) != len(before)-1 || changed != 2 {
		t.Errorf("%d series, %d changed:\n%s", len(after), changed, strings.Join(after, "\n"))
	}
}

// The databases of one job are groups of their own, and keep the labels that the rules compare by.
func TestDatabasesOfOneJobDoNotReplaceEachOther(t *testing.T) {
	p := gateway(t)
	for _, database := range []string{"hr", "shop"} {
		w := Who{Job: "all", Database: database, Instance: "db1"}
		if err := p.Send(t.Context(), []Group{{Part: PartSets, Job: "all/" + database, Of: w, Samples: []Sample{w.sample(rawBytes, 1)}}}); err != nil {
			t.Fatal(err)
		}
	}
	lines := strings.Join(held(t, p), "\n")
	if strings.Count(lines, `backup_job="all"`) != 2 || !strings.Contains(lines, `database="hr"`) || !strings.Contains(lines, `database="shop"`) {
		t.Errorf("%s", lines)
	}
}

func TestASweepDeletesWhatNobodyExpectsOfThisHostAlone(t *testing.T) {
	p := gateway(t)
	other := p
	other.Host = "db2"
	hostile := Who{Job: "a/b\"\n%é ", Database: `x\`}
	gone := Who{Job: "gone\xff/é", Database: "old"}
	kept := []Who{{Job: "a", Database: "a"}, hostile, {Job: "all", Database: "hr"}, {Job: "all"}}
	all := append(slices.Clone(kept), gone, Who{Job: "all", Database: "dropped"})
	for _, to := range []Pushgateway{p, other} {
		groups := []Group{{Part: PartHost, Samples: []Sample{Watched(at)}}}
		for _, w := range all {
			groups = append(groups, Run(w, at, 0), Group{Part: PartSets, Of: w, Samples: []Sample{w.sample(rawBytes, 1)}})
		}
		if err := to.Send(t.Context(), groups); err != nil {
			t.Fatal(err)
		}
	}
	before := len(held(t, p))
	if err := p.Sweep(t.Context(), kept); err != nil {
		t.Fatal(err)
	}
	after := strings.Join(held(t, p), "\n")
	if strings.Contains(after, `database="old",instance="db1"`) || strings.Contains(after, `database="dropped",instance="db1"`) ||
		!strings.Contains(after, `database="old",instance="db2"`) || len(held(t, p)) != before-2*3 {
		t.Errorf("%d series before, now %d:\n%s", before, len(held(t, p)), after)
	}
	if err := p.Sweep(t.Context(), kept); err != nil || len(held(t, p)) != before-2*3 {
		t.Errorf("%v, %d series", err, len(held(t, p)))
	}
	older := httptest.NewServer(http.NotFoundHandler())
	defer older.Close()
	if err := (Pushgateway{URL: older.URL, Host: "db1"}).Sweep(t.Context(), kept); err != nil {
		t.Errorf("without the API: %v", err)
	}
	other.URL = "http://u:canary@127.0.0.1:1"
	if err := other.Sweep(t.Context(), kept); fault.CodeOf(err) != fault.Unavailable || strings.Contains(err.Error(), "canary") {
		t.Errorf("%v", err)
	}
}

func TestAGatewayThatRefusesOrIsSilentIsAnErrorWithoutItsPassword(t *testing.T) {
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, password, ok := r.BasicAuth(); ok && password == "canary" && r.URL.Path != "/silent/metrics/job/pgbtui_host/instance@base64/ZGIx" {
			http.Error(w, strings.Repeat("no room ", 1000), http.StatusBadRequest)
			return
		}
		<-release
	}))
	defer server.Close()
	defer close(release)
	for url, want := range map[string]string{
		strings.Replace(server.URL, "://", "://u:canary@", 1):              "400 Bad Request: no room",
		strings.Replace(server.URL, "://", "://u:canary@", 1) + "/silent/": "deadline exceeded",
		"http://u:canary@127.0.0.1:1":                                      "connection refused",
		"http://u:canary@ bad":                                             "not a URL",
	} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		err := Pushgateway{URL: url, Host: "db1"}.Send(ctx, []Group{{Part: PartHost}})
		cancel()
		text := fmt.Sprint(err)
		if fault.CodeOf(err) != fault.Unavailable || !strings.Contains(text, want) || strings.Contains(text, "canary") || len(text) > 600 {
			t.Errorf("%s: %v", want, err)
		}
	}
}
