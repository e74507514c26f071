package config

import (
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

func TestAWrongKeyOfMetricsIsToldWithItsLine(t *testing.T) {
	for text, want := range map[string]string{
		"metrics:\n  textfile: prom\n":           `:3: metrics.textfile: "prom" is not an absolute path`,
		"metrics:\n  textfil: /prom\n":           `:3: unknown key "textfil"`,
		"jobs: {a: {metrics: {textfile: /x}}}\n": `:2: unknown key "metrics"`,
	} {
		err := loadError(t, "s3: {bucket: company-backups}\n"+text)
		if fault.CodeOf(err) != fault.Config || !strings.Contains(err.Error(), want) || fault.Remedy(err) == "" {
			t.Errorf("%q: %v (%s)", text, err, fault.Remedy(err))
		}
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

// loadError is why a file of this text is refused.
func loadError(t *testing.T, yaml string) error {
	t.Helper()
	_, err := load(t, yaml, nil)
	if err == nil {
		t.Fatalf("%q is taken", yaml)
	}
	return err
}
