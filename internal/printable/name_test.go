package printable

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

const hostile = "a\x1b]52;c;eA==\x07\u009b2J\u202eb\u200b\nc\x7f"

func TestANameHasNoVerbThatPrintsItRaw(t *testing.T) {
	n := Name(hostile)
	for _, format := range []string{"%s", "%v", "%+v", "%#v", "%q", "%+q", "%-40s", "%.3s", "%x", "%d"} {
		if text := fmt.Sprintf(format, n); Text(text) != text { // the wrong ones too
			t.Errorf("%s: %q", format, text)
		}
	}
	for what, text := range map[string]string{
		"in a struct": fmt.Sprintf("%v %+v", struct{ N Name }{n}, &struct{ N Name }{n}), "in a list": fmt.Sprint([]Name{n}),
		"String": n.String(), "Sprint": fmt.Sprint(n), "an error": fmt.Errorf("of %s", n).Error(),
	} {
		if Text(text) != text {
			t.Errorf("%s: %q", what, text)
		}
	}
}

func TestANameSurvivesJSONAndIsVisibleInIt(t *testing.T) {
	raw, err := json.Marshal(map[string]any{"n": Name(hostile)})
	if err != nil || strings.ContainsFunc(string(raw), func(r rune) bool { return !visible(r) }) {
		t.Errorf("%q, %v", raw, err)
	}
	var back struct{ N Name }
	if err := json.Unmarshal(raw, &back); err != nil || back.N != hostile {
		t.Errorf("%q, %v", string(back.N), err)
	}
}

func TestTheWriterKeepsLinesAndNothingElse(t *testing.T) {
	var out strings.Builder
	if n, err := Writer(&out).Write([]byte(hostile + "\n数据\n")); err != nil || n != len(hostile)+8 {
		t.Errorf("%d, %v", n, err)
	}
	if want := Text("a\x1b]52;c;eA==\x07\u009b2J\u202eb\u200b") + "\n" + Text("c\x7f") + "\n数据\n"; out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
}
