package systemd

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/test/need"
)

func TestAPlacedFileIsWholeAndReplacesNothing(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(dir+SecretDir, 0o700); err != nil {
		t.Fatal(err)
	}
	left := dir + SecretDir + "/.pgbtui-killed"
	if err := os.WriteFile(left, []byte("half a sec"), 0o600); err != nil {
		t.Fatal(err)
	}
	report := &Report{}
	f := File{Path: SecretDir + "/writer", Mode: 0o600, Text: "one\n"}
	for range 2 {
		if err := root(dir).place(f, -1, report); err != nil {
			t.Fatal(err)
		}
	}
	if len(report.Steps) != 2 || report.Steps[0].Action != Created || report.Steps[1].Action != Unchanged {
		t.Errorf("%+v", report.Steps)
	}
	f.Text = "two\n"
	err := root(dir).place(f, -1, report)
	if fault.CodeOf(err) != fault.Refused || strings.Contains(err.Error()+fault.Remedy(err), "two") {
		t.Errorf("%v (%s)", err, fault.Remedy(err))
	}
	text, err := os.ReadFile(dir + f.Path)
	info, statErr := os.Stat(dir + f.Path)
	if err := errors.Join(err, statErr); err != nil || string(text) != "one\n" || info.Mode().Perm() != 0o600 {
		t.Errorf("%q %v %v", text, info.Mode(), err)
	}
	if files, _ := filepath.Glob(dir + SecretDir + "/" + unfinished); len(files) > 0 {
		t.Errorf("left: %q", files)
	}
}

func TestWhatAKilledWriterLeftAmongDropInsGoesWithTheNextWriteAndTheRemoval(t *testing.T) {
	dir := t.TempDir()
	folder := unitDir + "/" + BackupTimer("shop") + ".d"
	half := func(folder string) {
		t.Helper()
		if err := errors.Join(os.MkdirAll(dir+folder, 0o755), os.WriteFile(dir+folder+"/.pgbtui-killed", []byte("[Ti"), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	half(folder)
	if _, err := root(dir).write(File{Path: folder + "/" + "theirs.conf", Mode: 0o644, Text: "[Timer]\n"}, -1); err != nil {
		t.Fatal(err)
	}
	other := unitDir + "/" + BackupTimer("gone") + ".d"
	half(folder)
	half(other)
	dropInsUnfinished(root(dir))
	for _, f := range []string{folder, other} {
		if left, _ := filepath.Glob(dir + f + "/" + unfinished); len(left) > 0 {
			t.Errorf("left: %q", left)
		}
	}
	if _, err := os.Stat(dir + other); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("an empty folder stays: %v", err)
	}
	if _, err := os.Stat(dir + folder + "/theirs.conf"); err != nil {
		t.Error(err)
	}
}

func TestAFullDiskLeavesNoHalfFile(t *testing.T) {
	need.Root(t)
	dir := t.TempDir()
	if err := os.MkdirAll(dir+configDir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("none", dir+configDir, "tmpfs", 0, "size=16k"); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Unmount(dir+configDir, 0) }()
	f := File{Path: configFile, Mode: 0o640, Text: strings.Repeat("# many words\n", 4000)}
	err := root(dir).place(f, -1, &Report{})
	if fault.CodeOf(err) != fault.NoSpace || !strings.Contains(fault.Remedy(err), configDir) {
		t.Errorf("%v (%s)", err, fault.Remedy(err))
	}
	if entries, err := os.ReadDir(dir + configDir); err != nil || len(entries) > 0 {
		t.Errorf("left: %v, %v", entries, err)
	}
}
