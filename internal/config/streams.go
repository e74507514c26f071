package config

import (
	"fmt"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// Streams is in how many streams at once a job dumps: 1 to MaxStreams, or StreamsAuto.
type Streams int

// StreamsAuto has several for large databases, on hosts with the cores for it.
const StreamsAuto Streams = 0

// MaxStreams is the most that a dump has: each is a session of its own, and a core of the server.
const MaxStreams = 8

// String is as the file has it.
func (s Streams) String() string {
	if s == StreamsAuto {
		return "auto"
	}
	return strconv.Itoa(int(s))
}

// ParseStreams reads what String writes.
func ParseStreams(text string) (Streams, error) {
	if text == StreamsAuto.String() {
		return StreamsAuto, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > MaxStreams {
		return 0, fmt.Errorf("streams is %q: write auto, or a number from 1 to %d", text, MaxStreams)
	}
	return Streams(n), nil
}

// UnmarshalYAML reads what String writes.
func (s *Streams) UnmarshalYAML(n *yaml.Node) (err error) {
	if *s, err = ParseStreams(n.Value); err != nil {
		return fmt.Errorf("line %d: %w", n.Line, err)
	}
	return nil
}
