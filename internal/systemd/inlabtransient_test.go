package systemd

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

// Transient units: whoever may start one has it run anything, as root. The rule lets operators start
// units by their names, and newer systemd asks polkit about a transient unit by its name too.

// Where a transient unit that starts leaves its mark.
const (
	takenFile    = "/root/taken"
	transientDir = "/run/systemd/transient"
)

type property struct {
	Name  string
	Value dbus.Variant
}

type auxiliary struct {
	Name       string
	Properties []property
}

type command struct {
	Path          string
	Args          []string
	IgnoreFailure bool
}

func set(name string, value any) property {
	return property{Name: name, Value: dbus.MakeVariant(value)}
}

// takeOver leaves its mark as whoever systemd runs it as.
func takeOver() []property {
	script := "id -u >>" + takenFile
	return []property{set("ExecStart", []command{{Path: "/bin/sh", Args: []string{"/bin/sh", "-c", script}}})}
}

// tries are the ways to start a transient unit called name.
func tries(name string) (ways [][]property, beside [][]auxiliary) {
	stem := strings.TrimSuffix(name, filepath.Ext(name))
	const other = "pgbtui-beside.service"
	hidden := []auxiliary{{Name: other, Properties: takeOver()}}
	switch filepath.Ext(name) {
	case ".timer":
		due := []struct {
			Base  string
			After uint64
		}{{Base: "OnActiveSec", After: 1}}
		ways, beside = [][]property{{set("TimersMonotonic", due)}}, [][]auxiliary{{{Name: stem + ".service", Properties: takeOver()}}}
	case ".scope":
		ways, beside = [][]property{{set("PIDs", []uint32{uint32(os.Getpid())})}}, [][]auxiliary{nil}
	case ".path":
		there := []struct{ Kind, Path string }{{Kind: "PathExists", Path: "/"}}
		ways, beside = [][]property{{set("Paths", there)}}, [][]auxiliary{{{Name: stem + ".service", Properties: takeOver()}}}
	case ".slice", ".target":
		ways, beside = [][]property{{set("Wants", []string{other})}}, [][]auxiliary{hidden}
	default:
		withAux := []property{set("ExecStart", []command{{Path: "/bin/true", Args: []string{"true"}}}), set("Wants", []string{other})}
		ways, beside = [][]property{takeOver(), withAux}, [][]auxiliary{{}, hidden}
	}
	return ways, beside
}

func startTransient(ctx context.Context, bus *Bus, name string, how []property, beside []auxiliary) error {
	var job dbus.ObjectPath
	if beside == nil {
		beside = []auxiliary{}
	}
	return bus.call(ctx, "start transient "+name, "StartTransientUnit", []any{name, "replace", how, beside}, &job)
}

// operable are names of units that the rule lets operators start, whatever it takes them for.
func operable(t *testing.T) []string {
	t.Helper()
	files, err := Files(DefaultBinary)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range files {
		if filepath.Dir(f.Path) != unitDir {
			continue
		}
		name := filepath.Base(f.Path)
		if !strings.Contains(name, "@.") {
			names = append(names, name)
			continue
		}
		for _, instance := range []string{"exit0", "never-seen", "y", `my\x2ddb`, "20261122T020000Z-1a2b3c"} {
			names = append(names, strings.Replace(name, "@.", "@"+instance+".", 1))
		}
	}
	return names
}

// neighbours are names like those of the rule.
func neighbours(t *testing.T) []string {
	t.Helper()
	var names []string
	for _, name := range operable(t) {
		stem := strings.TrimSuffix(name, filepath.Ext(name))
		for _, suffix := range []string{".timer", ".service", ".scope", ".slice", ".path", ".target", ".service.service"} {
			names = append(names, stem+suffix)
		}
	}
	return append(names,
		"postgres-backup-watch@y.service", "postgres-backup-watch@y.timer", "postgres-verify.service", "postgres-restore.timer",
		"postgres-backup-alert@x.service", "postgres-backup@--help.service", "postgres-backup@-.service", "postgres-drill@--help.service",
		"postgres-verify@-x.service", "postgres-backup@.hidden.service", `postgres-backup@\x2dx.service`, `postgres-restore@\x2d.service`,
		`postgres-backup@\x2.service`, `postgres-backup@\x2D.service`, `postgres\x2dbackup.service`, `postgres-backup@a\.service`,
		"postgres-backup.service\n", "postgres-backup@a.service\n", "postgres-backup@a\nb.service", "\npostgres-backup.service",
		"Postgres-backup.service", "POSTGRES-BACKUP.SERVICE", "postgres-backup@A.Service", "xpostgres-backup.service",
		"postgres-backup@a@b.service", "postgres-backup@.service", "postgres-backup@"+strings.Repeat("x", 231)+".service",
		"postgres-restore@"+strings.Repeat("x", 199)+".service", "postgres-restore@"+strings.Repeat("x", 400)+".service", "undefined", "undefined.service")
}

func operatorTakesNoUnitOver(t *testing.T) {
	bus, ctx := inside(t)
	seen := map[string]bool{}
	for _, name := range append(operable(t), neighbours(t)...) {
		if seen[name] {
			continue
		}
		seen[name] = true
		ways, beside := tries(name)
		for i, how := range ways {
			if err := startTransient(ctx, bus, name, how, beside[i]); err == nil {
				t.Errorf("an operator started the transient unit %q", name)
			}
		}
	}
	left, err := os.ReadDir(transientDir)
	if err != nil && !errors.Is(err, os.ErrNotExist) || len(left) > 0 {
		t.Errorf("transient units: %v, %v", left, err)
	}
}

// rootCanDoWhatOperatorsTry: else the operators' attempts would prove nothing.
func rootCanDoWhatOperatorsTry(t *testing.T) {
	bus, ctx := inside(t)
	if _, err := os.Stat(takenFile); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("something ran as root: %v", err)
	}
	for i, name := range []string{"tryservice.service", "trytimer.timer", "trypath.path", "tryslice.slice"} {
		ways, beside := tries(name)
		last := len(ways) - 1 // with the other unit beside it, which each name may have once
		err := startTransient(ctx, bus, name, ways[last], beside[last])
		if err != nil {
			t.Errorf("root could not start %s: %v", name, err)
		}
		for ran := 0; ran <= i && err == nil; {
			text, _ := os.ReadFile(takenFile)
			ran = strings.Count(string(text), "0\n")
			time.Sleep(20 * time.Millisecond)
			if ctx.Err() != nil {
				t.Fatalf("%s started, and nothing ran: %q", name, text)
			}
		}
		// Of what has ended there is nothing left to stop.
		_ = exec.CommandContext(ctx, "systemctl", "stop", name, "trypath.service", "pgbtui-beside.service").Run()
	}
	if err := os.Remove(takenFile); err != nil {
		t.Error(err)
	}
}
