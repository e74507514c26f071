package metrics

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/test/need"
)

var at = time.Date(2026, 11, 28, 2, 0, 0, 250_000_000, time.UTC)

func textfile(t *testing.T) Textfile {
	t.Helper()
	return Textfile{Dir: t.TempDir()}
}

func send(t *testing.T, to Textfile, groups ...Group) {
	t.Helper()
	if err := to.Send(t.Context(), groups); err != nil {
		t.Fatal(err)
	}
}

func names(t *testing.T, dir string) (all []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

// linted is what the real promtool says of a file.
func linted(t *testing.T, file string) {
	t.Helper()
	promtool := need.Program(t, "promtool")
	in, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	cmd := exec.CommandContext(t.Context(), promtool, "check", "metrics")
	cmd.Stdin = in
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("%s: %v\n%s", file, err, out)
	}
}

func TestAFileIsForEverybodyAndHoldsNothingUnfinished(t *testing.T) {
	to := textfile(t)
	send(t, to, Run(Who{Job: "a", Database: "a", Instance: "db1"}, at, 69))
	file := filepath.Join(to.Dir, "pgbtui_run_a.prom")
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o644 {
		t.Fatalf("%v, %v", info, err)
	}
	text, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(text), `pgbtui_last_attempt_exit_code{backup_instance="db1",backup_job="a",database="a"} 69`+"\n") ||
		!strings.Contains(string(text), `database="a"} 1795831200.25`+"\n") {
		t.Errorf("%v\n%s", err, text)
	}
	if got := names(t, to.Dir); !slices.Equal(got, []string{"pgbtui_run_a.prom"}) {
		t.Errorf("%q", got)
	}
	linted(t, file)
}

func TestNoJobsFileIsAnothers(t *testing.T) {
	to := textfile(t)
	jobs := []string{"a", "A", "a/b", "a_b", "../a", "run_a", "ä", `q"'` + "\n", "."}
	for _, job := range jobs {
		send(t, to, Run(Who{Job: job}, at, 0), Group{Part: PartSets, Job: job})
	}
	send(t, to, Group{Part: PartHost})
	got := names(t, to.Dir)
	if len(got) != 2*len(jobs)+1 {
		t.Errorf("%q", got)
	}
	for _, name := range got {
		if !strings.HasPrefix(name, "pgbtui_") || !strings.HasSuffix(name, ".prom") {
			t.Errorf("node_exporter does not read %q, or it is not ours", name)
		}
	}
}

func TestANameOfAnyCharactersIsOneLabelOfOneLine(t *testing.T) {
	to := textfile(t)
	hostile := Who{Job: "a\"} 1\npgbtui_job_info{x=\"", Database: `back\slash\`, Instance: "\xff\x00é"}
	send(t, to, Group{Part: PartHost, Samples: append(Expected(hostile, Objective{RPO: time.Hour}), Watched(at))})
	file := filepath.Join(to.Dir, "pgbtui_host.prom")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	want := `pgbtui_job_info{backup_instance="` + "\ufffd\x00é" + `",backup_job="a\"} 1\npgbtui_job_info{x=\"",database="back\\slash\\"} 1`
	if !slices.Contains(strings.Split(string(text), "\n"), want) {
		t.Errorf("%s\nlacks %s", text, want)
	}
	linted(t, file)
}

// Readers refuse a file in which a series stands twice, and with it everything else that they read there.
func TestASeriesStandsOnce(t *testing.T) {
	to := textfile(t)
	who := Who{Job: "a"}
	send(t, to, Group{Part: PartHost, Samples: []Sample{
		Problem(who, "proof", "warning"), Watched(at), Problem(who, "proof", "warning"), Problem(Who{}, "systemd", "critical"), Watched(at.Add(time.Second)),
	}})
	text, err := os.ReadFile(filepath.Join(to.Dir, "pgbtui_host.prom"))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		`pgbtui_problem{backup_job="a",kind="proof",severity="warning"} 1`, `pgbtui_problem{kind="systemd",severity="critical"} 1`,
		"pgbtui_watch_timestamp_seconds 1795831201.25",
	} {
		if strings.Count(string(text), line+"\n") != 1 {
			t.Errorf("%s\nhas %s not once", text, line)
		}
	}
	if strings.Count(string(text), "pgbtui_watch_timestamp_seconds 1") != 1 || strings.Count(string(text), "# TYPE pgbtui_problem ") != 1 {
		t.Errorf("%s", text)
	}
}

func TestOnlyFilesOfJobsThatAreGoneAreSwept(t *testing.T) {
	to := textfile(t)
	for _, job := range []string{"stays", "goes"} {
		send(t, to, Run(Who{Job: job}, at, 0), Group{Part: PartSets, Job: job})
	}
	send(t, to, Group{Part: PartHost})
	for _, name := range []string{"apt.prom", "pgbtui_run_goes.txt", ".pgbtui_old", ".pgbtui_new"} {
		if err := os.WriteFile(filepath.Join(to.Dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	old := time.Now().Add(-2 * time.Hour)
	if err := os.Chtimes(filepath.Join(to.Dir, ".pgbtui_old"), old, old); err != nil {
		t.Fatal(err)
	}
	if err := to.Sweep([]string{"stays"}, time.Now()); err != nil {
		t.Fatal(err)
	}
	want := []string{".pgbtui_new", "apt.prom", "pgbtui_host.prom", "pgbtui_run_goes.txt", "pgbtui_run_stays.prom", "pgbtui_sets_stays.prom"}
	if got := names(t, to.Dir); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestADirectoryThatCannotBeWrittenSaysWhatToDo(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		dir    string
		code   fault.Code
		remedy string
	}{
		{"/nonexistent", fault.NotFound, "prometheus-node-exporter"},
		{"/proc/self", fault.NotFound, "Make the directory"}, // nothing can be made there, whoever asks
		{file, fault.Failed, ""},
	} {
		err := Textfile{Dir: c.dir}.Send(t.Context(), []Group{{Part: PartHost}})
		var several interface{ Unwrap() []error }
		if err == nil {
			t.Errorf("%s could be written", c.dir)
			continue
		}
		several, _ = err.(interface{ Unwrap() []error })
		one := several.Unwrap()[0]
		if fault.CodeOf(one) != c.code || !strings.Contains(fault.Remedy(one), c.remedy) || !strings.Contains(one.Error(), c.dir+"/pgbtui_host.prom") {
			t.Errorf("%v (%d): %s", one, fault.CodeOf(one), fault.Remedy(one))
		}
	}
}

func TestEveryMetricIsInTheCatalogueOnce(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range Catalogue() {
		if seen[m.Name] || !strings.HasPrefix(m.Name, "pgbtui_") || strings.ContainsAny(m.Help, "\n\\") {
			t.Errorf("%+v", m)
		}
		seen[m.Name] = true
	}
	who := Who{Job: "a"}
	for _, s := range append(append(Expected(who, Objective{RPO: 1, ProofWithin: 1, ProofLevel: "restored", RTO: 1}), Run(who, at, 0).Samples...), Watched(at), Uncovered(1), Problem(who, "a", "b")) {
		if !seen[s.Metric] {
			t.Errorf("%s is not in the catalogue", s.Metric)
		}
	}
}
