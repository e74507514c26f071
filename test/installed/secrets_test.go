package installed

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// canaries are what must not be found; the webhook also by its last part alone.
func canaries() []string {
	return []string{accessKey, secretKey, webhookPath, "webhookcanary", writerKey, writerSecret}
}

// hidesSecretsFromOtherUsers looks at every command line and at pg_dump's environment while a run
// goes on. The store's own command line holds the keys: it is no part of pgbtui.
func (h *host) hidesSecretsFromOtherUsers(t *testing.T) {
	t.Helper()
	lines := h.root(t, "sh", "-c", `for p in /proc/[0-9]*; do case $(cat $p/comm 2>/dev/null) in s3server) ;; *) tr '\0' ' ' <$p/cmdline; echo;; esac; done 2>/dev/null`)
	if !strings.Contains(lines, "pgbtui --headless --job=production") || !strings.Contains(lines, "pg_dump") {
		t.Errorf("the run is not among the processes:\n%s", lines)
	}
	environment := h.root(t, "sh", "-c", `for p in $(pgrep -x pg_dump); do tr '\0' '\n' </proc/$p/environ; done`)
	for _, canary := range canaries() {
		if strings.Contains(lines, canary) {
			t.Errorf("%s is in a command line:\n%s", canary, lines)
		}
		if strings.Contains(environment, canary) {
			t.Errorf("%s is in pg_dump's environment:\n%s", canary, environment)
		}
	}
	for _, name := range []string{"AWS_", "NOTIFY_SOCKET", "SLACK_"} {
		if strings.Contains(environment, name) {
			t.Errorf("pg_dump's environment holds %s:\n%s", name, environment)
		}
	}
}

// keepsSecrets is for the end: everything that was logged, and everything that was stored.
func (h *host) keepsSecrets(t *testing.T) {
	journal := h.root(t, "journalctl", "--no-pager", "--all", "-o", "export")
	for _, canary := range canaries() {
		if at := strings.Index(journal, canary); at >= 0 {
			t.Errorf("%s is in the journal: …%s…", canary, journal[max(0, at-200):min(len(journal), at+200)])
		}
	}
	files, err := filepath.Glob(h.store("*/*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d objects, %v", len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, canary := range canaries() {
			if bytes.Contains(text, []byte(canary)) {
				t.Errorf("%s is in the bucket: %s", canary, file)
			}
		}
	}
}
