package config

import (
	"fmt"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// Compression is how hard dumps are compressed: a level of zstd from 1 to 19, or CompressionAuto.
type Compression int

// CompressionAuto lets each run adapt the level to what its host has left.
const CompressionAuto Compression = 0

const maxCompression = 19 // zstd's highest without --ultra

// String is as the file has it.
func (c Compression) String() string {
	if c == CompressionAuto {
		return "auto"
	}
	return strconv.Itoa(int(c))
}

// UnmarshalYAML reads what String writes.
func (c *Compression) UnmarshalYAML(n *yaml.Node) error {
	*c = CompressionAuto
	if n.Value == CompressionAuto.String() {
		return nil
	}
	level, err := strconv.Atoi(n.Value)
	if err != nil || level < 1 || level > maxCompression {
		return fmt.Errorf("line %d: compression is %q: write auto, or a level of zstd from 1 to %d", n.Line, n.Value,
			maxCompression)
	}
	*c = Compression(level)
	return nil
}
