package config

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// bucketName is S3's rule for names; dots are allowed for old buckets.
var bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

// accountID is the form of an AWS account's ID; it may begin with zeros.
var accountID = regexp.MustCompile(`^[0-9]{12}$`)

// problem is an error at a setting: with the file and line where there is one.
func (l loader) problem(job, what, remedy string, path ...string) error {
	where := "config"
	at, line := l.doc, l.doc.line(path...)
	holder := documentOf(l.documents(), job)
	inJob := append([]string{"jobs", job}, path...)
	// What is written at the top is wrong there, unless the job says otherwise.
	if job != "" && holder != nil && (holder.node(inJob...) != nil || l.doc.node(path...) == nil) &&
		holder.line(inJob...) != 0 {
		at, line = holder, holder.line(inJob...)
	}
	if at != nil {
		where = "config: " + at.file
	}
	if line != 0 {
		where += fmt.Sprintf(":%d", line)
	}
	return fault.New(fault.Config, fmt.Sprintf("%s: %s: %s", where, strings.Join(path, "."), what), remedy, nil)
}

func (l loader) check(name string, j Job) error {
	if err := l.checkS3(name, j.S3); err != nil {
		return err
	}
	for _, key := range j.Encryption.Recipients {
		if !strings.HasPrefix(key, "age1") {
			return l.problem(name, fmt.Sprintf("%.12q… is not an age public key", key),
				"List public keys as age-keygen prints them (age1…).", "encryption", "recipients")
		}
	}
	if err := l.checkDrill(name, j.Drill); err != nil {
		return err
	}
	if err := l.checkTimetable(name, j.Timetable); err != nil {
		return err
	}
	if j.Instance == "." || j.Instance == ".." {
		return l.problem(name, fmt.Sprintf("%q cannot be a folder", j.Instance), "Choose another name.", "instance")
	}
	if err := l.checkHeartbeat(name, j.Heartbeat); err != nil {
		return err
	}
	return l.checkAlert(name, j.Alert)
}

func (l loader) checkS3(name string, s S3) error { return l.checkS3At("", nil, name, s) }

// checkS3At is checkS3 for settings of a place that stand elsewhere; of says which in messages.
func (l loader) checkS3At(of string, at []string, name string, s S3) error {
	problem := func(what, remedy string, path ...string) error {
		if at != nil {
			what = of + strings.Join(path, ".") + ": " + what
			path = at
		}
		return l.problem(name, what, remedy, path...)
	}
	switch {
	case s.Bucket == "":
		return problem("no bucket", "Set S3_BUCKET or s3.bucket.", "s3", "bucket")
	case !bucketName.MatchString(s.Bucket):
		return problem(fmt.Sprintf("%q is not a bucket's name", s.Bucket),
			"Give 3 to 63 of a-z, 0-9, dot and hyphen, without s3:// and path.", "s3", "bucket")
	case !slices.Contains([]string{"AES256", "aws:kms", "none"}, s.SSE):
		return problem(fmt.Sprintf("%q is not known", s.SSE), "Choose AES256, aws:kms or none.", "s3", "sse")
	case s.KMSKeyID != "" && s.SSE != "aws:kms":
		return problem("a key without sse: aws:kms", "Set s3.sse to aws:kms, or leave the key out.", "s3",
			"kms_key_id")
	}
	if s.MaxParts != 0 && (s.MaxParts < fewestParts || s.MaxParts > mostParts) {
		return problem(fmt.Sprintf("%d is not a number of parts that a store allows", s.MaxParts),
			fmt.Sprintf("Give %d to %d.", fewestParts, mostParts), "s3", "max_parts")
	}
	if s.ExpectedOwner != "" && !accountID.MatchString(s.ExpectedOwner) {
		return problem(fmt.Sprintf("%q is not an AWS account's ID", s.ExpectedOwner),
			"Give 12 digits, as `aws sts get-caller-identity` prints them for the bucket's account.", "s3",
			"expected_bucket_owner")
	}
	if wrong := wrongPrefix(s.Prefix); wrong != "" {
		return problem(fmt.Sprintf("%.80q %s", s.Prefix, wrong),
			"Give only the folder inside the bucket, such as postgresql or backups/postgresql; "+
				"the bucket's name belongs in s3.bucket.",
			"s3", "prefix")
	}
	if s.Endpoint != "" {
		if u, err := url.Parse(s.Endpoint); err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
			return problem(fmt.Sprintf("%q is not a URL", s.Endpoint), "Write it as https://host[:port].", "s3",
				"endpoint")
		}
	}
	return nil
}

// Bounds of s3.max_parts: with fewer, a dump of some size needs parts that do not fit into memory; more are not
// allowed anywhere.
const (
	fewestParts = 100
	mostParts   = 10_000
)

// maxPrefix leaves the names of instance, database and objects their place in a key of 1024 bytes.
const maxPrefix = 256

// wrongPrefix says why a prefix, without slashes around it, cannot begin the keys of sets; "" if it can.
// Clients and stores resolve empty folders, `.` and `..` as paths, each in its own way, and would write a
// set to one place and look for it at another.
func wrongPrefix(prefix string) string {
	switch {
	case prefix == "":
		return ""
	case strings.Contains(prefix, "://"):
		return "is an address, not a folder inside the bucket"
	case len(prefix) > maxPrefix:
		return fmt.Sprintf("is longer than %d bytes", maxPrefix)
	case !utf8.ValidString(prefix) || strings.ContainsFunc(prefix, unicode.IsControl):
		return "holds a control character"
	}
	for _, folder := range strings.Split(prefix, "/") {
		switch folder {
		case "":
			return "holds an empty folder (//)"
		case ".", "..":
			return "holds the folder " + folder + ", which a bucket cannot have"
		}
	}
	return ""
}
