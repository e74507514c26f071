package lab

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestALabIsAWholeMachine(t *testing.T) {
	l := Start(t, Options{Hostname: "db7"})

	t.Run("systemd has started and no unit failed", func(t *testing.T) {
		if failed := l.Run(t, "root", "systemctl", "list-units", "--failed", "--plain", "--no-legend"); failed != "" {
			t.Errorf("failed units:\n%s", failed)
		}
		if state := l.Run(t, "root", "systemctl", "is-system-running"); state != "running\n" {
			t.Errorf("is-system-running: %q", state)
		}
	})
	t.Run("D-Bus answers an unprivileged user", func(t *testing.T) {
		out := l.Run(t, "nobody", "busctl", "get-property", "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
			"org.freedesktop.systemd1.Manager", "Version")
		if !strings.HasPrefix(out, `s "`) {
			t.Errorf("Version: %q", out)
		}
	})
	t.Run("the journal has this boot's entries", func(t *testing.T) {
		if out := l.Run(t, "root", "journalctl", "-b", "-o", "cat", "_PID=1"); !strings.Contains(out, "Startup finished") {
			t.Errorf("journal: %q", out)
		}
	})
	t.Run("polkit is activated and refuses a stranger to start a unit", func(t *testing.T) {
		out, err := l.Command(t.Context(), "nobody", "busctl", "call", "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
			"org.freedesktop.systemd1.Manager", "StartUnit", "ss", "systemd-tmpfiles-clean.service", "replace").CombinedOutput()
		if err == nil || !strings.Contains(string(out), "Access denied") && !strings.Contains(string(out), "authentication required") {
			t.Errorf("err %v: %s", err, out)
		}
		l.Run(t, "root", "systemctl", "is-active", "polkit.service")
	})
	t.Run("PostgreSQL answers its own user and knows no other", func(t *testing.T) {
		got, err := l.SQL(t.Context(), "postgres", "SELECT current_user || ' ' || datcollate FROM pg_database WHERE datname = current_database()")
		if err != nil || got != "postgres C.UTF-8" {
			t.Errorf("SQL: %q, %v", got, err)
		}
		if _, err := l.Output(t.Context(), "nobody", "psql", "-d", "postgres", "-c", "SELECT 1"); err == nil {
			t.Error("nobody has no role, but was let in")
		}
	})
	t.Run("it has its own name and network", func(t *testing.T) {
		if got := l.Run(t, "root", "hostname"); got != "db7\n" {
			t.Errorf("hostname: %q", got)
		}
		if got := l.Run(t, "root", "sh", "-c", "ls /sys/class/net"); got != "lo\n" {
			t.Errorf("interfaces: %q", got)
		}
	})
}

func TestFilesAndUsersReachTheLabAndNothingReachesTheMachine(t *testing.T) {
	l := Start(t, Options{NoPostgreSQL: true})
	if err := l.AddUser(t.Context(), "ops", "adm", "systemd-journal"); err != nil {
		t.Fatal(err)
	}
	source := filepath.Join(t.TempDir(), "tool")
	if err := os.WriteFile(source, []byte("#!/bin/sh\necho $USER $HOME $(id -Gn) ${SECRET:-none}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := l.Copy(source, "/opt/lab-test/tool", 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SECRET", "of the caller")
	if got, want := l.Run(t, "ops", "/opt/lab-test/tool"), "ops /home/ops ops adm systemd-journal none\n"; got != want {
		t.Errorf("as ops: %q, want %q", got, want)
	}
	if _, err := os.Stat("/opt/lab-test"); !os.IsNotExist(err) {
		t.Errorf("the machine has the lab's file: %v", err)
	}
	if _, err := l.Output(t.Context(), "stranger", "true"); err == nil || !strings.Contains(err.Error(), `no user "stranger"`) {
		t.Errorf("an unknown user: %v", err)
	}
}

func TestKillingACommandEndsItInTheLab(t *testing.T) {
	l := Start(t, Options{NoPostgreSQL: true})
	ctx, cancel := context.WithCancel(t.Context())
	cmd := l.Command(ctx, "nobody", "sleep", "4242")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	sleeping := func() bool {
		return l.Command(t.Context(), "root", "pgrep", "-f", "^sleep 4242").Run() == nil
	}
	eventually(t, "sleep runs", sleeping)
	cancel()
	_ = cmd.Wait()
	eventually(t, "sleep is gone", func() bool { return !sleeping() })
}

func TestLabsRunSideBySide(t *testing.T) {
	one := Start(t, Options{NoPostgreSQL: true})
	two := Start(t, Options{NoPostgreSQL: true})
	ids := [2]string{}
	for i, l := range []*Lab{one, two} {
		ids[i] = l.Run(t, "root", "cat", "/etc/machine-id")
		l.Run(t, "root", "systemd-run", "--unit=twin", "--collect", "sleep", "infinity")
	}
	if ids[0] == ids[1] {
		t.Errorf("both have machine ID %s", ids[0])
	}
	one.Run(t, "root", "systemctl", "stop", "twin.service")
	two.Run(t, "root", "systemctl", "is-active", "twin.service")
}

func TestShutdownLeavesNothing(t *testing.T) {
	l := Start(t, Options{NoPostgreSQL: true})
	if left := traces(l.Name()); len(left) == 0 {
		t.Fatal("a running lab shows no traces: this test cannot see any")
	}
	if err := l.Shutdown(); err != nil {
		t.Fatal(err)
	}
	if left := traces(l.Name()); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
	if err := l.Shutdown(); err != nil {
		t.Errorf("a second Shutdown: %v", err)
	}
}

// traces lists processes, mounts, cgroups and directories that carry a lab's name.
func traces(name string) []string {
	var found []string
	for _, pattern := range []string{"/proc/[0-9]*/cmdline", "/proc/[0-9]*/cgroup", "/proc/self/mountinfo"} {
		files, _ := filepath.Glob(pattern)
		for _, file := range files {
			content, _ := os.ReadFile(file)
			for line := range strings.Lines(string(content)) {
				// A dead process that waits to be reaped still names the cgroup it was in.
				if strings.Contains(line, name) && !strings.HasSuffix(line, " (deleted)\n") {
					found = append(found, file)
				}
			}
		}
	}
	for _, pattern := range []string{"/var/tmp/", "/tmp/", "/dev/shm/", "/sys/fs/cgroup/", "/sys/fs/cgroup/*/", "/run/systemd/nspawn/propagate/", "/run/systemd/nspawn/unix-export/"} {
		dirs, _ := filepath.Glob(pattern + name)
		found = append(found, dirs...)
	}
	return found
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for range 200 {
		if holds() {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("not within ten seconds: %s", what)
}

// owner is the environment variable that turns this test binary into an owner of a lab that
// prints its name and waits to be ended.
const owner = "PGBTUI_LAB_TEST_OWNER"

func TestOwner(t *testing.T) {
	if os.Getenv(owner) == "" {
		return
	}
	l := Start(t, Options{NoPostgreSQL: true})
	_, _ = os.Stdout.WriteString(l.Name() + "\n")
	select {} // until a signal ends it
}

// startOwner runs TestOwner in a process of its own and returns it with its lab's name.
func startOwner(t *testing.T) (*exec.Cmd, string) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestOwner$")
	cmd.Env = append(os.Environ(), owner+"=1")
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	buffer := make([]byte, 256)
	n, err := out.Read(buffer)
	if err != nil || !strings.HasPrefix(string(buffer[:n]), namePrefix) {
		t.Fatalf("owner printed %q, %v", buffer[:n], err)
	}
	return cmd, strings.TrimSpace(string(buffer[:n]))
}
