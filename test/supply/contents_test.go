package supply

import (
	"bytes"
	"compress/gzip"
	"crypto/md5" // of dpkg's database
	"debug/buildinfo"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
)

func TestTheSBOMHasExactlyTheModulesOfTheProgram(t *testing.T) {
	info, err := buildinfo.ReadFile(program(t))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"stdlib " + strings.TrimPrefix(info.GoVersion, "go")}
	for _, m := range info.Deps {
		want = append(want, m.Path+" "+m.Version+" "+m.Sum)
	}
	var bom struct {
		Metadata struct {
			Component struct{ Name, Version string }
		}
		Components []struct {
			Name, Version, Purl string
			Properties          []struct{ Name, Value string }
		}
	}
	raw, err := os.ReadFile(artefact(t, ".cdx.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &bom); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range bom.Components {
		line := c.Name + " " + c.Version
		for _, p := range c.Properties {
			line += " " + p.Value
		}
		got = append(got, line)
		if !strings.HasPrefix(c.Purl, "pkg:golang/"+c.Name+"@") {
			t.Errorf("%s is called %s", c.Name, c.Purl)
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) || len(got) < 30 {
		t.Errorf("the SBOM has\n%s\nthe program\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if bom.Metadata.Component.Version != "v"+version || bom.Metadata.Component.Name != info.Main.Path {
		t.Errorf("it is of %+v", bom.Metadata.Component)
	}
}

func TestEveryModuleOfTheProgramComesWithItsLicence(t *testing.T) {
	info, err := buildinfo.ReadFile(program(t))
	if err != nil {
		t.Fatal(err)
	}
	text := string(tarball(t)["pgbtui-"+version+"/THIRD-PARTY-LICENSES"].text)
	packed, err := gzip.NewReader(bytes.NewReader(packaged(t, "--fsys-tarfile")["usr/share/doc/pgbtui/THIRD-PARTY-LICENSES.gz"].text))
	if err != nil {
		t.Fatal(err)
	}
	if same, err := io.ReadAll(packed); err != nil || string(same) != text {
		t.Errorf("tarball and package have different licences, %v", err)
	}
	for _, m := range info.Deps {
		_, after, found := strings.Cut(text, "\n"+m.Path+" "+m.Version+"\n=")
		section, _, _ := strings.Cut(after, "\n==")
		if low := strings.ToLower(section); !found || !strings.Contains(low, "copyright") && !strings.Contains(low, "license") {
			t.Errorf("%s %s has no licence there", m.Path, m.Version)
		}
	}
}

// folders are where the package may have files: nothing that an administrator writes to, nothing
// that switches itself on.
var folders = []string{
	"usr/bin/", "usr/share/doc/pgbtui/", "usr/share/pgbtui/monitoring/", "usr/share/pgbtui/profiles/", "usr/share/man/man1/", "usr/share/man/man5/",
	"usr/share/bash-completion/completions/", "usr/share/zsh/vendor-completions/", "usr/share/fish/vendor_completions.d/",
}

func TestThePackagesFilesAreRootsAndNobodyElseMayWriteThem(t *testing.T) {
	files := packaged(t, "--fsys-tarfile")
	for name, f := range files {
		private(t, name, f)
		if f.FileInfo().Mode().IsRegular() && !slices.ContainsFunc(folders, func(dir string) bool { return strings.HasPrefix(name, dir) }) {
			t.Errorf("%s has no business there", name)
		}
	}
	for _, name := range []string{
		"usr/bin/pgbtui", "usr/share/man/man1/pgbtui.1.gz", "usr/share/man/man1/pgbtui-restore.1.gz", "usr/share/man/man5/pgbtui.yaml.5.gz",
		"usr/share/doc/pgbtui/copyright", "usr/share/doc/pgbtui/README.md", "usr/share/bash-completion/completions/pgbtui",
		"usr/share/pgbtui/monitoring/pgbtui.rules.yml", "usr/share/pgbtui/profiles/saas.yaml", "usr/share/pgbtui/monitoring/grafana-dashboard.json",
	} {
		if len(files[name].text) == 0 {
			t.Errorf("no %s", name)
		}
	}
	if mode := files["usr/bin/pgbtui"].Mode; mode != 0o755 {
		t.Errorf("the program has mode %o", mode)
	}
	for name, f := range tarball(t) {
		private(t, name, f)
	}
	for name, f := range packaged(t, "--ctrl-tarfile") {
		private(t, name, f)
	}
}

// private expects root's file or folder, that others read and nobody else writes.
func private(t *testing.T, name string, f entry) {
	t.Helper()
	if f.Uid != 0 || f.Gid != 0 {
		t.Errorf("%s belongs to %d:%d", name, f.Uid, f.Gid)
	}
	mode := f.FileInfo().Mode()
	if !mode.IsRegular() && !mode.IsDir() {
		t.Errorf("%s is %s", name, mode)
	}
	if perm := f.Mode & 0o7777; perm&0o7022 != 0 || perm&0o444 != 0o444 {
		t.Errorf("%s has mode %o", name, perm)
	}
	if f.ModTime.Unix() > sourceDate {
		t.Errorf("%s is younger than its source: %s", name, f.ModTime)
	}
}

func TestThePackagesOwnSumsCoverEveryFile(t *testing.T) {
	recorded := map[string]string{}
	for line := range strings.Lines(string(packaged(t, "--ctrl-tarfile")["md5sums"].text)) {
		sum, name, _ := strings.Cut(strings.TrimRight(line, "\n"), "  ")
		recorded[name] = sum
	}
	for name, f := range packaged(t, "--fsys-tarfile") {
		if !f.FileInfo().Mode().IsRegular() {
			continue
		}
		sum := md5.Sum(f.text)
		if recorded[name] != hex.EncodeToString(sum[:]) {
			t.Errorf("%s has sum %x, recorded is %q", name, sum, recorded[name])
		}
		delete(recorded, name)
	}
	for name := range recorded {
		t.Errorf("%s has a sum and is not there", name)
	}
}
