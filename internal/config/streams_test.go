package config

import (
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

func TestStreamsAreANumberThatAServerHasSessionsForOrAuto(t *testing.T) {
	for text, want := range map[string]Streams{"auto": StreamsAuto, "1": 1, "8": 8} {
		var got struct{ Streams Streams }
		if err := yaml.Unmarshal([]byte("streams: "+text), &got); err != nil || got.Streams != want || got.Streams.String() != text {
			t.Errorf("%s: %v, %v", text, got.Streams, err)
		}
	}
	for _, text := range []string{"0", "9", "-1", "two", "1.5", `""`} {
		var got struct{ Streams Streams }
		if err := yaml.Unmarshal([]byte("streams: "+text), &got); err == nil || !strings.Contains(err.Error(), "from 1 to 8") {
			t.Errorf("%s: %v", text, err)
		}
	}
}
