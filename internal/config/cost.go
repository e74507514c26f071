package config

import (
	"fmt"
	"path/filepath"
)

// Cost says by which prices costs are estimated. It stands at the top of the file alone.
type Cost struct {
	Prices string // file of prices; "": those that are built in
}

type fileCost struct {
	Prices string `yaml:"prices"`
}

func (l loader) cost(f fileCost) (Cost, error) {
	if f.Prices != "" && !filepath.IsAbs(f.Prices) {
		return Cost{}, l.problem("", fmt.Sprintf("%q is not an absolute path", f.Prices),
			"Give the file's whole path, such as /etc/pgbtui/prices.yaml.", "cost", "prices")
	}
	return Cost(f), nil
}
