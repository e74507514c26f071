package systemd

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/bounded"
)

// Which unit is handed which secret. Rules: a secret is a file of a well-known name that root alone reads,
// and systemd copies it to the units that need it, and to no other; a file that is not there fails no start.

// SecretDir holds the units' secrets; root alone may look into it.
const SecretDir = configDir + "/secret"

// NoSecret is what a unit finds in a credential whose file is not there. systemd takes no empty one.
const NoSecret = "none"

// Secret is a file below SecretDir, and the name of the credential that units find it under.
type Secret struct {
	File       string
	Credential string
}

// The secrets. Units of different duties find keys of different rights under the same credential.
var (
	writerKey        = Secret{File: "writer", Credential: "aws-credentials"}
	proverKey        = Secret{File: "prover", Credential: "aws-credentials"}
	keeperKey        = Secret{File: "keeper", Credential: "aws-credentials"}
	copierKey        = Secret{File: "copier", Credential: "aws-credentials"}
	readerKey        = Secret{File: "reader", Credential: "aws-credentials"}
	signingKey       = Secret{File: "signing-key", Credential: "signing-key"}
	ageIdentity      = Secret{File: "age-identity", Credential: "age-identity"}
	databasePassword = Secret{File: "database-password", Credential: "database-password"}
	alertURLs        = Secret{File: "alert-urls", Credential: "alert-urls"}
	heartbeatURL     = Secret{File: "heartbeat-url", Credential: "heartbeat-url"}
)

// secretsOf are what the units of a template need.
func secretsOf(template string) []Secret {
	switch strings.TrimSuffix(template, ".service") {
	case "backup":
		return []Secret{writerKey, signingKey, databasePassword, heartbeatURL}
	case "doctor":
		return []Secret{writerKey, databasePassword}
	case "backupverify", "verify", "drill", "restore":
		return []Secret{proverKey, ageIdentity}
	case "prune":
		return []Secret{keeperKey}
	case "copy":
		return []Secret{copierKey}
	case "watch":
		return []Secret{readerKey, alertURLs}
	case "alert", "alerttest":
		return []Secret{alertURLs}
	}
	return nil
}

// Path is where the secret lies on this machine.
func (s Secret) Path() string { return path.Join(SecretDir, s.File) }

// Loaded is a credential as an installed unit is told to load it.
type Loaded struct {
	Unit       string // a template counts as one
	Credential string
	From       string // absolute path; else a name that systemd looks up by itself
	Optional   bool   // the unit starts without it too
}

// loadedCredentials reads the installed service units and their drop-ins below the root at; "" is this machine.
// Without units it is empty.
func loadedCredentials(at string) []Loaded {
	var all []Loaded
	files, _ := filepath.Glob(root(at).path(unitDir + "/postgres-*.service"))
	for _, file := range files {
		text, err := bounded.ReadFile(file, bounded.File)
		if err != nil || !isOurs(text) {
			continue
		}
		all = append(all, loaded(filepath.Base(file), append(parseUnit(string(text)), dropIns(file)...))...)
		instances, _ := filepath.Glob(strings.Replace(file, "@.service", "@?*.service.d", 1))
		for _, instance := range instances {
			unit := strings.TrimSuffix(instance, ".d")
			settings := append(parseUnit(string(text)), dropIns(file)...)
			all = append(all, loaded(filepath.Base(unit), append(settings, dropIns(unit)...))...)
		}
	}
	return all
}

// dropIns are the settings of all drop-ins of a unit's file, in systemd's order.
func dropIns(file string) []setting {
	var settings []setting
	names, _ := filepath.Glob(file + ".d/*.conf")
	slices.Sort(names)
	for _, name := range names {
		if text, err := bounded.ReadFile(name, bounded.File); err == nil {
			settings = append(settings, parseUnit(string(text))...)
		}
	}
	return settings
}

// loaded is what remains when a later line has replaced the earlier ones of its name.
func loaded(unit string, settings []setting) []Loaded {
	var all []Loaded
	defaults := map[string]bool{}
	for _, value := range values(settings, "Service", "SetCredential") {
		name, _, _ := strings.Cut(value, ":")
		defaults[name] = true
	}
	for _, s := range settings {
		if s.section != "Service" || (s.key != "LoadCredential" && s.key != "LoadCredentialEncrypted") {
			continue
		}
		if s.value == "" {
			all = nil
			continue
		}
		name, from, given := strings.Cut(s.value, ":")
		if !given {
			from = name
		}
		l := Loaded{Unit: unit, Credential: name, From: from, Optional: defaults[name] || !path.IsAbs(from)}
		if i := slices.IndexFunc(all, func(old Loaded) bool { return old.Credential == name }); i >= 0 {
			all[i] = l
			continue
		}
		all = append(all, l)
	}
	return all
}

// Wiring is what is wrong between the secrets that lie on this machine and the units that are installed.
type Wiring struct {
	Unread  []string // files below SecretDir that no unit loads, by whole path
	Missing []Loaded // what a unit loads, and is not there, and is not optional
	Open    []string // files, or the folder itself, that others than root can read
	Found   []string // names of the secrets that are there
}

// CheckWiring looks at secrets and units below the root at; "" is this machine. It fails where it may not look
// into SecretDir, which root alone may; a machine without one has no secrets there.
func CheckWiring(at string) (Wiring, error) {
	var w Wiring
	dir := root(at).path(SecretDir)
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return w, fmt.Errorf("systemd: look for the units' secrets: %w", err)
	}
	all := loadedCredentials(at)
	if info, err := os.Stat(dir); err == nil && info.Mode().Perm()&0o077 != 0 {
		w.Open = append(w.Open, SecretDir)
	}
	for _, entry := range entries {
		file := path.Join(SecretDir, entry.Name())
		w.Found = append(w.Found, entry.Name())
		if !slices.ContainsFunc(all, func(l Loaded) bool { return l.From == file }) {
			w.Unread = append(w.Unread, file)
		}
		if info, err := os.Stat(root(at).path(file)); err == nil && info.Mode().Perm()&0o077 != 0 {
			w.Open = append(w.Open, file)
		}
	}
	for _, l := range all {
		if _, err := os.Stat(root(at).path(l.From)); !l.Optional && errors.Is(err, fs.ErrNotExist) {
			w.Missing = append(w.Missing, l)
		}
	}
	return w, nil
}

// handOver links secrets to the files that the units of other duties can read no longer.
func handOver(files map[string]string, report *Report) error {
	for _, name := range slices.Sorted(maps.Keys(files)) {
		link := path.Join(SecretDir, name)
		if _, err := os.Lstat(link); err == nil {
			continue
		}
		if files[name] == "" {
			report.add(Note, "Jobs name several files that user "+BackupUser+" alone can read, which is the backups' "+
				"alone from now on: let group "+OperatorGroup+" read them, or put one for all jobs to "+link+".", "")
			continue
		}
		if err := os.Symlink(files[name], link); err != nil {
			return fmt.Errorf("systemd: hand %s to the units: %w", files[name], err)
		}
		report.add(Created, link, "a link to "+files[name]+", which only the backups' user can read")
	}
	return nil
}
