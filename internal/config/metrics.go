package config

import (
	"fmt"
	"net/url"
	"path/filepath"
)

// Metrics says which monitoring systems are told of jobs, and how. It stands at the top of the file alone: one look
// of the watch is about all jobs.
type Metrics struct {
	Textfile    string // directory that node_exporter reads; "": none
	Pushgateway string // its URL, a secret where it holds a password; "": none
}

type fileMetrics struct {
	Textfile    string `yaml:"textfile"`
	Pushgateway string `yaml:"pushgateway"`
}

func (l loader) metrics(f fileMetrics) (Metrics, error) {
	if f.Textfile != "" && !filepath.IsAbs(f.Textfile) {
		return Metrics{}, l.problem("", fmt.Sprintf("%q is not an absolute path", f.Textfile),
			"Give the directory's whole path, such as /var/lib/prometheus/node-exporter.", "metrics", "textfile")
	}
	if f.Pushgateway != "" {
		if u, err := url.Parse(f.Pushgateway); err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
			return Metrics{}, l.problem("", "not a URL (not shown, it may hold a password)",
				"Write it as http://host:9091.", "metrics", "pushgateway")
		}
	}
	return Metrics{Textfile: f.Textfile, Pushgateway: f.Pushgateway}, nil
}

// secret reports whether an address here holds a password.
func (m Metrics) secret() bool {
	u, err := url.Parse(m.Pushgateway)
	return err == nil && u.User != nil
}

func metricRows() []settingRow {
	return []settingRow{
		{
			key: "metrics.pushgateway", topOnly: true,
			value: func(c *Config, _ Job) string { return withoutPassword(c.Metrics.Pushgateway) },
		},
		{key: "metrics.textfile", value: func(c *Config, _ Job) string { return c.Metrics.Textfile }, topOnly: true},
	}
}
