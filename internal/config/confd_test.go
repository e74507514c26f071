package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// loadFolder reads a configuration of several files; "config.yaml" may be missing among them.
func loadFolder(t *testing.T, files map[string]string) (*Config, string, error) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, err := loadDir(dir)
	return c, dir, err
}

func loadDir(dir string) (*Config, error) {
	return Load(Source{File: filepath.Join(dir, "config.yaml"), Getenv: func(string) string { return "" }, Hostname: "db1"})
}

func TestJobsStandInFilesOfTheirOwnToo(t *testing.T) {
	c, dir, err := loadFolder(t, map[string]string{
		"config.yaml":          "s3: {bucket: backups}\nkeep: {days: 30}\njobs: {shop: {}}\n",
		"conf.d/20-crm.yaml":   "jobs:\n  crm:\n    database: customers\n    keep: {days: 7}\n",
		"conf.d/10-none.yaml":  "# nothing yet\n",
		"conf.d/.hidden.yaml":  "not: [yaml",
		"conf.d/crm.yaml.bak":  "not: [yaml",
		"conf.d/30-more.yaml":  "jobs: {a: {}, b: {rpo: 2h}}\n",
		"conf.d/sub/deep.yaml": "not: [yaml",
	})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, j := range c.Jobs {
		names = append(names, j.Name)
		if j.S3.Bucket != "backups" {
			t.Errorf("%s is without what stands at the top", j.Name)
		}
	}
	if !slices.Equal(names, []string{"a", "b", "crm", "shop"}) {
		t.Fatalf("%q", names)
	}
	crm, _ := c.Job("crm")
	if crm.Keep.Days != 7 || crm.Database != "customers" {
		t.Errorf("%+v", crm)
	}
	from := map[string]string{}
	for _, s := range c.Settings(crm) {
		from[s.Key] = strings.TrimPrefix(s.From, dir+"/")
	}
	for key, want := range map[string]string{
		"database": "conf.d/20-crm.yaml:3", "keep.days": "conf.d/20-crm.yaml:4",
		"s3.bucket": "config.yaml:1", "rpo": FromDefault,
	} {
		if from[key] != want {
			t.Errorf("%s is from %q, want %q", key, from[key], want)
		}
	}
	if len(c.JobFiles) != 3 {
		t.Errorf("%q", c.JobFiles)
	}
	if _, err := c.Job("nobody"); err == nil || !strings.Contains(err.Error(), "conf.d") {
		t.Errorf("%v", err)
	}
}

func TestAFolderOfJobsNeedsNoConfigurationBesideIt(t *testing.T) {
	c, _, err := loadFolder(t, map[string]string{"conf.d/a.yaml": "jobs: {shop: {s3: {bucket: backups}}}\n"})
	if err != nil || c.File != "" || len(c.Jobs) != 1 {
		t.Fatalf("%+v, %v", c, err)
	}
}

func TestWhatIsWrongInAFileOfJobsIsToldWithItsPlace(t *testing.T) {
	const top = "s3: {bucket: backups}\njobs:\n  shop: {}\n"
	for name, c := range map[string]struct {
		files map[string]string
		want  []string
	}{
		"the same job twice": {
			map[string]string{"conf.d/b.yaml": "jobs:\n  crm: {}\n", "conf.d/a.yaml": "\njobs:\n  crm: {}\n"},
			[]string{`conf.d/b.yaml:2: job "crm" is also in `, "conf.d/a.yaml:3"},
		},
		"a job of the configuration": {
			map[string]string{"conf.d/a.yaml": "jobs: {shop: {}}\n"},
			[]string{`conf.d/a.yaml:1: job "shop" is also in `, "/config.yaml:3"},
		},
		"settings for all": {
			map[string]string{"conf.d/a.yaml": "keep: {days: 1}\n"},
			[]string{`conf.d/a.yaml:1: unknown key "keep"`, "settings for all jobs stand in"},
		},
		"an unknown key": {
			map[string]string{"conf.d/a.yaml": "jobs:\n  x:\n    databse: y\n"},
			[]string{`conf.d/a.yaml:3: unknown key "databse"`},
		},
		"a value that does not go": {
			map[string]string{"conf.d/a.yaml": "jobs:\n  x:\n    s3: {sse: best}\n"},
			[]string{`conf.d/a.yaml:3: s3.sse: "best" is not known`},
		},
		"a value of the top, seen by a job of another file": {
			map[string]string{"config.yaml": "s3:\n  bucket: UPPER\n", "conf.d/a.yaml": "jobs:\n  x: {}\n"},
			[]string{`config.yaml:2: s3.bucket: "UPPER"`},
		},
		"an empty rule": {
			map[string]string{"conf.d/a.yaml": "jobs:\n  x:\n    keep:\n      days:\n"},
			[]string{"conf.d/a.yaml:4: an empty value in keep"},
		},
		"two documents":    {map[string]string{"conf.d/a.yaml": "jobs: {}\n---\njobs: {}\n"}, []string{"a.yaml: more than one YAML document"}},
		"the other ending": {map[string]string{"conf.d/a.yml": "jobs: {x: {}}\n"}, []string{"conf.d/a.yml would not be read", "Rename it"}},
		"a folder":         {map[string]string{"conf.d/a.yaml/b": ""}, []string{"conf.d/a.yaml is no file"}},
	} {
		files := map[string]string{"config.yaml": top}
		for file, text := range c.files {
			files[file] = text
		}
		_, _, err := loadFolder(t, files)
		if fault.CodeOf(err) != fault.Config {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error()+" "+fault.Remedy(err), want) {
				t.Errorf("%s: %q (%s) does not say %q", name, err, fault.Remedy(err), want)
			}
		}
	}
}

func TestAFolderOfJobsThatAnybodyCanChangeIsRefused(t *testing.T) {
	_, dir, err := loadFolder(t, map[string]string{
		"config.yaml": "s3: {bucket: backups}\n", "conf.d/a.yaml": "jobs: {x: {}}\n",
	})
	if err != nil {
		t.Fatal(err)
	}
	jobs := filepath.Join(dir, "conf.d")
	for _, path := range []string{jobs, filepath.Join(jobs, "a.yaml")} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, info.Mode().Perm()|0o002); err != nil {
			t.Fatal(err)
		}
		if _, err := loadDir(dir); fault.CodeOf(err) != fault.Config || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", path, err)
		}
		if err := os.Chmod(path, info.Mode()); err != nil {
			t.Fatal(err)
		}
	}
	// What would block for ever, or leads nowhere, is told instead.
	for name, make := range map[string]func(string) error{
		"pipe.yaml": func(path string) error { return syscall.Mkfifo(path, 0o600) },
		"link.yaml": func(path string) error { return os.Symlink("/nowhere", path) },
	} {
		path := filepath.Join(jobs, name)
		if err := make(path); err != nil {
			t.Fatal(err)
		}
		if _, err := loadDir(dir); fault.CodeOf(err) != fault.Config || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", path, err)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAnAddressMakesTheFileThatHoldsItASecret(t *testing.T) {
	c, dir, err := loadFolder(t, map[string]string{
		"config.yaml":   "s3: {bucket: backups}\njobs: {a: {}}\n",
		"conf.d/b.yaml": "jobs: {b: {alert: {slack_webhook: https://hooks.slack.com/x}}}\n",
		"conf.d/c.yaml": "jobs: {c: {alert: {channels: [{url_file: /etc/url}]}}}\n",
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][]string{"a": {}, "b": {dir + "/conf.d/b.yaml"}, "c": {"/etc/url"}} {
		job, _ := c.Job(name)
		if got := c.SecretFiles(job); !slices.Equal(got, want) && len(got)+len(want) > 0 {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}
