package supply

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// font is a change of font in the middle of a word: emphasis where a name has an underscore.
var font = regexp.MustCompile(`[A-Za-z0-9]\\f[IB][A-Za-z0-9]`)

func TestManualPagesAreWholeAndNamesInThemAreNames(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "go", "run", "-tags", "manpages", "./cmd/pgbtui", "manpages", dir)
	cmd.Dir = "../.."
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	pages, err := filepath.Glob(filepath.Join(dir, "*.[15]"))
	if err != nil || len(pages) < 20 {
		t.Fatalf("pages are %q, %v", pages, err)
	}
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		if bad := font.FindString(string(text)); bad != "" {
			t.Errorf("%s: emphasis within a word: %q", filepath.Base(page), bad)
		}
	}
	for page, wants := range map[string][]string{
		"pgbtui.1": {
			".SH COMMANDS", `\fBpgbtui restore\fP`, ".SH FILES", ".SH ENVIRONMENT", `\fBSLACK_WEBHOOK_URL\fP`, ".SH EXIT STATUS", "PostgreSQL, S3 or systemd cannot be reached",
		},
		"pgbtui.yaml.5": {
			`.TH "PGBTUI.YAML" "5"`, `\fBs3.expected_bucket_owner\fP`, `\fBspool_dir\fP`, `\fBRETENTION_DAYS\fP`, ".SH EXAMPLE",
		},
		"pgbtui-config-check.1": {
			"\n  s3:\n    bucket: company-backups     required\n", "RETENTION_DAYS",
		},
	} {
		text, err := os.ReadFile(filepath.Join(dir, page))
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range wants {
			if !strings.Contains(string(text), want) {
				t.Errorf("%s has no %q", page, want)
			}
		}
	}
}
