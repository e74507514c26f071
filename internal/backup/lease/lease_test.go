package lease

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode"
)

func FuzzALeaseOutlivesNoTermWhateverItSays(f *testing.F) {
	for _, seed := range []string{
		"", "null", "{", "[]", `{"run":"x","host":"h","source":"s","until":"2999-01-01T00:00:00Z"}`, `{"until":7}`,
		`{"run":"x","released":true}`, `{"run":{"a":1}}`, `{"schema":9,"run":"x"}`,
	} {
		f.Add([]byte(seed))
	}
	stored := time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, raw []byte) {
		if r := parse(raw, stored, Term); r.Live(stored.Add(Term)) {
			t.Fatalf("it blocks for ever: %+v", r)
		}
	})
}

func TestNoTextOfALeaseReachesAScreenAsItIs(t *testing.T) {
	stored := time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)
	raw := []byte(`{"schema":1,"run":"x\u001b[2J","host":"h\u0007","source":"s\u009b","until":"2026-11-22T02:01:00Z"}`)
	r := parse(raw, stored, Term)
	for _, text := range []string{r.Run, r.Host, fmt.Sprint(r.Source)} {
		if text == "" || strings.ContainsFunc(text, unicode.IsControl) {
			t.Errorf("%q", text)
		}
	}
}
