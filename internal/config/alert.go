package config

import (
	"cmp"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"time"
)

// Severities of what is told, and the least one that a channel takes.
const (
	SeverityWarning  = "warning"
	SeverityCritical = "critical"
)

// Alert says where incidents are told besides the journal.
type Alert struct {
	SlackWebhook string // secret
	Channels     []Channel
	Remind       time.Duration // between reminders of an open incident; default 24h
}

// Channel is one place to tell: the address itself, or a file that holds it. Both are secrets.
type Channel struct {
	URL      string
	URLFile  string
	Severity string // the least that is told there; default SeverityWarning, that is everything
}

type fileAlert struct {
	SlackWebhook string        `yaml:"slack_webhook"`
	Channels     []fileChannel `yaml:"channels"`
	Remind       duration      `yaml:"remind"`
}

type fileChannel struct {
	URL      string `yaml:"url"`
	URLFile  string `yaml:"url_file"`
	Severity string `yaml:"severity"`
}

func (l loader) alert(f fileAlert) Alert {
	a := Alert{
		SlackWebhook: cmp.Or(l.env("SLACK_WEBHOOK_URL"), f.SlackWebhook),
		Remind:       time.Duration(cmp.Or(f.Remind, duration(24*time.Hour))),
	}
	for _, c := range f.Channels {
		a.Channels = append(a.Channels,
			Channel{URL: c.URL, URLFile: c.URLFile, Severity: cmp.Or(c.Severity, SeverityWarning)})
	}
	return a
}

// checkAlert never shows an address.
func (l loader) checkAlert(name string, a Alert) error {
	if hook := a.SlackWebhook; hook != "" {
		u, err := url.Parse(hook)
		if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
			return l.problem(name, "not a URL (not shown, it is a secret)", "Write it as https://hooks.slack.com/….", "alert",
				"slack_webhook")
		}
	}
	for i, c := range a.Channels {
		if what, remedy := c.problem(); what != "" {
			return l.problem(name, fmt.Sprintf("channel %d: %s", i+1, what), remedy, "alert", "channels")
		}
	}
	return nil
}

func (c Channel) problem() (what, remedy string) {
	severities := []string{SeverityWarning, SeverityCritical}
	switch u, err := url.Parse(c.URL); {
	case (c.URL == "") == (c.URLFile == ""):
		return "wants either url or url_file", "Give one of the two."
	case c.URLFile != "" && !filepath.IsAbs(c.URLFile):
		return fmt.Sprintf("url_file %q is not an absolute path", c.URLFile), "Give the whole path of the file, from / on."
	case c.URL != "" && (err != nil || u.Scheme == ""):
		return "not a URL (not shown, it is a secret)", "Write it like ntfy://ntfy.sh/topic or " +
			"https://hooks.slack.com/…; docs/alerts.md#channels lists the kinds."
	case !slices.Contains(severities, c.Severity):
		return fmt.Sprintf("severity %q is not known", c.Severity), "Choose warning or critical."
	}
	return "", ""
}
