package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"filippo.io/age"

	"codeberg.org/pgbtui/pgbtui/internal/backup/sealed"
	"codeberg.org/pgbtui/pgbtui/internal/backup/signing"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/pitr/record"
)

// environment is what a call finds around itself: variables, the clock, and which configuration was named. Its keys
// and passwords are in secrets.go.
type environment struct {
	getenv     func(string) string
	now        func() time.Time
	configFile string // --config; "" is the default
	records    string // what is known of clusters; "" is the default
}

// readRecords is the folder where what is known of clusters is written down.
func (e *environment) readRecords() string { return cmp.Or(e.records, record.DefaultDir) }

func hostname() string {
	host, err := os.Hostname()
	if err != nil {
		return "localhost"
	}
	return host
}

// inUnit reports whether systemd started this process: its environment is what units use.
func (e *environment) inUnit() bool {
	return e.getenv("INVOCATION_ID") != "" && e.getenv("SYSTEMD_EXEC_PID") != ""
}

// trigger tells who started this process. TRIGGER_UNIT is set since systemd 252.
func (e *environment) trigger() string {
	switch {
	case !e.inUnit():
		return "cli"
	case strings.HasSuffix(e.getenv("TRIGGER_UNIT"), ".timer"):
		return "timer"
	}
	return "operator"
}

// cacheDir is where documents are kept that were read: below a unit's StateDirectory=, by hand in the user's
// cache. "" is nowhere, as for system users, who have no home.
func (e *environment) cacheDir() string {
	if state := e.getenv("STATE_DIRECTORY"); state != "" {
		return filepath.Join(state, "documents")
	}
	if base := e.getenv("XDG_CACHE_HOME"); filepath.IsAbs(base) {
		return filepath.Join(base, "pgbtui")
	}
	home := e.getenv("HOME")
	if info, err := os.Stat(home); err != nil || !info.IsDir() || !filepath.IsAbs(home) {
		return ""
	}
	return filepath.Join(home, ".cache", "pgbtui")
}

// adoptEnvironment sets what libpq's programs and the AWS SDK read from the process environment,
// so that a call by hand sees the world of the units.
func (e *environment) adoptEnvironment(file string) error {
	vars, err := config.Passed(file)
	if err != nil {
		return err
	}
	for name, value := range vars {
		if e.getenv(name) != "" {
			continue
		}
		if err := os.Setenv(name, value); err != nil {
			return fmt.Errorf("set %s from %s: %w", name, file, err)
		}
	}
	return nil
}

// identities reads the age key for reading back: of the file that --identity named, a credential, or the
// configuration.
func (e *environment) identities(job config.Job, named string) ([]age.Identity, error) {
	return sealed.Identities(cmp.Or(named, e.credential("age-identity"), job.Encryption.IdentityFile))
}

// signer reads the key that signs sets: a credential, or the configuration; nil: sets are not signed.
func (e *environment) signer(job config.Job) (*signing.Signer, error) {
	if file := e.credential("signing-key"); file != "" {
		return signing.Load(file, false)
	}
	if job.Signing.KeyFile == "" {
		return nil, nil
	}
	return signing.Load(job.Signing.KeyFile, true)
}
