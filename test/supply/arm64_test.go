package supply

import (
	"bytes"
	"debug/elf"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/test/need"
)

// The package for arm64 is compiled here and run nowhere: what can be known is that it is of that architecture and has
// what the other one has.
func TestThePackageForArm64IsOfThatArchitectureAndLacksNothing(t *testing.T) {
	release(t)
	if runtime.GOARCH != "amd64" {
		t.Fatalf("%s has no other architecture to compile for", runtime.GOARCH)
	}
	need.Program(t, "aarch64-linux-gnu-gcc")
	dir := t.TempDir()
	if out, err := build(t, "../..", dir, "ARCHS=arm64"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	found, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(found) != 5 {
		t.Errorf("%q, %v", found, err)
	}
	const deb = "pgbtui_" + version + "_arm64.deb"
	field := func(name string) string {
		out, err := exec.CommandContext(t.Context(), "dpkg-deb", "--field", filepath.Join(dir, deb), name).Output()
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(out))
	}
	if got := field("Architecture"); got != "arm64" {
		t.Errorf("the package is of %q", got)
	}
	if got := field("Depends"); !strings.Contains(got, "libc6 (>= 2.") || !strings.Contains(got, "libsystemd0") {
		t.Errorf("it depends on %q", got)
	}
	raw, err := exec.CommandContext(t.Context(), "dpkg-deb", "--fsys-tarfile", filepath.Join(dir, deb)).Output()
	if err != nil {
		t.Fatal(err)
	}
	there, here := entries(t, bytes.NewReader(raw)), packaged(t, "--fsys-tarfile")
	if a, b := slices.Sorted(maps.Keys(there)), slices.Sorted(maps.Keys(here)); !slices.Equal(a, b) {
		t.Errorf("it has the files\n%q\nthe other\n%q", a, b)
	}
	rpm := filepath.Join(dir, "pgbtui-"+version+"-1.aarch64.rpm")
	if arch := query(t, rpm, "--queryformat", "%{ARCH}"); arch != "aarch64" {
		t.Errorf("the RPM is of %q", arch)
	}
	own, other := rpmFiles(t, rpm), rpmFiles(t, artefact(t, ".rpm"))
	if a, b := slices.Sorted(maps.Keys(own)), slices.Sorted(maps.Keys(other)); !slices.Equal(a, b) {
		t.Errorf("the RPM has the files\n%q\nthe other\n%q", a, b)
	}
	path := filepath.Join(t.TempDir(), "pgbtui")
	if err := os.WriteFile(path, there["usr/bin/pgbtui"].text, 0o600); err != nil {
		t.Fatal(err)
	}
	program, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer program.Close()
	if program.Machine != elf.EM_AARCH64 {
		t.Errorf("the program is for %s", program.Machine)
	}
	symbols, err := program.DynamicSymbols()
	if err != nil || !slices.ContainsFunc(symbols, func(s elf.Symbol) bool { return s.Name == "dlopen" }) {
		t.Errorf("it cannot open libsystemd: built without cgo? %v", err)
	}
}
