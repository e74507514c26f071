package printable

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestWhatATerminalOrAReaderWouldMistakeIsMadeVisible(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"newline and tab", "a\nb\tc\r", `a\nb\tc\r`},
		{"escape sequence", "\x1b[2J", `\x1b[2J`},
		{"clipboard write", "\x1b]52;c;ZXZpbA==\x07", `\x1b]52;c;ZXZpbA==\x07`},
		{"NUL and DEL", "\x00\x7f", `\x00\x7f`},
		{"one-byte CSI, no UTF-8", "\x9b31m", `\x9b31m`},
		{"C1 as UTF-8", "\u009b31m", `\u009b31m`},
		{"cut rune", "caf\xc3", `caf\xc3`},
		{"overlong slash", "\xc0\xaf", `\xc0\xaf`},
		{"surrogate", "\xed\xa0\x80", `\xed\xa0\x80`},
		{"override", "a\u202egpj.exe", `a\u202egpj.exe`},
		{"isolates and marks", "\u2066\u2069\u200e\u200f\u061c", `\u2066\u2069\u200e\u200f\u061c`},
		{"zero width", "pro\u200bd\u200c\u200d\u2060", `pro\u200bd\u200c\u200d\u2060`},
		{"byte order mark", "\ufeffx", `\ufeffx`},
		{"separators", "a\u2028b\u2029c\u0085", `a\u2028b\u2029c\u0085`},
		{"soft hyphen", "a\u00adb", `a\u00adb`},
		{"tags", "\U000e0041", `\U000e0041`},
		{"private use", "\ue0b0\U000f0000", `\ue0b0\U000f0000`},
		{"Hangul filler", "\u3164", `\u3164`},
		{"variation selector", "\u26a0\ufe0f", "\u26a0" + `\ufe0f`},
		{"blank Braille", "\u2800", `\u2800`},
		{"leading mark", "\u0301a", `\u0301a`},
		{"mark on an escape", "\x1b\u0301", `\x1b\u0301`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Text(c.in); got != c.want {
				t.Errorf("Text(%q) = %q, want %q", c.in, got, c.want)
			}
		})
	}
}

func TestNormalTextIsUntouched(t *testing.T) {
	for _, s := range []string{
		"", "orders", `C:\x1b is text`, "a b", "数据库", "données", "donne\u0301es", "ข้อมูลที่นี่", "नमस्ते",
		"שָׁלוֹם", "مرحبا", "Ωμέγα", "✓ OK — 1·5 €", "🐘", "全角　空白", "\ufffd",
	} {
		if got := Text(s); got != s {
			t.Errorf("Text(%q) = %q, want it untouched", s, got)
		}
	}
}

func TestPilesOfMarksAreCutToWhatScriptsUse(t *testing.T) {
	got := Text("o" + strings.Repeat("\u0308", 9) + "k")
	want := "o" + strings.Repeat("\u0308", 4) + strings.Repeat(`\u0308`, 5) + "k"
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestLinesKeepsTheLinesAndNothingElse(t *testing.T) {
	for in, want := range map[string][]string{
		"":             {""},
		"\n":           {""},
		"one":          {"one"},
		"one\ntwo\n":   {"one", "two"},
		"a\n\nb\x1b\n": {"a", "", `b\x1b`},
		"a\r\nb":       {`a\r`, "b"},
	} {
		if diff := cmp.Diff(want, Lines(in)); diff != "" {
			t.Errorf("Lines(%q): %s", in, diff)
		}
	}
}

func TestOneLineLeavesNothingThatBeginsALine(t *testing.T) {
	if got, want := OneLine("a\nb\r\x1b[m\u2028c\u0085d\x7f"), "a b  [m c d "; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func FuzzTextIsSafeForATerminal(f *testing.F) {
	for _, s := range []string{"plain", "\x1b]0;x\x07", "\u202e", "\xff\xfe", "e\u0301\u0301\u0301\u0301\u0301\u0301", "数据库\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := Text(s)
		if !utf8.ValidString(got) {
			t.Fatalf("Text(%q) = %q is not UTF-8", s, got)
		}
		for _, r := range got {
			if unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co, unicode.Bidi_Control) {
				t.Fatalf("Text(%q) = %q holds %U", s, got, r)
			}
		}
		if again := Text(got); again != got {
			t.Fatalf("twice: Text(%q) = %q, then %q", s, got, again)
		}
		if !strings.Contains(s, "\n") && len(Lines(s)) != 1 {
			t.Fatalf("Lines(%q) made lines out of one", s)
		}
	})
}
