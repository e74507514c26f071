package setup

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Settled are answers that were tried, in the terms of the configuration.
type Settled struct {
	Host, Port, User string // "" as in the configuration
	Databases        []string
	Exclude          []string // those that are there and were not chosen
	Bucket           string
	Prefix           string // "" is the default
	Region           string
	Endpoint         string
	StorageClass     string
	Recipients       []string
	KeepDays         int
	ByTimer          bool     // the backups' key may not delete
	DrillByHand      bool     // this host cannot drill
	Schedule         []string // empty is the installed timer's
	Jitter           string
	Label            string
}

// The shape of what is written, in the order in which people read it.
type fileShape struct {
	Label      string              `yaml:"label,omitempty"`
	Postgres   *filePostgres       `yaml:"postgres,omitempty"`
	S3         fileStore           `yaml:"s3"`
	Encryption *fileEncryption     `yaml:"encryption,omitempty"`
	Keep       *fileKeep           `yaml:"keep,omitempty"`
	Drill      *fileDrill          `yaml:"drill,omitempty"`
	Exclude    []string            `yaml:"exclude,omitempty,flow"`
	Jobs       map[string]*fileJob `yaml:"jobs"`
}

type filePostgres struct {
	Host string `yaml:"host,omitempty"`
	Port string `yaml:"port,omitempty"`
	User string `yaml:"user,omitempty"`
}

type fileStore struct {
	Bucket       string `yaml:"bucket"`
	Prefix       string `yaml:"prefix,omitempty"`
	Region       string `yaml:"region,omitempty"`
	Endpoint     string `yaml:"endpoint,omitempty"`
	StorageClass string `yaml:"storage_class,omitempty"`
}

type fileEncryption struct {
	Recipients []string `yaml:"recipients"`
}

type fileKeep struct {
	Days    int    `yaml:"days"`
	MinGood int    `yaml:"min_good"`
	By      string `yaml:"by,omitempty"`
}

type fileDrill struct {
	By string `yaml:"by"`
}

type fileJob struct {
	Database  string   `yaml:"database,omitempty"`
	Databases []string `yaml:"databases,omitempty,flow"`
	Schedule  []string `yaml:"schedule,omitempty,flow"`
	Jitter    string   `yaml:"jitter,omitempty"`
}

// minGood good sets stay, whatever their age.
const minGood = 3

// FirstLine begins what Config writes.
const FirstLine = `# Written by "pgbtui init", which never writes it again: edit it as you like.`

// Config is the text of the configuration.
func Config(s Settled) (string, error) {
	file := fileShape{
		Label: s.Label, Exclude: s.Exclude,
		S3: fileStore{
			Bucket: s.Bucket, Prefix: s.Prefix, Region: s.Region, Endpoint: s.Endpoint, StorageClass: s.StorageClass,
		},
		Jobs: map[string]*fileJob{},
	}
	if s.Host != "" || s.Port != "" || s.User != "" {
		file.Postgres = &filePostgres{Host: s.Host, Port: s.Port, User: s.User}
	}
	if len(s.Recipients) > 0 {
		file.Encryption = &fileEncryption{Recipients: s.Recipients}
	}
	if s.KeepDays > 0 {
		file.Keep = &fileKeep{Days: s.KeepDays, MinGood: minGood}
		if s.ByTimer {
			file.Keep.By = "timer"
		}
	}
	if s.DrillByHand {
		file.Drill = &fileDrill{By: "hand"}
	}
	job := &fileJob{Schedule: s.Schedule, Jitter: s.Jitter}
	name := JobName(s.Databases)
	if len(s.Databases) == 1 && name == s.Databases[0] {
		job.Database = name
	} else {
		job.Databases = s.Databases
	}
	file.Jobs[name] = job
	var text bytes.Buffer
	encoder := yaml.NewEncoder(&text)
	encoder.SetIndent(2)
	if err := encoder.Encode(file); err != nil {
		return "", fmt.Errorf("setup: write the configuration: %w", err)
	}
	return FirstLine + "\n# docs/configuration.md has every key; pgbtui config check tries them.\n" + text.String(), nil
}

// allJob is the job of several databases.
const allJob = "all"

// JobName is the name of the one job: its database's, or that of a job of several.
func JobName(databases []string) string {
	if len(databases) == 1 && !strings.Contains(databases[0], "*") {
		return databases[0]
	}
	return allJob
}

// Every reports whether databases are all that the server has, now and later.
func Every(databases []string) bool { return slices.Contains(databases, EveryOne) }
