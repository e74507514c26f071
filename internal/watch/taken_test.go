package watch

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestWhenAChannelLastTookAnAlertIsRemembered(t *testing.T) {
	dir := t.TempDir()
	s, err := OpenStore(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	if taken, err := ReadTaken(dir); err != nil || taken != nil {
		t.Fatalf("before any: %v, %v", taken, err)
	}
	first, second := time.Unix(1000, 0).UTC(), time.Unix(2000, 0).UTC()
	for _, c := range []struct {
		labels []string
		at     time.Time
	}{{[]string{"slack", "mail"}, first}, {nil, second}, {[]string{"mail"}, second}} {
		if err := s.Taken(c.labels, c.at); err != nil {
			t.Fatal(err)
		}
	}
	taken, err := ReadTaken(dir)
	if err != nil || !taken["slack"].Equal(first) || !taken["mail"].Equal(second) {
		t.Errorf("%v, %v", taken, err)
	}
	file := filepath.Join(dir, takenName)
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("operators can't read it: %v, %v", info.Mode(), err)
	}
	if err := os.WriteFile(file, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadTaken(dir); err == nil {
		t.Error("half a file was read")
	}
	if err := s.Taken([]string{"slack"}, second); err != nil {
		t.Errorf("what cannot be read is not begun anew: %v", err)
	}
}
