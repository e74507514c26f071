package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/pitr/record"
	"codeberg.org/pgbtui/pgbtui/test/pitrlab"
)

// clusters is a configuration of a laboratory's cluster, by the engine's file that is there.
func clusters(t *testing.T, lab *pitrlab.Lab) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config.yaml")
	text := fmt.Sprintf("clusters:\n  main: {data_directory: %s, host: %s, port: %s, config: %s}\n",
		lab.Postgres.Data, lab.Postgres.Host, lab.Postgres.Port, lab.Tool.File)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// stateOnly is an environment that has nothing but a unit's folder.
func stateOnly(name string) string {
	if name != "STATE_DIRECTORY" {
		return ""
	}
	return os.Getenv(name)
}

func TestTheClusterVerbsShowMakeAndTryWhatAClusterHas(t *testing.T) {
	lab := pitrlab.Start(t, nil)
	file := clusters(t, lab)
	run := func(want fault.Code, args ...string) string {
		t.Helper()
		var out, errs bytes.Buffer
		p := newProgram(outside{in: os.Stdin, out: &out, err: &errs, getenv: stateOnly, now: time.Now})
		defer p.close()
		if code := p.main(t.Context(), append(args, "--config", file)); code != want {
			t.Fatalf("%q ends with %d, not %d\n%s%s", args, code, want, out.String(), errs.String())
		}
		return out.String() + errs.String()
	}
	contract, err := readContract()
	if err != nil {
		t.Fatal(err)
	}
	document := func(name string, want fault.Code, args ...string) (parsed jsonClusters) {
		t.Helper()
		out := run(want, append(args, "--json")...)
		if err := contract.check(name, []byte(out)); err != nil {
			t.Errorf("%q: %v", args, err)
		}
		if *update {
			if err := rewriteExample(name, lab.Anonymous(out)); err != nil {
				t.Error(err)
			}
		}
		_ = json.Unmarshal([]byte(out), &parsed) // of other documents nothing fits
		return parsed
	}
	if text := run(fault.Warnings, "cluster", "status"); !strings.Contains(text, "nothing can be recovered") ||
		!strings.Contains(text, "cluster backup --type full") {
		t.Errorf("without a backup:\n%s", text)
	}
	run(fault.Usage, "cluster", "backup", "--type", "all")
	run(fault.Config, "cluster", "status", "other")
	if text := run(fault.OK, "cluster", "setup", "--yes"); !strings.Contains(text, "archives by it already") {
		t.Errorf("set up again:\n%s", text)
	}
	document("cluster setup", fault.OK, "cluster", "setup", "main", "--yes")
	document("cluster backup", fault.OK, "cluster", "backup", "main", "--type", "full")
	document("cluster check", fault.OK, "cluster", "check")
	document("cluster verify", fault.OK, "cluster", "verify")
	lab.Postgres.Exec(t, "postgres", "CREATE TABLE items (id int)")
	lab.SwitchWAL(t)
	lab.Postgres.Exec(t, "postgres", "INSERT INTO items VALUES (1)")
	state := document("cluster status", fault.OK, "cluster", "status").Clusters[0]
	if len(state.Windows) != 1 || !state.Backups[0].Usable || state.Commits != 1 || state.Loss == nil {
		t.Errorf("the state is %+v", state)
	}
	if text := run(fault.OK, "status"); !strings.Contains(text, "OK   cluster main: any second from ") {
		t.Errorf("status has no line of the cluster:\n%s", text)
	}
	run(fault.Usage, "cluster", "status", "main", "other")
	run(fault.Usage, "cluster", "status", "main", "--record")
	t.Setenv("STATE_DIRECTORY", t.TempDir())
	run(fault.OK, "cluster", "status", "--record")
	written, err := record.Read(os.Getenv("STATE_DIRECTORY"))
	if err != nil || len(written) != 1 || len(written[0].Windows) != 1 || !written[0].OK || written[0].Summary == "" {
		t.Errorf("written down: %+v, %v", written, err)
	}
	if text := run(fault.OK, "cluster", "status", "main"); !strings.Contains(text, "any second from ") ||
		!strings.Contains(text, "If this host died now you would lose ") || !strings.Contains(text, "(1 commits") {
		t.Errorf("with a backup:\n%s", text)
	}
}

func TestAClusterOfWALGHasTheSameVerbs(t *testing.T) {
	lab := pitrlab.StartWALG(t)
	t.Setenv("PATH", lab.Dir+":"+os.Getenv("PATH"))
	file := filepath.Join(t.TempDir(), "config.yaml")
	text := fmt.Sprintf("clusters:\n  main: {engine: wal-g, data_directory: %s, host: %s, port: %s, config: %s, keep: {full: 1}}\n",
		lab.Postgres.Data, lab.Postgres.Host, lab.Postgres.Port, lab.Cluster.ConfigFile)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	contract, err := readContract()
	if err != nil {
		t.Fatal(err)
	}
	run := func(want fault.Code, args ...string) string {
		t.Helper()
		var out, errs bytes.Buffer
		p := newProgram(outside{in: os.Stdin, out: &out, err: &errs, getenv: func(string) string { return "" }, now: time.Now})
		defer p.close()
		if code := p.main(t.Context(), append(args, "--config", file)); code != want {
			t.Fatalf("%q ends with %d, not %d\n%s%s", args, code, want, out.String(), errs.String())
		}
		return out.String() + errs.String()
	}
	document := func(name string, args ...string) {
		t.Helper()
		if err := contract.check(name, []byte(run(fault.OK, append(args, "--json")...))); err != nil {
			t.Errorf("%q: %v", args, err)
		}
	}
	if text := run(fault.Refused, "cluster", "setup", "--yes"); !strings.Contains(text, "WAL-G is not set up by pgbtui") {
		t.Errorf("set up:\n%s", text)
	}
	document("cluster backup", "cluster", "backup", "--type", "full")
	lab.Postgres.Exec(t, "postgres", "CREATE TABLE items (id int)")
	lab.SwitchWAL(t)
	document("cluster check", "cluster", "check")
	document("cluster verify", "cluster", "verify")
	document("cluster status", "cluster", "status")
	if text := run(fault.OK, "cluster", "status"); !strings.Contains(text, "any second from ") || !strings.Contains(text, "base_0000") {
		t.Errorf("the status:\n%s", text)
	}
}
