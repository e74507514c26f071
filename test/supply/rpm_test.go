package supply

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/test/need"
)

// The RPM. There is no machine of such a system here: what can be known is what it holds, and what happens when rpm
// installs it into a root of its own, upgrades it there and removes it.

// query asks rpm about a package.
func query(t *testing.T, file string, args ...string) string {
	t.Helper()
	need.Program(t, "rpm")
	out, err := exec.CommandContext(t.Context(), "rpm", append(append([]string{"-q", "--nosignature", "-p"}, args...), file)...).Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// rpmFiles are the modes of its files, by path; owners are root, or the test fails.
func rpmFiles(t *testing.T, file string) map[string]uint64 {
	t.Helper()
	all := map[string]uint64{}
	form := `[%{FILEMODES:octal} %{FILEUSERNAME}:%{FILEGROUPNAME} %{FILEMTIMES} %{FILENAMES}\n]`
	for line := range strings.Lines(query(t, file, "--queryformat", form)) {
		var mode, name, owner string
		var changed int64
		if _, err := fmt.Sscan(line, &mode, &owner, &changed, &name); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		bits, err := strconv.ParseUint(mode, 8, 32)
		if err != nil || owner != "root:root" || bits&0o7022 != 0 || changed > sourceDate {
			t.Errorf("%s has mode %s, belongs to %s, is of %d, %v", name, mode, owner, changed, err)
		}
		all[name] = bits
	}
	return all
}

// asInDeb is where the other package has a file.
func asInDeb(name string) string {
	switch {
	case name == "/usr/share/licenses/pgbtui/THIRD-PARTY-LICENSES":
		return "usr/share/doc/pgbtui/THIRD-PARTY-LICENSES.gz"
	case name == "/usr/share/licenses/pgbtui/LICENSE":
		return "usr/share/doc/pgbtui/copyright"
	}
	return strings.TrimPrefix(strings.Replace(name, "/zsh/site-functions/", "/zsh/vendor-completions/", 1), "/")
}

func TestTheRPMHasTheFilesOfTheOtherPackage(t *testing.T) {
	file := artefact(t, ".rpm")
	if name := filepath.Base(file); name != "pgbtui-"+version+"-1.x86_64.rpm" {
		t.Errorf("it is called %s", name)
	}
	inRPM := rpmFiles(t, file)
	inDeb := packaged(t, "--fsys-tarfile")
	for name, mode := range inRPM {
		if mode&0o170000 != 0o100000 {
			continue
		}
		other, there := inDeb[asInDeb(name)]
		if !there {
			t.Errorf("%s is in the RPM alone", name)
		} else if uint64(other.Mode&0o7777) != mode&0o7777 {
			t.Errorf("%s has mode %o, in the other package %o", name, mode, other.Mode)
		}
		delete(inDeb, asInDeb(name))
	}
	for name, f := range inDeb {
		if f.FileInfo().Mode().IsRegular() && name != "usr/share/doc/pgbtui/changelog.gz" {
			t.Errorf("%s is in the other package alone", name)
		}
	}
	needs := query(t, file, "--requires")
	for _, want := range []string{"libsystemd.so.0()(64bit)", "systemd >= 252", "libc.so.6(GLIBC_2.", "ca-certificates"} {
		if !strings.Contains(needs, want) {
			t.Errorf("it does not require %s: %s", want, needs)
		}
	}
	if host, _ := os.Hostname(); strings.Contains(query(t, file, "--info"), host) {
		t.Error("the name of the machine that built it is in it")
	}
}

// What rpm does on a host is what dpkg does: the scripts have the same text behind a first line that tells rpm's
// numbers in dpkg's words.
func TestTheRPMsScriptsAreThoseOfTheOtherPackage(t *testing.T) {
	said := query(t, artefact(t, ".rpm"), "--scripts")
	for name, f := range packaged(t, "--ctrl-tarfile") {
		if !slices.Contains([]string{"postinst", "prerm", "postrm"}, name) {
			continue
		}
		_, body, _ := strings.Cut(string(f.text), "\n")
		if !strings.Contains(said, strings.TrimSpace(body)) {
			t.Errorf("%s is not in\n%s", name, said)
		}
	}
}

func TestTheRPMComesIsUpgradedAndGoesInARootOfItsOwn(t *testing.T) {
	need.Root(t)
	file := artefact(t, ".rpm")
	need.Program(t, "rpm", "ldd", "chroot")
	root := t.TempDir()
	if err := os.Chmod(root, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, program := range []string{"/bin/sh", "/bin/grep"} {
		copyProgram(t, root, program)
	}
	rpm := func(args ...string) string {
		t.Helper()
		out, err := exec.CommandContext(t.Context(), "rpm", append([]string{"--root", root, "--nodeps", "--nosignature"}, args...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("rpm %q: %v\n%s", args, err, out)
		}
		return string(out)
	}
	if said := rpm("--install", file); !strings.Contains(said, "pgbtui: nothing runs yet") || !strings.Contains(said, "pgbtui init") {
		t.Errorf("it does not say what comes next: %s", said)
	}
	if changed := rpm("--verify", "pgbtui"); strings.TrimSpace(changed) != "" {
		t.Errorf("files differ from the package: %s", changed)
	}
	copyProgram(t, root, filepath.Join(root, "usr/bin/pgbtui"))
	out, err := exec.CommandContext(t.Context(), "chroot", root, "/usr/bin/pgbtui", "version").CombinedOutput()
	if err != nil || !strings.Contains(string(out), version) {
		t.Errorf("it does not run: %v\n%s", err, out)
	}
	if err := os.MkdirAll(filepath.Join(root, "etc/pgbtui/secret"), 0o755); err != nil {
		t.Fatal(err)
	}
	key := filepath.Join(root, "etc/pgbtui/secret/writer")
	if err := os.WriteFile(key, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if said := rpm("--upgrade", "--force", file); strings.Contains(said, "nothing runs yet") || strings.Contains(said, "removed") {
		t.Errorf("an upgrade says: %s", said)
	}
	if said := rpm("--erase", "pgbtui"); !strings.Contains(said, "/etc/pgbtui") || !strings.Contains(said, "every backup in the bucket") {
		t.Errorf("it does not say what is left: %s", said)
	}
	if _, err := os.Stat(filepath.Join(root, "usr/bin/pgbtui")); err == nil {
		t.Error("the program is still there")
	}
	if text, err := os.ReadFile(key); err != nil || string(text) != "precious" {
		t.Errorf("the key is %q, %v", text, err)
	}
}

// copyProgram puts a program of this machine with its libraries into a root.
func copyProgram(t *testing.T, root, program string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "ldd", program).Output()
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]bool{}
	if !strings.HasPrefix(program, root) {
		files[program] = true
	}
	for _, word := range strings.Fields(string(out)) {
		if filepath.IsAbs(word) {
			files[word] = true
		}
	}
	for _, file := range slices.Sorted(maps.Keys(files)) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		target := filepath.Join(root, file)
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(target, text, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}
