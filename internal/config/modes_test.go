package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

func TestWhatAnybodyCanWriteIsNoConfiguration(t *testing.T) {
	dir := t.TempDir()
	file, env := filepath.Join(dir, "config.yaml"), filepath.Join(dir, "environment")
	for path, text := range map[string]string{file: "s3: {bucket: backups}\n", env: "DB_NAME=sales\n"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	src := Source{File: file, EnvFile: env, Getenv: func(string) string { return "" }}
	for _, bad := range []string{file, env} {
		for mode, refused := range map[os.FileMode]bool{0o640: false, 0o644: false, 0o664: false, 0o646: true, 0o666: true, 0o602: true} {
			if err := os.Chmod(bad, mode); err != nil { // past the umask
				t.Fatal(err)
			}
			_, err := Load(src)
			if refused != (fault.CodeOf(err) == fault.Config) || refused && (!strings.Contains(err.Error(), "anybody can write "+bad) || fault.Remedy(err) == "") {
				t.Errorf("%s with mode %04o: %v", bad, mode, err)
			}
		}
		if err := os.Chmod(bad, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFilesOfSecretsAreKnown(t *testing.T) {
	for text, want := range map[string][]string{
		"s3: {bucket: backups}\ndatabase: x\n":                                       nil,
		"s3: {bucket: backups, credentials_file: /a}\ndatabase: x\n":                 {"/a"},
		"s3: {bucket: backups}\nencryption: {identity_file: /b}\ndatabase: x\n":      {"/b"},
		"s3: {bucket: backups}\nalert: {channels: [{url_file: /c}]}\ndatabase: x\n":  {"/c"},
		"s3: {bucket: backups}\nalert: {channels: [{url: ntfy://h/t}]}\ndatabase: x": {"config.yaml"},
		"s3: {bucket: backups}\nwatch: {ping_url: https://h/x}\ndatabase: x\n":       {"config.yaml"},
	} {
		c, err := load(t, text, nil)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range c.SecretFiles(c.Jobs[0]) {
			if f == c.File {
				f = "config.yaml"
			}
			got = append(got, f)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// A secret is where it stands: the address that comes from the environment makes no secret of the file.
func TestAnAddressInTheEnvironmentMakesTheFileNoSecret(t *testing.T) {
	const text = "s3: {bucket: backups}\ndatabase: x\n"
	c, err := load(t, text, map[string]string{"SLACK_WEBHOOK_URL": "https://hooks.slack.com/x"})
	if err != nil || c.Jobs[0].Alert.SlackWebhook == "" {
		t.Fatal(err)
	}
	if files := c.SecretFiles(c.Jobs[0]); len(files) > 0 {
		t.Errorf("%q", files)
	}

	dir := t.TempDir()
	file, env := filepath.Join(dir, "config.yaml"), filepath.Join(dir, "environment")
	for path, text := range map[string]string{file: text, env: "SLACK_WEBHOOK_URL=https://hooks.slack.com/x\nAWS_SECRET_ACCESS_KEY=x\n"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if c, err = Load(Source{File: file, EnvFile: env, Getenv: func(string) string { return "" }}); err != nil {
		t.Fatal(err)
	}
	if files := c.SecretFiles(c.Jobs[0]); !slices.Equal(files, []string{env}) {
		t.Errorf("%q", files)
	}
	if !slices.Equal(c.EnvSecrets, []string{"AWS_SECRET_ACCESS_KEY", "SLACK_WEBHOOK_URL"}) {
		t.Errorf("%q", c.EnvSecrets)
	}
}
