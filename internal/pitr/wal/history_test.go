package wal

import (
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

func TestTheLineOfTimelinesIsRead(t *testing.T) {
	got, err := ParseHistory("1\t0/A000000\tno recovery target specified\n\n# nothing\n2\t0/C000028\tbefore 2026\n")
	want := []Branch{{Timeline: 1, Until: 0xA000000}, {Timeline: 2, Until: 0xC000028}}
	if err != nil || len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("%v, %v", got, err)
	}
	for _, text := range []string{"1 nowhere", "x y z\n", "1\n"} {
		if _, err := ParseHistory(text); fault.CodeOf(err) != fault.Integrity {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func FuzzHistory(f *testing.F) {
	f.Add("1\t0/A000000\tno recovery target specified\n")
	f.Fuzz(func(_ *testing.T, text string) { _, _ = ParseHistory(text) })
}
