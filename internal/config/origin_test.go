package config

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// fileKeys are the keys of a type of the file; lists of sections count as one key.
func fileKeys(of reflect.Type, prefix string) (keys []string) {
	for i := range of.NumField() {
		field := of.Field(i)
		name, options, _ := strings.Cut(field.Tag.Get("yaml"), ",")
		switch {
		case options == "inline":
			keys = append(keys, fileKeys(field.Type, prefix)...)
		case field.Type.Kind() == reflect.Struct && field.Type != reflect.TypeFor[percent]() &&
			field.Type != reflect.TypeFor[jitter]():
			keys = append(keys, fileKeys(field.Type, prefix+name+".")...)
		case name != "jobs" && name != "clusters": // those have settings of their own
			keys = append(keys, prefix+name)
		}
	}
	return keys
}

func TestConfigShowKnowsEveryKeyOfTheFileAndOfTheReference(t *testing.T) {
	var rows []string
	for _, row := range settingRows() {
		rows = append(rows, row.key)
	}
	keys := fileKeys(reflect.TypeFor[fileRoot](), "")
	slices.Sort(rows)
	slices.Sort(keys)
	if !slices.Equal(rows, keys) {
		t.Errorf("shown are\n%q\nthe file has\n%q", rows, keys)
	}
	reference, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range keys {
		if !strings.Contains(string(reference), "\n| `"+key+"` |") {
			t.Errorf("docs/configuration.md has no row for %s", key)
		}
	}
}

// loadWith loads a file and an environment file, each of fixed text, with variables of the shell.
func loadWith(t *testing.T, yaml, envFile string, shell map[string]string) (*Config, string) {
	t.Helper()
	dir := t.TempDir()
	src := Source{
		File: filepath.Join(dir, "config.yaml"), EnvFile: filepath.Join(dir, "environment"), Hostname: "db1",
		Getenv: func(name string) string { return shell[name] },
	}
	for file, text := range map[string]string{src.File: yaml, src.EnvFile: envFile} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, err := Load(src)
	if err != nil {
		t.Fatal(err)
	}
	return c, dir
}

const origin = `s3: {bucket: company-backups, region: eu-central-1}
alert:
  slack_webhook: https://hooks.slack.com/s3cret
  channels: [{url: "ntfy://u:s3cret@ntfy.sh/t"}, {url_file: /etc/x, severity: critical}]
watch: {ping_url: https://hc-ping.com/s3cret}
keep: {days: 14}
jobs:
  shop:
    database: sales
    s3: {endpoint: "https://u:s3cret@store.example.com"}
    keep:
      weekly: 8
  odd: {}
`

func TestEachSettingSaysWhereItWasWritten(t *testing.T) {
	c, dir := loadWith(t, origin, "# ours\nBACKUP_DIR=/srv\nPGHOST=/run/pg\n",
		map[string]string{"RETENTION_DAYS": "3", "PGUSER": "ann", "SLACK_WEBHOOK_URL": "https://hooks.slack.com/s3cret2"})
	file, env := dir+"/config.yaml", dir+"/environment"
	for key, want := range map[string][2]string{ // of job shop
		"s3.bucket":           {"company-backups", file + ":1"},
		"s3.endpoint":         {"https://u:xxxxx@store.example.com", file + ":10"},
		"s3.prefix":           {"postgresql", "default"},
		"instance":            {"db1", "default"},
		"database":            {"sales", file + ":9"},
		"keep.days":           {"3", "environment variable RETENTION_DAYS"},
		"keep.weekly":         {"8", file + ":12"},
		"keep.min_good":       {"3", "default"},
		"spool_dir":           {"/srv", env + ":2 (BACKUP_DIR)"},
		"postgres.host":       {"/run/pg", env + ":3 (PGHOST)"},
		"postgres.user":       {"ann", "environment variable PGUSER"},
		"alert.slack_webhook": {Hidden, "environment variable SLACK_WEBHOOK_URL"},
		"alert.channels":      {"an address, which is a secret (warning), /etc/x (critical)", file + ":4"},
		"watch.ping_url":      {Hidden, file + ":5"},
		"connect_wait":        {"2m", "default"},
		"stall_after":         {"10m", "default"},
	} {
		job, err := c.Job("shop")
		if err != nil {
			t.Fatal(err)
		}
		found := slices.IndexFunc(c.Settings(job), func(s Setting) bool { return s.Key == key })
		if got := c.Settings(job)[found]; got.Value != want[0] || got.From != want[1] {
			t.Errorf("%s is %q from %q, want %q from %q", key, got.Value, got.From, want[0], want[1])
		}
	}
	for _, job := range c.Jobs {
		for _, s := range c.Settings(job) {
			if strings.Contains(s.Value, "s3cret") {
				t.Errorf("%s of job %s shows a secret: %s", s.Key, job.Name, s.Value)
			}
		}
	}
}

func TestOnlyAVariableThatDiffersFromWhatUnitsUseIsAnOverride(t *testing.T) {
	cases := []struct {
		name, yaml, envFile string
		shell               map[string]string
		want                string
	}{
		{name: "another bucket than the file's", yaml: "s3: {bucket: one}", shell: map[string]string{"S3_BUCKET": "two"}, want: `S3_BUCKET="two"`},
		{name: "the file's own bucket", yaml: "s3: {bucket: one}", shell: map[string]string{"S3_BUCKET": "one"}},
		{name: "a bucket that nothing else names", yaml: "label: x", shell: map[string]string{"S3_BUCKET": "two"}},
		{name: "another bucket than a job's", yaml: "jobs: {a: {s3: {bucket: one}}}", shell: map[string]string{"S3_BUCKET": "two"}, want: `s3.bucket "one"`},
		{name: "another than the units' environment", envFile: "S3_BUCKET=one", shell: map[string]string{"S3_BUCKET": "two"}, want: "environment:1"},
		{name: "the same as the units' environment, against the file", yaml: "s3: {bucket: one}", envFile: "S3_BUCKET=two", shell: map[string]string{"S3_BUCKET": "two"}},
		{name: "a rule of retention more", yaml: "{s3: {bucket: one}, keep: {weekly: 9}}", shell: map[string]string{"RETENTION_DAYS": "1"}, want: `RETENTION_DAYS="1"`},
		{name: "the second choice of two variables", yaml: "s3: {bucket: one, region: r}", shell: map[string]string{"AWS_REGION": "r", "AWS_DEFAULT_REGION": "q"}},
		{name: "a secret", yaml: "{s3: {bucket: one}, alert: {slack_webhook: 'https://a/s3cret'}}", shell: map[string]string{"SLACK_WEBHOOK_URL": "https://b/s3cret"}, want: "SLACK_WEBHOOK_URL=(set"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			loaded, _ := loadWith(t, c.yaml, c.envFile, c.shell)
			var said []string
			for _, o := range loaded.Overrides() {
				said = append(said, o.String())
			}
			got := strings.Join(said, "\n")
			if (c.want == "") != (got == "") || !strings.Contains(got, c.want) || strings.Contains(got, "s3cret") {
				t.Errorf("overrides are %q, want %q", got, c.want)
			}
		})
	}
}

func TestASettingThatAMergeBringsInHasALine(t *testing.T) {
	c, dir := loadWith(t, "jobs:\n  one: &one\n    s3: &store\n      bucket: one\n  two:\n    <<: *one\n    database: b\n", "", nil)
	job, err := c.Job("two")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range c.Settings(job) {
		if s.Key == "s3.bucket" && (s.Value != "one" || s.From != dir+"/config.yaml:4") {
			t.Errorf("%+v", s)
		}
	}
}
