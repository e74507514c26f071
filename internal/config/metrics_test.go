package config

import (
	"slices"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

func TestAWrongKeyOfMetricsIsToldWithItsLine(t *testing.T) {
	for text, want := range map[string]string{
		"metrics:\n  textfile: prom\n":                                  `:3: metrics.textfile: "prom" is not an absolute path`,
		"metrics:\n  textfil: /prom\n":                                  `:3: unknown key "textfil"`,
		"metrics:\n  cloudwatch:\n    region: eu-west-1\n":              ":3: metrics.cloudwatch.namespace: there is none",
		"metrics: {cloudwatch: {namespace: AWS/S3}}\n":                  `:2: metrics.cloudwatch.namespace: "AWS/S3" is not a namespace`,
		"metrics: {cloudwatch: {namespace: \"a\\nb\"}}\n":               `:2: metrics.cloudwatch.namespace: "a\nb" is not a namespace`,
		"metrics: {cloudwatch: {namespace: a, dimensions: {Job: x}}}\n": `:2: metrics.cloudwatch.dimensions: "Job": "x" is not a dimension`,
		"metrics: {cloudwatch: {namespace: a, credentials_file: x}}\n":  `:2: metrics.cloudwatch.credentials_file: "x" is not an absolute path`,
		"jobs: {a: {metrics: {textfile: /x}}}\n":                        `:2: unknown key "metrics"`,
	} {
		err := loadError(t, "s3: {bucket: company-backups}\n"+text)
		if fault.CodeOf(err) != fault.Config || !strings.Contains(err.Error(), want) || fault.Remedy(err) == "" {
			t.Errorf("%q: %v (%s)", text, err, fault.Remedy(err))
		}
	}
	err := loadError(t, "s3: {bucket: company-backups}\nmetrics: {pushgateway: \"u:canary@gw:9091\"}\n")
	if !strings.Contains(err.Error(), ":2: metrics.pushgateway: not a URL") || strings.Contains(err.Error(), "canary") {
		t.Error(err)
	}
	c, dir := loadWith(t, "s3: {bucket: company-backups}\nmetrics: {textfile: /var/lib/x}\njobs: {a: {}}\n", "", nil)
	if c.Metrics.Textfile != "/var/lib/x" {
		t.Errorf("%+v", c.Metrics)
	}
	for _, s := range c.Settings(c.Jobs[0]) {
		if s.Key == "metrics.textfile" && (s.Value != "/var/lib/x" || s.From != dir+"/config.yaml:2") {
			t.Errorf("%+v", s)
		}
	}
}

func TestAPasswordOfAGatewayIsASecretOfTheFile(t *testing.T) {
	for url, secret := range map[string]bool{"http://gw:9091": false, "https://u:canary@gw.example.com/push": true} {
		c, _ := loadWith(t, "s3: {bucket: company-backups}\nmetrics: {pushgateway: \""+url+"\"}\njobs: {a: {}}\n", "", nil)
		if got := slices.Contains(c.SecretFiles(c.Jobs[0]), c.File); got != secret {
			t.Errorf("%s: %v", url, got)
		}
		for _, s := range c.Settings(c.Jobs[0]) {
			if strings.Contains(s.Value, "canary") || s.Key == "metrics.pushgateway" && s.Value == "" {
				t.Errorf("%+v", s)
			}
		}
	}
}

func TestAWrongHeartbeatIsToldWithItsLineAndNotShown(t *testing.T) {
	for text, want := range map[string]string{
		"heartbeat: {url: canary}\n":                                         ":2: heartbeat.url: not a URL",
		"jobs:\n  a:\n    heartbeat: {url_file: x}\n":                        `:4: heartbeat.url_file: "x" is not an absolute path`,
		"heartbeat: {url: \"https://a.example.com/canary\", url_file: /x}\n": ":2: heartbeat: both url and url_file are given",
	} {
		err := loadError(t, "s3: {bucket: company-backups}\n"+text)
		if fault.CodeOf(err) != fault.Config || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%q: %v", text, err)
		}
	}
	own, _ := loadWith(t, "s3: {bucket: company-backups}\nheartbeat: {url: \"https://a.example.com/canary\"}\n"+
		"jobs: {a: {}, b: {heartbeat: {url_file: /x}}}\n", "", nil)
	if a, b := own.Jobs[0].Heartbeat, own.Jobs[1].Heartbeat; a.URL == "" || a.URLFile != "" || b.URL != "" || b.URLFile != "/x" {
		t.Errorf("%+v, %+v", a, b)
	}
	c, _ := loadWith(t, "s3: {bucket: company-backups}\njobs: {a: {heartbeat: {url: \"https://a.example.com/canary\"}}, b: {heartbeat: {url_file: /x}}}\n", "", nil)
	if got := c.SecretFiles(c.Jobs[0]); !slices.Equal(got, []string{c.File}) {
		t.Errorf("%q", got)
	}
	if got := c.SecretFiles(c.Jobs[1]); !slices.Equal(got, []string{"/x"}) {
		t.Errorf("%q", got)
	}
	for _, s := range c.Settings(c.Jobs[0]) {
		if strings.Contains(s.Value, "canary") {
			t.Errorf("%+v", s)
		}
	}
}

// loadError is why a file of this text is refused.
func loadError(t *testing.T, yaml string) error {
	t.Helper()
	_, err := load(t, yaml, nil)
	if err == nil {
		t.Fatalf("%q is taken", yaml)
	}
	return err
}

func TestAFileOfPricesHasAWholePathAtTheTop(t *testing.T) {
	for text, want := range map[string]string{
		"cost: {prices: prices.yaml}\n":     `:2: cost.prices: "prices.yaml" is not an absolute path`,
		"jobs: {a: {cost: {prices: /x}}}\n": `:2: unknown key "cost"`,
	} {
		if err := loadError(t, "s3: {bucket: company-backups}\n"+text); !strings.Contains(err.Error(), want) {
			t.Error(err)
		}
	}
	c, _ := loadWith(t, "s3: {bucket: company-backups}\ncost: {prices: /etc/pgbtui/prices.yaml}\njobs: {a: {}}\n", "", nil)
	if c.Cost.Prices != "/etc/pgbtui/prices.yaml" {
		t.Errorf("%+v", c.Cost)
	}
}
