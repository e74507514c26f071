// Package setup is what a new host is asked: the answers, where they come from, and the configuration that they make.
//
// Rules: answers hold no secret, only the names of files that do; whatever is wrong with one is told with the name by
// which it was given.
package setup

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"codeberg.org/pgbtui/pgbtui/internal/bounded"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// Answers are those to the questions of `pgbtui init`, as a file of answers has them. What is empty was not answered.
type Answers struct {
	Server       string   `yaml:"server"`        // "local", a port, a socket folder, or a host with or without port
	PasswordFile string   `yaml:"password_file"` // of the backups' role, where the server asks for a password
	Databases    []string `yaml:"-"`             // names and patterns; a text or a list
	Bucket       string   `yaml:"bucket"`        // "bucket", "bucket/prefix", with or without s3://
	Region       string   `yaml:"region"`
	Endpoint     string   `yaml:"endpoint"` // URL of a store that is not AWS
	KeyFile      string   `yaml:"key_file"` // format of ~/.aws/credentials; Role: the instance's
	StorageClass string   `yaml:"storage_class"`
	Encryption   string   `yaml:"encryption"` // NoEncryption, NewKey, or age public keys between blanks
	KeepDays     string   `yaml:"keep_days"`  // a number; KeepAll: nothing is ever deleted
	Schedule     string   `yaml:"schedule"`   // calendars of systemd, between semicolons
	Label        string   `yaml:"label"`
}

// Answers that stand for something.
const (
	Local        = "local"
	EveryOne     = "*"
	Role         = "role"
	NoEncryption = "none"
	NewKey       = "new"
	KeepAll      = "all"
)

// Defaults are taken where nobody answers.
var defaults = Answers{
	Server: Local, Databases: []string{EveryOne}, Encryption: NoEncryption, KeepDays: "30", Schedule: "*-*-* 02:00:00 UTC",
}

// Defaults are the answers that most hosts give.
func Defaults() Answers {
	d := defaults
	d.Databases = slices.Clone(d.Databases)
	return d
}

// Read reads a file of answers.
func Read(file string) (Answers, error) {
	what := "setup: read the answers in " + file
	text, err := bounded.ReadFile(file, bounded.File)
	if err != nil {
		return Answers{}, fault.New(fault.Usage, what, "Correct the path.", err)
	}
	a, err := parse(text)
	if err != nil {
		return Answers{}, fault.New(fault.Usage, what, "`pgbtui init --help` lists the answers.", err)
	}
	return a, nil
}

func parse(text []byte) (a Answers, err error) {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	var file struct {
		Answers   `yaml:",inline"`
		Databases oneOrMore `yaml:"databases"`
	}
	if err := decoder.Decode(&file); err != nil && !errors.Is(err, io.EOF) {
		return Answers{}, err
	}
	if err := decoder.Decode(&file); !errors.Is(err, io.EOF) {
		return Answers{}, errors.New("more than one YAML document")
	}
	file.Answers.Databases = file.Databases
	return file.Answers, nil
}

// oneOrMore is a text or a list of them.
type oneOrMore []string

// UnmarshalYAML reads either.
func (o *oneOrMore) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode {
		*o = Words(node.Value)
		return nil
	}
	var list []string
	if err := node.Decode(&list); err != nil {
		return err
	}
	*o = list
	return nil
}

// Words are the names in a line: between commas, or between blanks where there is no comma, so that a name may have
// blanks.
func Words(line string) (words []string) {
	parts := strings.Split(line, ",")
	if len(parts) == 1 {
		parts = strings.Fields(line)
	}
	for _, part := range parts {
		if part = strings.TrimSpace(part); part != "" {
			words = append(words, part)
		}
	}
	return words
}

// Or takes from others what a does not answer.
func (a Answers) Or(others Answers) Answers {
	a.Server = cmp.Or(a.Server, others.Server)
	a.PasswordFile = cmp.Or(a.PasswordFile, others.PasswordFile)
	a.Bucket = cmp.Or(a.Bucket, others.Bucket)
	if a.Region == "" && a.Endpoint == "" {
		a.Endpoint = others.Endpoint
	}
	a.Region = cmp.Or(a.Region, others.Region)
	a.KeyFile = cmp.Or(a.KeyFile, others.KeyFile)
	a.StorageClass = cmp.Or(a.StorageClass, others.StorageClass)
	a.Encryption = cmp.Or(a.Encryption, others.Encryption)
	a.KeepDays = cmp.Or(a.KeepDays, others.KeepDays)
	a.Schedule = cmp.Or(a.Schedule, others.Schedule)
	a.Label = cmp.Or(a.Label, others.Label)
	if len(a.Databases) == 0 {
		a.Databases = others.Databases
	}
	return a
}

// Place is the bucket and the prefix of an answer.
func Place(answer string) (bucket, prefix string, err error) {
	answer = strings.TrimPrefix(strings.TrimSpace(answer), "s3://")
	bucket, prefix, _ = strings.Cut(strings.TrimSuffix(answer, "/"), "/")
	switch {
	case bucket == "":
		return "", "", errors.New("give the name of a bucket, such as company-backups or company-backups/databases")
	case strings.ContainsAny(bucket, ":?# \t"):
		return "", "", fmt.Errorf("%q is not the name of a bucket; write it without a URL, as in company-backups", bucket)
	}
	return bucket, prefix, nil
}

// Store is the region and the endpoint of an answer: the name of a region of AWS, or the URL of another store with its
// region behind it, if it has one.
func Store(answer string) (region, endpoint string, err error) {
	words := strings.Fields(answer)
	switch {
	case len(words) == 0:
		return "", "", errors.New("give an AWS region, such as eu-central-1, or the URL of another store")
	case !strings.Contains(words[0], "://") && len(words) == 1:
		if strings.ContainsAny(words[0], ":/.") {
			return "", "", fmt.Errorf("%q is no region; write an address as a URL, as in https://%s", words[0], words[0])
		}
		return words[0], "", nil
	case len(words) > 2:
		return "", "", errors.New("give one URL, with its region behind it if it has one")
	}
	u, err := url.Parse(words[0])
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil || u.RawQuery != "" {
		return "", "", fmt.Errorf("%q is not the URL of a store, such as https://s3.example.com", words[0])
	}
	region = defaultRegion
	if len(words) == 2 {
		region = words[1]
	}
	return region, words[0], nil
}

// defaultRegion is what stores sign with that have no regions.
const defaultRegion = "us-east-1"

// Address is the host and the port of an answer; empty for the local server.
func Address(answer string) (host, port string, err error) {
	answer = strings.TrimSpace(answer)
	switch {
	case answer == "" || answer == Local:
		return "", "", nil
	case isPort(answer):
		return "", answer, nil
	case strings.ContainsAny(answer, " \t=@'") || strings.Contains(answer, "://"):
		return "", "", fmt.Errorf("%q is not an address: write local, a port, a socket folder, HOST or HOST:PORT", answer)
	case strings.HasPrefix(answer, "["): // an address of IPv6
		inner, rest, closed := strings.Cut(answer[1:], "]")
		port, colon := strings.CutPrefix(rest, ":")
		if !closed || rest != "" && (!colon || !isPort(port)) {
			return "", "", fmt.Errorf("%q is not an address: write [2001:db8::1]:5432", answer)
		}
		return inner, port, nil
	}
	at := strings.LastIndexByte(answer, ':')
	if at < 0 || strings.Count(answer, ":") > 1 {
		return answer, "", nil
	}
	if !isPort(answer[at+1:]) || at == 0 {
		return "", "", fmt.Errorf("%q is not a port", answer[at+1:])
	}
	return answer[:at], answer[at+1:], nil
}

func isPort(text string) bool {
	n, err := strconv.ParseUint(text, 10, 16)
	return err == nil && n > 0
}

// Days is the number of days of an answer; 0: nothing is ever deleted.
func Days(answer string) (int, error) {
	if answer = strings.TrimSpace(answer); answer == KeepAll {
		return 0, nil
	}
	n, err := strconv.Atoi(answer)
	if err != nil || n < 1 || n > 36500 {
		return 0, fmt.Errorf("%q is not a number of days: write 30, or %s if nothing is ever to be deleted", answer, KeepAll)
	}
	return n, nil
}

// Calendars are those of an answer; none where it is what the installed timer does.
func Calendars(answer string) (calendars []string) {
	if strings.TrimSpace(answer) == defaults.Schedule {
		return nil
	}
	for _, one := range strings.Split(answer, ";") {
		if one = strings.TrimSpace(one); one != "" {
			calendars = append(calendars, one)
		}
	}
	return calendars
}

// Jitter is a span of systemd, such as RandomizedDelaySec= has it, as the configuration writes it; "" where it is what
// the installed timer does, or is no plain span.
func Jitter(span string) string {
	if _, err := strconv.Atoi(span); err == nil {
		span += "s"
	}
	span = strings.NewReplacer("hours", "h", "hour", "h", "hr", "h", "minutes", "m", "minute", "m", "min", "m",
		"seconds", "s", "second", "s", "sec", "s", " ", "").Replace(span)
	d, err := time.ParseDuration(span)
	if err != nil || d == installedJitter || d < 0 {
		return ""
	}
	return d.String()
}

// installedJitter is that of the installed timers.
const installedJitter = 30 * time.Minute

// IsSocket reports whether a host is a folder of sockets, or the local server's.
func IsSocket(host string) bool { return host == "" || path.IsAbs(host) }

// Given reports whether anything was answered.
func (a Answers) Given() bool {
	some := len(a.Databases) > 0
	a.Databases = nil
	return some || !reflect.ValueOf(a).IsZero()
}
