// Package need states what a test needs. Without it the test is skipped loudly, except under
// PGBTUI_TEST_ALL=1 (set by `make test` and CI), where a missing need is a failure: there,
// nothing may be left out but what only `make matrix` has.
package need

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Root requires an effective uid of 0.
func Root(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		missing(t, "root")
	}
}

// Program requires each program on PATH and returns the last one's path.
func Program(t testing.TB, names ...string) (path string) {
	t.Helper()
	for _, name := range names {
		var err error
		if path, err = exec.LookPath(name); err != nil {
			missing(t, "the program "+name)
		}
	}
	return path
}

// All requires the full run: the slow or privileged tests that `go test ./...` alone leaves out.
func All(t testing.TB, what string) {
	t.Helper()
	if !Everything() {
		missing(t, "PGBTUI_TEST_ALL=1 (make test) for "+what)
	}
}

// Everything reports whether this run must leave nothing out.
func Everything() bool { return os.Getenv("PGBTUI_TEST_ALL") == "1" }

func missing(t testing.TB, what string) {
	t.Helper()
	if Everything() {
		t.Fatalf("this test needs %s, and nothing may be skipped in this run", what)
	}
	t.Skipf("SKIPPED: needs %s", what)
}

// Extension requires the package of an extension of PostgreSQL; there tells whether it is there. A system that no
// such package is made for leaves the test out also where nothing may be skipped: PGBTUI_TEST_LACKS names the
// extension and the reason, as "pg_cron: there is no package of it". `make matrix` sets it and puts it into its table.
func Extension(t testing.TB, name string, there bool) {
	t.Helper()
	lacking, reason, _ := strings.Cut(os.Getenv("PGBTUI_TEST_LACKS"), ": ")
	switch {
	case there:
	case lacking == name:
		t.Skipf("LEFT OUT: %s", reason)
	default:
		missing(t, "PostgreSQL's extension "+name)
	}
}

// Given is a variable that names what only `make matrix` makes. Without it the test is left out everywhere.
func Given(t testing.TB, variable, what string) string {
	t.Helper()
	value := os.Getenv(variable)
	if value == "" {
		t.Skipf("LEFT OUT: needs %s", what)
	}
	return value
}

// Folder is Given for a folder that `make matrix` makes where it can.
func Folder(t testing.TB, path, what string) {
	t.Helper()
	if _, err := os.Stat(path); err != nil {
		t.Skipf("LEFT OUT: needs %s", what)
	}
}
