package main

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestAScreenBecomesWellFormedSVGWithItsTextAndColours(t *testing.T) {
	screen := "\x1b[1mbold <&>\x1b[0m plain\n\x1b[7;31mproduction\x1b[27;39m \x1b[2mfaint\x1b[0m ✓\n"
	var out strings.Builder
	if err := draw(strings.NewReader(screen), &out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`font-weight="bold">bold &lt;&amp;&gt;</text>`, `opacity="0.6">faint<`, `fill="` + palette[1] + `"/>`, "production", "✓"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing", want)
		}
	}
	decoder := xml.NewDecoder(strings.NewReader(out.String()))
	for {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
}
