package printable_test

import (
	"os/exec"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/printable"
)

func TestAShellWordIsReadBackByAShell(t *testing.T) {
	for in, want := range map[string]string{
		"": "''", "a-b": "a-b", "it's": `'it'\''s'`, "$(x)": "'$(x)'", "a\nb": `$'a\x0ab'`, "\x1b'\\": `$'\x1b\'\\'`, "数": "'数'",
		"=ls": "'=ls'", "a=b": "a=b", "a\u202eb": `$'a\xe2\x80\xaeb'`, `postgres-backup@a\x2db`: `'postgres-backup@a\x2db'`,
	} {
		got := printable.ShellWord(in)
		if got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
		back, err := exec.CommandContext(t.Context(), "bash", "-c", "printf %s "+got).Output()
		if err != nil || string(back) != in {
			t.Errorf("bash reads %s as %q, %v", got, back, err)
		}
	}
}
