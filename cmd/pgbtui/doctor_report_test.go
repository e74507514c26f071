package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// A report is pasted into a ticket: whatever a store, a server or the configuration quotes, no secret is in it.
func TestAReportHasNoSecret(t *testing.T) {
	w := newWorld(t)
	const canary = "canary-0123456789-secret"
	config := filepath.Join(w.dir, "config.yaml")
	keys := filepath.Join(w.dir, "keys")
	writeText(t, keys, "[default]\naws_access_key_id = "+w.s3.AccessKey+"\naws_secret_access_key = "+w.s3.SecretKey+"\n")
	writeText(t, config, "s3: {credentials_file: "+keys+"}\nalert: {slack_webhook: https://hooks.slack.com/services/T0/B0/"+canary+"}\n"+
		"heartbeat: {url: https://hc-ping.com/"+canary+"}\n"+
		"jobs:\n  shop: {database: "+w.db+", postgres: {host: "+w.pg.Host+"}}\n")
	file := filepath.Join(w.dir, "report.txt")
	w.extra = append(w.extra, "PGPASSWORD=password-"+canary, "AWS_SESSION_TOKEN=")
	w.run(t, int(fault.Warnings), "doctor", "--config", config, "--report", file)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{canary, w.s3.AccessKey, w.s3.SecretKey} {
		if strings.Contains(string(text), secret) {
			t.Errorf("the report has %q", secret)
		}
	}
	for _, wanted := range []string{"bucket.versioning", "settings of job shop", "pgbtui "} {
		if !strings.Contains(string(text), wanted) {
			t.Errorf("the report lacks %q", wanted)
		}
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("others can read it: %v, %v", info.Mode(), err)
	}
}

func TestWhatLooksLikeASecretIsTakenOutOfAReport(t *testing.T) {
	for _, secret := range []string{
		"AKIAIOSFODNN7EXAMPLE", "AGE-SECRET-KEY-1QQPQ", "https://hooks.slack.com/services/T/B/x", "Bearer abc.def",
		"-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQ\n-----END PRIVATE KEY-----", "postgres://u:hunter2@host/db", "mine-to-keep",
	} {
		got := redactAll("before "+secret+" after", []string{"mine-to-keep"})
		if strings.Contains(got, "hunter2") || strings.Contains(got, "MC4C") || strings.Contains(got, secret) {
			t.Errorf("%q", got)
		}
		if !strings.HasPrefix(got, "before ") || !strings.HasSuffix(got, " after") {
			t.Errorf("more than the secret is gone: %q", got)
		}
	}
}

func writeText(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
