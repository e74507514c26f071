package systemd

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/test/need"
)

func rendered(t *testing.T, name string) string {
	t.Helper()
	files, err := Files(DefaultBinary)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if filepath.Base(f.Path) == name {
			return f.Text
		}
	}
	t.Fatalf("no file %s is rendered", name)
	return ""
}

func TestCodesAreTheWholeTableOfFault(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../fault/fault.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var want []int
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 {
			return true
		}
		if kind, ok := spec.Type.(*ast.Ident); !ok || kind.Name != "Code" {
			return true
		}
		v, err := strconv.Atoi(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, v)
		return true
	})
	var got []int
	for _, c := range codes() {
		got = append(got, int(c))
	}
	slices.Sort(got)
	slices.Sort(want)
	if len(want) < 10 || !slices.Equal(got, want) {
		t.Fatalf("codes() = %v, internal/fault has %v", got, want)
	}
}

func TestUnitsRetryExactlyWhatARetryCanMend(t *testing.T) {
	for _, name := range []string{"postgres-backup.service", "postgres-backup@.service"} {
		text := rendered(t, name)
		_, rest, _ := strings.Cut(text, "RestartPreventExitStatus=")
		line, _, _ := strings.Cut(rest, "\n")
		listed := strings.Fields(line)
		for _, c := range codes() {
			if c == fault.OK || c == fault.Warnings {
				continue // SuccessExitStatus
			}
			if slices.Contains(listed, strconv.Itoa(int(c))) == c.Retryable() {
				t.Errorf("%s: code %d: retryable %v, but RestartPreventExitStatus=%s", name, c, c.Retryable(), line)
			}
		}
	}
}

func TestUnitsAvoidTheKnownTraps(t *testing.T) {
	files, err := Files(DefaultBinary)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		name := filepath.Base(f.Path)
		if !isOurs([]byte(f.Text)) {
			t.Errorf("%s: the first line lacks the marker", f.Path)
		}
		for _, trap := range []string{"\nRequires=", "\nCondition", "\nAssert", "\nCPUQuota=", "\nRuntimeMaxSec="} {
			if strings.Contains(f.Text, trap) {
				t.Errorf("%s: has %q", name, strings.TrimSpace(trap))
			}
		}
		isService := strings.HasSuffix(name, ".service")
		if isService && strings.Contains(f.Text, "[Install]") {
			t.Errorf("%s: an enabled service would run at every boot", name)
		}
		tells := strings.HasPrefix(name, "postgres-backup-alert@") || name == "postgres-drill-server@.service" // itself, and its drill
		if isService && !tells && !strings.Contains(f.Text, "OnFailure=postgres-backup-alert@%n.service") {
			t.Errorf("%s: its failure alerts nobody", name)
		}
		if strings.Contains(f.Text, "{{") || strings.Contains(f.Text, "<no value>") || strings.Contains(f.Text, "\n\n\n") {
			t.Errorf("%s: badly rendered:\n%s", name, f.Text)
		}
		service, _, _ := strings.Cut(f.Text, "[Service]")
		if isService && strings.Contains(f.Text, "StartLimit") && !strings.Contains(service, "StartLimit") {
			t.Errorf("%s: StartLimit* outside [Unit] is ignored", name)
		}
	}
	if text := rendered(t, "postgres-backup-alert@.service"); !strings.Contains(text, "\nStartLimitIntervalSec=0\n") {
		t.Error("the alerts of a unit that fails fast are limited by systemd")
	}
	if text := rendered(t, "postgres-restore@.service"); !strings.Contains(text, "\nRemoveIPC=no\n") {
		t.Error("the restore unit would remove the shared memory of the servers that run as postgres")
	}
	for _, f := range files {
		if _, calendar, timer := strings.Cut(f.Text, "OnCalendar="); timer && !strings.HasSuffix(strings.SplitN(calendar, "\n", 2)[0], " UTC") {
			t.Errorf("%s: its calendar is not in UTC", f.Path)
		}
	}
}

func TestBinaryThatWouldNeedQuotingIsRefused(t *testing.T) {
	for _, bad := range []string{"", "pgbtui", "/opt/a b/pgbtui", "/opt/%h/pgbtui", "/opt/x;y", "/opt/\npgbtui", "/opt/", "//x"} {
		if _, err := Files(bad); fault.CodeOf(err) != fault.Usage {
			t.Errorf("Files(%q) = %v, want a usage error", bad, err)
		}
	}
}

func TestPrintShowsEveryFileWithItsPath(t *testing.T) {
	var out bytes.Buffer
	if err := Print(&out, "/usr/bin/pgbtui"); err != nil {
		t.Fatal(err)
	}
	files, _ := Files("/usr/bin/pgbtui")
	for _, f := range files {
		if !strings.Contains(out.String(), "# ---- "+f.Path+"\n"+f.Text) {
			t.Errorf("%s is not printed", f.Path)
		}
	}
}

// fakeRoot is a root with the rendered units, the program, and the units they order after.
func fakeRoot(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	files, err := Files(DefaultBinary)
	if err != nil {
		t.Fatal(err)
	}
	write := func(path, text string, mode os.FileMode) {
		full := filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range files {
		write(f.Path, f.Text, f.Mode)
	}
	write(DefaultBinary, "#!/bin/sh\n", 0o755)
	for _, target := range []string{"network-online", "time-sync", "timers", "sysinit", "basic", "shutdown", "network", "time-set"} {
		write("/usr/lib/systemd/system/"+target+".target", "[Unit]\nDescription="+target+"\n", 0o644)
	}
	return root
}

// A core of a run would hold its keys.
func TestNoServiceMayDumpCore(t *testing.T) {
	files, err := Files(DefaultBinary)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if limit := values(parseUnit(f.Text), "Service", "LimitCORE"); strings.HasSuffix(f.Path, ".service") && !slices.Equal(limit, []string{"0"}) {
			t.Errorf("%s: LimitCORE=%q", f.Path, limit)
		}
	}
}

func TestSystemdVerifySaysNothing(t *testing.T) {
	need.Program(t, "systemd-analyze")
	root := fakeRoot(t)
	for _, unit := range []string{
		"postgres-backup.service", "postgres-backup.timer", "postgres-backup@sales.service", "postgres-backup@sales.timer",
		"postgres-backup-drill.service", "postgres-backup-drill.timer", "postgres-backup-drill@sales.service", "postgres-backup-drill@sales.timer", "postgres-drill@x.service",
		"postgres-backup-verify.service", "postgres-backup-verify.timer", "postgres-backup-verify@sales.service", "postgres-backup-verify@sales.timer",
		"postgres-backup-prune.service", "postgres-backup-prune.timer", "postgres-backup-prune@sales.service", "postgres-backup-prune@sales.timer",
		"postgres-backup-copy.service", "postgres-backup-copy.timer", "postgres-backup-copy@sales.service", "postgres-backup-copy@sales.timer",
		"postgres-verify@20261122T020000Z-1a2b3c.service", "postgres-restore@r1.service", "postgres-backup-alert@postgres-backup.service.service", "postgres-backup-watch.service", "postgres-backup-watch.timer",
		"postgres-backup-doctor.service", "postgres-backup-doctor@sales.service", "postgres-backup-alert-test.service",
		"postgres-pitr-sweep.service", "postgres-pitr-sweep.timer", "postgres-pitr-status.service", "postgres-pitr-status.timer",
		"postgres-pitr@r1.service", "postgres-restore-resume.service",
		"postgres-drill-server.socket", "postgres-drill-server@0-1234-999.service",
	} {
		out, err := exec.CommandContext(t.Context(), "systemd-analyze", "verify", "--root="+root, unit).CombinedOutput()
		if err != nil || len(bytes.TrimSpace(out)) > 0 {
			t.Errorf("systemd-analyze verify %s: %v\n%s", unit, err, out)
		}
	}
}

// exposure is what systemd-analyze security says of each service, in tenths: 1.1 on systemd 252, 257
// and 262. A new unit gets its own line; no line goes up.
func exposure() map[string]string {
	return map[string]string{
		"postgres-backup.service": "11", "postgres-backup@.service": "11",
		"postgres-backup-verify.service": "11", "postgres-backup-verify@.service": "11",
		"postgres-backup-prune.service": "11", "postgres-backup-prune@.service": "11",
		"postgres-backup-copy.service": "11", "postgres-backup-copy@.service": "11",
		"postgres-backup-doctor.service": "11", "postgres-backup-doctor@.service": "11",
		"postgres-backup-drill.service": "11", "postgres-backup-drill@.service": "11",
		"postgres-drill@.service": "11", "postgres-verify@.service": "11", "postgres-restore@.service": "11",
		"postgres-backup-alert@.service": "11", "postgres-backup-watch.service": "11", "postgres-backup-alert-test.service": "11",
		"postgres-pitr-sweep.service":     "14", // it has to see what else runs as the server's user
		"postgres-pitr-status.service":    "13", // pgBackRest's locks may lie in /tmp, for all
		"postgres-pitr@.service":          "16", // the same, and its server's shared memory outlives it
		"postgres-restore-resume.service": "14", // root, without any capability: systemd starts units for nobody less
		"postgres-drill-server@.service":  "10", // what runs strangers' code
	}
}

func TestNoServiceIsMoreExposedThanItWas(t *testing.T) {
	need.Program(t, "systemd-analyze")
	root := fakeRoot(t)
	files, err := Files(DefaultBinary)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		name := filepath.Base(f.Path)
		if !strings.HasSuffix(name, ".service") {
			continue
		}
		threshold, known := exposure()[name]
		if !known {
			t.Errorf("%s has no line in the table", name)
			continue
		}
		unit := strings.Replace(name, "@.", "@sales.", 1)
		out, err := exec.CommandContext(t.Context(), "systemd-analyze", "security", "--offline=yes", "--threshold="+threshold, "--no-pager", "--root="+root, unit).CombinedOutput()
		if err != nil {
			t.Errorf("systemd-analyze security %s: %v\n%s", unit, err, out)
		}
	}
}

// systemd 257 cannot start a unit that has a backslash there, which is in the instance of a job that needs escaping.
func TestNoDirectoryIsNamedAfterTheInstance(t *testing.T) {
	files, err := Files(DefaultBinary)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		for line := range strings.Lines(f.Text) {
			key, value, _ := strings.Cut(line, "=")
			if strings.Contains(f.Path, drillServerBase) {
				continue // systemd itself names its instances, by numbers and hyphens
			}
			if strings.HasSuffix(key, "Directory") && (strings.Contains(value, "%i") || strings.Contains(value, "%n") || strings.Contains(value, "%I")) {
				t.Errorf("%s: %s", f.Path, line)
			}
		}
	}
}

// What the program takes for an option is not what the unit was started for.
func TestNoInstanceIsTakenForAnOption(t *testing.T) {
	files, err := Files(DefaultBinary)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		for _, line := range values(parseUnit(f.Text), "Service", "ExecStart") {
			words := strings.Fields(line)
			for i, word := range words {
				if (word == "%i" || word == "%I") && !slices.Contains(words[:i], "--") {
					t.Errorf("%s: ExecStart=%s", f.Path, line)
				}
			}
		}
	}
}
