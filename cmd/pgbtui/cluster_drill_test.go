package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/test/pitrlab"
)

// The verb is a process of its own: as root it becomes the owner of the server's files, and does not come back.
func TestTheDrillVerbProvesAndTheStatusShowsIt(t *testing.T) {
	lab := pitrlab.Start(t, nil)
	file := clusters(t, lab)
	parent, err := os.MkdirTemp("/tmp", "drills") //nolint:usetesting // test folders are closed to the server's user, and long
	if err == nil {
		err = os.Chmod(parent, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(parent) }()
	run := func(want int, args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "pgbtui", append(args, "--config", file)...)
		var errs strings.Builder
		cmd.Stderr = &errs
		out, err := cmd.Output()
		if code := cmd.ProcessState.ExitCode(); code != want {
			t.Fatalf("%q ends with %d, not %d: %v\n%s%s", args, code, want, err, out, errs.String())
		}
		return string(out) + "\n" + errs.String()
	}
	copies := "--copies=" + filepath.Join(parent, "c")
	run(64, "cluster", "drill", "main", copies, "--to", "2026-11-28 14:31:59")
	run(4, "cluster", "drill", copies)
	lab.Backup(t, config.FullBackup)
	for range 3 {
		lab.Postgres.Exec(t, "postgres", "CREATE TABLE IF NOT EXISTS beats (at timestamptz); INSERT INTO beats VALUES (now())")
		time.Sleep(time.Second)
	}
	lab.SwitchWAL(t)
	contract, err := readContract()
	if err != nil {
		t.Fatal(err)
	}
	out := run(0, "cluster", "drill", "main", copies, "--json", "--seed", "3")
	document, _, _ := strings.Cut(out, "\n}\n")
	document += "\n}\n"
	if err := contract.check("cluster drill", []byte(document)); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	var drilled jsonClusterDrill
	if err := json.Unmarshal([]byte(document), &drilled); err != nil || !drilled.Proof.OK || len(drilled.Proof.Databases) != 2 {
		t.Errorf("%+v, %v", drilled, err)
	}
	if text := run(0, "cluster", "status"); !strings.Contains(text, "; proven ") {
		t.Errorf("the status has no proof:\n%s", text)
	}
	late := "clusters:\n  main: {data_directory: " + lab.Postgres.Data + ", host: " + lab.Postgres.Host + ", port: " +
		lab.Postgres.Port + ", config: " + lab.Tool.File + ", proof_objective: 14d, rto: 1h}\n"
	if err := os.WriteFile(file, []byte(late), 0o600); err != nil {
		t.Fatal(err)
	}
	// What stands beside the backup is shown, and is no evidence of this host: anybody may have written it there.
	if text := run(3, "cluster", "status"); !strings.Contains(text, "no drill has proven yet") {
		t.Errorf("an objective that nothing fulfils:\n%s", text)
	}
	if text := run(0, "cluster", "copies", copies); !strings.Contains(text, "no copies") {
		t.Errorf("left:\n%s", text)
	}
}
