package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

func load(t testing.TB, yaml string, env map[string]string) (*Config, error) {
	t.Helper()
	src := Source{Getenv: func(k string) string { return env[k] }, Hostname: "db1.example.com"}
	if yaml != "" {
		src.File = filepath.Join(t.TempDir(), "config.yaml")
		if err := os.WriteFile(src.File, []byte(yaml), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return Load(src)
}

func TestTheArticlesEnvironmentAloneIsAConfiguration(t *testing.T) {
	c, err := load(t, "", map[string]string{
		"DB_NAME": "production", "DB_USER": "backup", "BACKUP_DIR": "/tmp/pg_backups",
		"S3_BUCKET": "my-company-db-backups", "AWS_REGION": "us-east-1", "RETENTION_DAYS": "30",
	})
	if err != nil {
		t.Fatal(err)
	}
	j, err := c.Job("")
	if err != nil {
		t.Fatal(err)
	}
	if j.Name != "production" || j.Database != "production" || j.Instance != "db1" || j.Postgres.User != "backup" ||
		j.S3.Bucket != "my-company-db-backups" || j.S3.Region != "us-east-1" || j.S3.Prefix != "postgresql" ||
		j.Keep != (Keep{Days: 30, MinGood: 3, By: PruneByBackup}) || j.SpoolDir != "/tmp/pg_backups" || j.S3.SSE != "AES256" {
		t.Fatalf("%+v", j)
	}
}

const twoJobs = `
label: production
s3: {bucket: company-backups, region: eu-central-1}
keep: {days: 14, weekly: 8}
stall_after: 90s
jobs:
  shop:
    database: "sales_20200101"
    keep: {min_good: 7, days: 2, by: timer}
  odd:
    database: "a\"b\n数据库"
    rpo: 7d
`

func TestJobsInheritTheTopLevelAndOverrideIt(t *testing.T) {
	c, err := load(t, twoJobs, nil)
	if err != nil {
		t.Fatal(err)
	}
	shop, err := c.Job("shop")
	if err != nil {
		t.Fatal(err)
	}
	if shop.Database != "sales_20200101" || shop.Keep != (Keep{Days: 2, Weekly: 8, MinGood: 7, By: PruneByTimer}) || shop.StallAfter != 90*time.Second {
		t.Fatalf("%+v", shop)
	}
	odd, err := c.Job("odd")
	if err != nil || odd.Database != "a\"b\n数据库" || odd.RPO != 7*24*time.Hour || odd.Keep != (Keep{Days: 14, Weekly: 8, MinGood: 3, By: PruneByBackup}) {
		t.Fatalf("%+v, %v", odd, err)
	}
	if _, err := c.Job("nope"); fault.CodeOf(err) != fault.Config || !strings.Contains(err.Error(), `"odd", "shop"`) {
		t.Fatalf("unknown job: %v", err)
	}
	if _, err := c.Job(""); fault.CodeOf(err) != fault.Usage {
		t.Fatalf("no job chosen: %v", err)
	}
}

func TestATemplateInstanceWithoutASectionIsADatabase(t *testing.T) {
	c, err := load(t, "", map[string]string{"S3_BUCKET": "company", "DB_NAME": "production"})
	if err != nil {
		t.Fatal(err)
	}
	j, err := c.Job("analytics")
	if err != nil || j.Database != "analytics" || j.S3.Bucket != "company" {
		t.Fatalf("DB_NAME must not redirect a named job: %+v, %v", j, err)
	}
}

func TestBadConfigurationNamesTheFileTheLineAndTheRemedy(t *testing.T) {
	for name, tc := range map[string]struct{ yaml, want string }{
		"unknown key":        {"s3: {bucket: abc}\nretension:\n  days: 3\n", `:2: unknown key "retension"`},
		"unknown key in job": {"s3: {bucket: abc}\njobs:\n  a:\n    databse: x\n", `:4: unknown key "databse"`},
		"missing bucket":     {"label: x\n", "s3.bucket: no bucket"},
		"bucket as URL":      {"s3:\n  bucket: s3://abc/x\n", `:2: s3.bucket: "s3://abc/x"`},
		"unknown sse":        {"s3:\n  bucket: abc\n  sse: rot13\n", ":3: s3.sse"},
		"an account's name":  {"s3:\n  bucket: abc\n  expected_bucket_owner: company\n", ":3: s3.expected_bucket_owner: \"company\""},
		"short account":      {"s3: {bucket: abc}\njobs:\n  a:\n    s3: {expected_bucket_owner: 12345678901}\n", ":4: s3.expected_bucket_owner"},
		"too few parts":      {"s3:\n  bucket: abc\n  max_parts: 10\n", ":3: s3.max_parts: 10 is not a number of parts"},
		"bad duration":       {"s3: {bucket: abc}\nrpo: yesterday\n", `:2: "yesterday" is not a duration`},
		"a private key":      {"s3: {bucket: abc}\nencryption:\n  recipients: [AGE-SECRET-KEY-1XYZ]\n", ":3: encryption.recipients"},
		"two documents":      {"s3: {bucket: abc}\n---\nlabel: x\n", "more than one YAML document"},
		"not YAML":           {"s3: {bucket\n", ": "},
		"secret webhook":     {"s3: {bucket: abc}\nalert: {slack_webhook: hunter2}\n", "alert.slack_webhook"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := load(t, tc.yaml, nil)
			if fault.CodeOf(err) != fault.Config || !strings.Contains(err.Error(), tc.want) {
				t.Fatalf("error %v does not say %q", err, tc.want)
			}
			if strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "KEY-1XYZ") {
				t.Fatalf("secret shown: %v", err)
			}
		})
	}
}

// YAML would read it as a number, and an octal one at that.
func TestAnAccountKeepsItsZeros(t *testing.T) {
	c, err := load(t, "s3: {bucket: abc, expected_bucket_owner: 001234567012}\ndatabase: x\n", nil)
	if err != nil || c.Jobs[0].S3.ExpectedOwner != "001234567012" {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestRetentionDaysFromTheEnvironmentMustBePositive(t *testing.T) {
	for _, bad := range []string{"0", "-1", "thirty", "1.5", "99999999999999999999"} {
		_, err := load(t, "", map[string]string{"S3_BUCKET": "abc", "DB_NAME": "x", "RETENTION_DAYS": bad})
		if fault.CodeOf(err) != fault.Config {
			t.Errorf("RETENTION_DAYS=%s: %v", bad, err)
		}
	}
}

func TestAnExplicitFileMustExist(t *testing.T) {
	_, err := Load(Source{File: "/nonexistent/c.yaml", Explicit: true, Getenv: func(string) string { return "" }})
	if fault.CodeOf(err) != fault.Config {
		t.Fatal(err)
	}
}

func TestTheEnvironmentFileIsReadAndTheProcessEnvironmentWins(t *testing.T) {
	file := filepath.Join(t.TempDir(), "environment")
	text := "# from the old unit\nDB_NAME=\"production\"\nS3_BUCKET=from-file\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"S3_BUCKET": "from-process"}
	c, err := Load(Source{EnvFile: file, Getenv: func(k string) string { return env[k] }})
	if err != nil || c.Jobs[0].Database != "production" || c.Jobs[0].S3.Bucket != "from-process" {
		t.Fatalf("%+v, %v", c, err)
	}
}

// everySection has a key of each section, for the fuzzer to start from.
const everySection = `label: x
read_only: true
instance: db1
s3:
  {bucket: abc, region: eu-central-1, prefix: a/b, endpoint: "https://s3.example", path_style: true, sse: AES256, storage_class: STANDARD_IA,
   expected_bucket_owner: "123456789012", max_parts: 1000, equal_parts: true, bandwidth: 30 MB/s, object_lock: {days: 7, mode: governance}, transition: {class: GLACIER, days: 90}}
postgres: {host: /run/postgresql, port: "5432", user: pgbtui}
encryption: {recipients: [age1ql0fdr57u75dw07pdzz9p9kc3xzzjmtrwt7w6tmyq9lyuchswv7s7a3gt6], identity_file: /k}
keep: {last: 3, days: 30, daily: 7, weekly: 4, monthly: 12, yearly: 3, min_good: 3, by: timer}
warn: {size_drop: 50%, tables_drop: 10%}
alert: {remind: 12h, channels: [{url: "ntfy://ntfy.sh/x", severity: critical}, {url_file: /u}]}
watch: {ping_url: "https://hc.example/x"}
signing: {key_file: /k, public_keys: [MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=]}
copies: [{name: other, s3: {bucket: def, region: eu-west-1, sse: "aws:kms", kms_key_id: alias/x}, keep: {days: 9, min_good: 2}, verify: true, late_after: 2d}]
drill: {by: hand, amcheck: true, expect: [{sql: "SELECT 1", result: "1"}]}
rpo: 26h
stall_after: 10m
jobs: {a: {database: a, keep: {days: 1}}, b: null}
`

func FuzzAFileIsAConfigurationOrAnErrorWithCode78(f *testing.F) {
	f.Add([]byte(twoJobs))
	f.Add([]byte("jobs: {a: null}\ns3: {bucket: abc}\n"))
	f.Add([]byte("jobs: [1]\n"))
	f.Add([]byte(everySection))
	load := func(raw []byte) error {
		doc, err := parseDocument("c.yaml", raw)
		if err == nil {
			_, err = loader{doc: doc, env: func(string) string { return "" }, hostname: "h"}.load()
		}
		return err
	}
	if err := load([]byte(everySection)); err != nil {
		f.Fatal(err)
	}
	top, err := parseDocument("c.yaml", []byte("s3: {bucket: backups}\n"))
	if err != nil {
		f.Fatal(err)
	}
	beside := func(raw []byte) error { // the same text as a file of jobs
		doc, err := parseJobFile("conf.d/a.yaml", raw)
		if err == nil {
			l := loader{doc: top, beside: []*document{doc}, env: func(string) string { return "" }, hostname: "h"}
			_, err = l.load()
		}
		return err
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, err := range []error{load(raw), beside(raw)} {
			if err != nil && fault.CodeOf(err) != fault.Config {
				t.Fatalf("code %d: %v", fault.CodeOf(err), err)
			}
		}
	})
}

func FuzzAnEnvironmentFileIsVariablesOrAnErrorWithCode78(f *testing.F) {
	for _, seed := range []string{"", "A=b", "# c\n; d\nDB_NAME='a b'\n", "no equals", "=x", "A B=c", "A=\"", "A='\"", "PGPASSWORD=x=y\r\n", "\x00=\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		vars, err := parseEnvFile("pgbtui.env", text)
		if err != nil && fault.CodeOf(err) != fault.Config {
			t.Fatalf("code %d: %v", fault.CodeOf(err), err)
		}
		for name, set := range vars {
			value := set.value
			if name == "" || strings.ContainsAny(name+value, "\n") || strings.ContainsAny(name, "= \t") || !strings.Contains(text, value) {
				t.Fatalf("%q=%q out of %q", name, value, text)
			}
		}
	})
}
