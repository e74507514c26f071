package config

import (
	"fmt"
	"path/filepath"
)

// Metrics says which monitoring systems are told of jobs, and how. It stands at the top of the file alone: one look
// of the watch is about all jobs.
type Metrics struct {
	Textfile string // directory that node_exporter reads; "": none
}

type fileMetrics struct {
	Textfile string `yaml:"textfile"`
}

func (l loader) metrics(f fileMetrics) (Metrics, error) {
	if f.Textfile != "" && !filepath.IsAbs(f.Textfile) {
		return Metrics{}, l.problem("", fmt.Sprintf("%q is not an absolute path", f.Textfile),
			"Give the directory's whole path, such as /var/lib/prometheus/node-exporter.", "metrics", "textfile")
	}
	return Metrics{Textfile: f.Textfile}, nil
}

func metricRows() []settingRow {
	return []settingRow{
		{key: "metrics.textfile", value: func(c *Config, _ Job) string { return c.Metrics.Textfile }, topOnly: true},
	}
}
