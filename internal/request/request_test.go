package request

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

func TestWhatIsAskedIsRead(t *testing.T) {
	dir := t.TempDir()
	want := Restore{Set: "20261122T020000Z-1a2b3c", Database: "a\"b\n", To: "new", Jobs: 2, Globals: true, At: time.Unix(1, 0).UTC()}
	old := syscall.Umask(0o077)
	err := Write(dir, "r1", want)
	syscall.Umask(old)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(filepath.Join(dir, "r1.json")); err != nil || info.Mode().Perm() != 0o640 {
		t.Fatalf("the group can't read it: %v, %v", info.Mode(), err)
	}
	got, err := Read(dir, "r1")
	want.Owner = uint32(os.Getuid())
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("%+v, %v", got, err)
	}
	if err := Write(dir, "r1", want); err == nil {
		t.Fatal("a request was overwritten")
	}
}

func TestPlantedFilesAreRefused(t *testing.T) {
	dir := t.TempDir()
	good := filepath.Join(dir, "good.json")
	if err := os.WriteFile(good, []byte(`{"set":"x","to":"y"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(good, filepath.Join(dir, "link.json")); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe.json"), 0o600); err != nil {
		t.Fatal(err)
	}
	for id, body := range map[string]string{
		"huge":    `{"set":"` + strings.Repeat("x", maxBytes) + `"}`,
		"unknown": `{"set":"x","to":"y","command":"rm"}`,
		"empty":   ``,
		"notarg":  `{"set":"x"}`,
		"jobs":    `{"set":"x","to":"y","jobs":1000}`,
		"both":    `{"set":"x","to":"y","replace":"y","confirm":"y"}`,
		"unsure":  `{"set":"x","replace":"y"}`,
		"other":   `{"set":"x","replace":"y","confirm":"Y"}`,
		"noset":   `{"replace":"y","confirm":"y"}`,
		"setswap": `{"set":"x","swap":"y","confirm":"y"}`,
		"swap":    `{"swap":"y"}`,
		"with":    `{"set":"x","to":"y","with":"z"}`,
		"ends":    `{"set":"x","to":"y","terminate":true}`,
	} {
		if err := os.WriteFile(filepath.Join(dir, id+".json"), []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range []string{"link", "pipe", "huge", "unknown", "empty", "notarg", "jobs", "both", "unsure", "other", "noset", "setswap", "swap", "with", "ends", "missing", "../good", "a/b", ""} {
		if _, err := Read(dir, id); err == nil || fault.CodeOf(err) == fault.OK {
			t.Errorf("%q was read", id)
		}
	}
}

func FuzzParseNeverPanicsAndNeverAcceptsAnEmptyTarget(f *testing.F) {
	f.Add([]byte(`{"set":"x","to":"y","jobs":3}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if r, err := parse(body); err == nil && (r.Set == "" || r.To == "") {
			t.Fatalf("accepted %+v", r)
		}
	})
}

func TestARequestThatChangesALiveDatabaseIsTakenOnce(t *testing.T) {
	dir := t.TempDir()
	for id, c := range map[string]struct {
		r    Restore
		once bool
	}{
		"new":     {Restore{Set: "x", To: "y"}, false},
		"replace": {Restore{Set: "x", Replace: "y", Confirm: "y", Terminate: true}, true},
		"swap":    {Restore{Swap: "y", Confirm: "y", With: "z"}, true},
	} {
		if err := Write(dir, id, c.r); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(dir, id); err != nil {
			t.Errorf("%s: %v", id, err)
		}
		if got, err := Take(dir, id); err != nil || got.Replace+got.Swap+got.To != "y" {
			t.Errorf("%s: %+v, %v", id, got, err)
		}
		if _, err := Take(dir, id); (fault.CodeOf(err) == fault.NotFound) != c.once {
			t.Errorf("%s again: %v", id, err)
		}
	}
}
