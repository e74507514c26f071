package main

import (
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
)

// TestWhatAUnitHandsOverIsNeverAnOption runs what each template unit runs, with instances that look
// like options: "postgres-drill@--help.service" must not end as a drill that went well.
func TestWhatAUnitHandsOverIsNeverAnOption(t *testing.T) {
	files, err := systemd.Files(systemd.DefaultBinary)
	if err != nil {
		t.Fatal(err)
	}
	tried := 0
	for _, f := range files {
		name := filepath.Base(f.Path)
		for line := range strings.Lines(f.Text) {
			words := strings.Fields(line)
			// The name of a job stands behind an equals sign, which nothing can take for an option.
			if !strings.HasSuffix(name, "@.service") || strings.Contains(line, "--job=%I") {
				continue
			}
			if len(words) == 0 || !strings.HasPrefix(words[0], "ExecStart=:") {
				continue
			}
			for _, instance := range []string{"--help", "-h", "--version", "-"} {
				specifiers := strings.NewReplacer("%i", instance, "%I", instance, "%%", "%")
				argv := strings.Split(specifiers.Replace(strings.Join(words[1:], " ")), " ")
				cmd := exec.CommandContext(t.Context(), "pgbtui", argv...)
				cmd.Env = []string{"HOME=" + t.TempDir(), "S3_BUCKET=none", "AWS_ENDPOINT_URL=http://127.0.0.1:1"}
				out, err := cmd.CombinedOutput()
				tried++
				var exit *exec.ExitError
				if !errors.As(err, &exit) || fault.Code(exit.ExitCode()) != fault.Usage {
					t.Errorf("%s: pgbtui %q: %v\n%s", name, argv, err, out)
				}
			}
		}
	}
	if tried < 16 {
		t.Errorf("only %d commands were found", tried)
	}
}
