package config

import (
	"fmt"
	"net/url"
	"path/filepath"
)

// Heartbeat is the address that is called when a run starts and ends: itself, or a file that holds it. Both are
// secrets.
type Heartbeat struct {
	URL     string
	URLFile string
}

// On reports whether there is one.
func (h Heartbeat) On() bool { return h.URL+h.URLFile != "" }

type fileHeartbeat struct {
	URL     string `yaml:"url"`
	URLFile string `yaml:"url_file"`
}

// heartbeat is a job's: what it says itself, in either way, takes the place of what stands at the top.
func (l loader) heartbeat(job string, f fileHeartbeat) Heartbeat {
	h := Heartbeat(f)
	holder := documentOf(l.documents(), job)
	if job == "" || holder == nil {
		return h
	}
	says := func(key string) bool { return holder.node("jobs", job, "heartbeat", key) != nil }
	switch {
	case says("url") && !says("url_file"):
		h.URLFile = ""
	case says("url_file") && !says("url"):
		h.URL = ""
	}
	return h
}

// checkHeartbeat never shows an address.
func (l loader) checkHeartbeat(name string, h Heartbeat) error {
	u, err := url.Parse(h.URL)
	switch {
	case h.URL != "" && h.URLFile != "":
		return l.problem(name, "both url and url_file are given", "Give one of the two.", "heartbeat")
	case h.URL != "" && (err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http")):
		return l.problem(name, "not a URL (not shown, it is a secret)", "Write it as https://hc-ping.com/….", "heartbeat",
			"url")
	case h.URLFile != "" && !filepath.IsAbs(h.URLFile):
		return l.problem(name, fmt.Sprintf("%q is not an absolute path", h.URLFile),
			"Give the whole path of the file, from / on.",
			"heartbeat", "url_file")
	}
	return nil
}

func heartbeatRows() []settingRow {
	return []settingRow{
		{key: "heartbeat.url", value: ofJob(func(j Job) string { return j.Heartbeat.URL }), secret: true},
		{key: "heartbeat.url_file", value: ofJob(func(j Job) string { return j.Heartbeat.URLFile })},
	}
}
