package main

import (
	"bytes"
	"os"
	"regexp"
	"runtime"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/bounded"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
)

// `doctor --report`: one file to paste into a ticket. Rules: it holds the checks, the settings, and versions, and no
// row of a database; the secrets that this process can read are taken out by their values, and whatever looks like one
// by its form, since a store or a server may quote one that is not ours.

// looksSecret are forms of secrets: keys of AWS and age, private keys, webhooks, passwords in addresses.
var looksSecret = regexp.MustCompile(`\b(?:AKIA|ASIA)[A-Z0-9]{12,}\b` +
	`|AGE-SECRET-KEY-1[A-Z0-9]+` +
	`|(?s:-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$))` +
	`|https://hooks\.slack\.com/\S+` +
	`|\bBearer \S+`)

var passwordInAddress = regexp.MustCompile(`([a-z][a-z0-9+.-]*://)[^/\s:@]*:[^/\s@]+@`)

func redactAll(text string, secrets []string) string {
	text = printable.Redact(text, secrets...)
	text = looksSecret.ReplaceAllString(text, "[redacted]")
	return passwordInAddress.ReplaceAllString(text, "${1}[redacted]@")
}

// secrets are those that this process can read, to keep them out of a report.
func (o *doctorOptions) secrets(c *config.Config, jobs []config.Job) []string {
	var all []string
	for _, name := range []string{
		"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "PGPASSWORD", "SLACK_WEBHOOK_URL",
	} {
		all = append(all, o.env.getenv(name))
	}
	files := []string{c.EnvFile}
	for _, duty := range []duty{writer, prover, keeper, reader} {
		files = append(files, o.env.storeKey(duty))
	}
	for _, name := range []string{"database-password", "alert-urls", "age-identity", "signing-key"} {
		files = append(files, o.env.credential(name))
	}
	for _, job := range jobs {
		files = append(files, c.SecretFiles(job)...)
		for _, s := range c.Settings(job) {
			if s.Secret {
				all = append(all, s.Value)
			}
		}
	}
	for _, file := range files {
		if text, err := bounded.ReadFile(file, bounded.File); err == nil {
			all = append(all, valuesIn(string(text))...)
		}
	}
	return all
}

// valuesIn are the values of a file of secrets: what stands behind a =, or whole lines.
func valuesIn(text string) (values []string) {
	for _, line := range strings.Split(text, "\n") {
		_, value, named := strings.Cut(line, "=")
		if !named {
			value = line
		}
		if value = strings.Trim(strings.TrimSpace(value), `"'`); len(value) >= leastSecret && !strings.HasPrefix(value, "#") {
			values = append(values, value)
		}
	}
	return values
}

// leastSecret keeps "true" and "us-east-1" of such a file in the report.
const leastSecret = 12

// writeReport writes the file anew, for its owner alone to read.
func writeReport(file string, c *config.Config, jobs []config.Job, out jsonDoctor, secrets []string) error {
	var text bytes.Buffer
	say := sayTo(&text)
	say("pgbtui %s %s, %s/%s, bugs of PostgreSQL as of %s\n", version(), builtFrom(), runtime.GOOS, runtime.GOARCH,
		out.BugsOf)
	for _, name := range []string{"PRETTY_NAME", "VERSION_ID"} {
		say("%s\n", osRelease(name))
	}
	for i := range out.Reports {
		say("\n")
		writeFindings(&out.Reports[i], say)
	}
	for _, job := range jobs {
		say("\nsettings of job %s\n", printable.Text(job.Name))
		for _, s := range c.Settings(job) {
			if value := printable.Text(s.Value); s.Secret {
				say("  %s: (secret)\n", s.Key)
			} else {
				say("  %s: %s (%s)\n", s.Key, value, printable.Text(s.From))
			}
		}
	}
	body := redactAll(text.String(), secrets)
	if err := os.WriteFile(file, []byte(body), 0o600); err != nil {
		return fault.New(fault.Failed, "write the report", "Name a file that this user may write.", err)
	}
	return nil
}

// osRelease is a line of os-release(5), or "".
func osRelease(name string) string {
	text, err := bounded.ReadFile("/etc/os-release", bounded.File)
	if err != nil {
		return ""
	}
	for _, line := range strings.Split(string(text), "\n") {
		if strings.HasPrefix(line, name+"=") {
			return line
		}
	}
	return ""
}
