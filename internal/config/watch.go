package config

import "net/url"

// Watch is about the hourly look at everything.
type Watch struct {
	PingURL string // secret: called after a look that found nothing critical, so that somebody else notices its silence
	// TestAlerts is when a test is sent to every channel: OnCalendar= expressions; none: never.
	TestAlerts []string
}

type fileWatch struct {
	PingURL    string    `yaml:"ping_url"`
	TestAlerts calendars `yaml:"test_alerts"`
}

func (l loader) watch(f fileWatch) (Watch, error) {
	if f.PingURL != "" {
		if u, err := url.Parse(f.PingURL); err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
			return Watch{}, l.problem("", "not a URL (not shown, it is a secret)", "Write it as https://hc-ping.com/….",
				"watch", "ping_url")
		}
	}
	return Watch{PingURL: f.PingURL, TestAlerts: f.TestAlerts}, l.checkCalendars("", f.TestAlerts, "watch", "test_alerts")
}

// UnitName is what stands after the @ of the units that run a job, before escaping: "" is the
// plain unit, for the environment's single database.
func (c *Config) UnitName(j Job) string {
	if c.one() && !j.fromFile {
		return ""
	}
	return j.Name
}
