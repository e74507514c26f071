package config

import (
	"fmt"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Warn says how far a database may shrink between backups before its set carries a warning.
// 0 switches a rule off.
type Warn struct {
	SizeDrop   int // percent of the data; default 50
	TablesDrop int // percent of the tables; default 20
}

type fileWarn struct {
	SizeDrop   percent `yaml:"size_drop"`
	TablesDrop percent `yaml:"tables_drop"`
}

func (f fileWarn) resolve() Warn {
	return Warn{SizeDrop: f.SizeDrop.or(50), TablesDrop: f.TablesDrop.or(20)}
}

// percent is written `50%` or `50`; 0 is not the same as none.
type percent struct {
	set   bool
	value int
}

func (p percent) or(otherwise int) int {
	if p.set {
		return p.value
	}
	return otherwise
}

func (p *percent) UnmarshalYAML(n *yaml.Node) error {
	v, err := strconv.Atoi(strings.TrimSuffix(n.Value, "%"))
	if err != nil || v < 0 || v > 99 {
		return fmt.Errorf("line %d: %q is not a percentage: write it like 50%%, at most 99%%; 0 switches the warning off",
			n.Line, n.Value)
	}
	*p = percent{true, v}
	return nil
}
