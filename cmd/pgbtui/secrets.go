package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"codeberg.org/pgbtui/pgbtui/internal/bounded"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
)

// Where this process has its secrets from. Rules: a unit's process has those that systemd handed it, and root by
// hand those of the unit that does the same; everybody else has what the configuration names and they can read.

// duty is whose key of the store a verb takes, by the name of its file below systemd.SecretDir.
type duty string

const (
	writer duty = "writer"
	prover duty = "prover"
	keeper duty = "keeper"
	copier duty = "copier"
	reader duty = "reader"
)

// dutyOf is the duty of a verb: that of the unit that runs it, or else would. All others take people's key.
func dutyOf(verb string) duty {
	switch verb {
	case "hold", "unhold", "acknowledge":
		return writer
	case "verify", "drill", "restore", "thaw":
		return prover
	case "prune":
		return keeper
	case "copy":
		return copier
	}
	return ""
}

// awsCredentials is the credential under which units find the key of their duty.
const awsCredentials = "aws-credentials"

// storeKey is the path of the key that a duty has for the store, or "" when this process is given none.
func (e *environment) storeKey(as duty) string { return e.secret(awsCredentials, string(as)) }

// lookersKey is root's key for what people look at, where the configuration names none for people: the watch's. "" for
// everybody else.
func (e *environment) lookersKey() string {
	if e.getenv("CREDENTIALS_DIRECTORY") != "" {
		return ""
	}
	return e.secret(awsCredentials, string(reader))
}

// credential is the path of a secret that has the same name for units and below systemd.SecretDir, or "".
func (e *environment) credential(name string) string { return e.secret(name, name) }

// secret is the path of a credential, in a unit, or of the file that it is copied from; "" when this process is
// given none.
func (e *environment) secret(credential, file string) string {
	path := filepath.Join(e.getenv("CREDENTIALS_DIRECTORY"), credential)
	if e.getenv("CREDENTIALS_DIRECTORY") == "" {
		path = e.secretOfUnits(file)
	}
	text, err := bounded.ReadFile(path, bounded.File)
	if err != nil || strings.TrimSpace(string(text)) == systemd.NoSecret {
		return ""
	}
	return path
}

// secretOfUnits is the file of that name that units' credentials are copied from; nobody but root can read it.
// Another configuration than the units' brings its own.
func (e *environment) secretOfUnits(file string) string {
	if e.configFile != "" || file == "" {
		return ""
	}
	return filepath.Join(systemd.SecretDir, file)
}

// adoptPassword gives PostgreSQL's programs the password that the unit was handed, in the way that they take one.
func (e *environment) adoptPassword() error {
	file := e.credential("database-password")
	if file == "" || e.getenv("PGPASSWORD") != "" {
		return nil
	}
	text, err := bounded.ReadFile(file, bounded.File)
	if err != nil {
		return fmt.Errorf("read the credential database-password: %w", err)
	}
	if err := os.Setenv("PGPASSWORD", strings.TrimRight(string(text), "\r\n")); err != nil {
		return fmt.Errorf("set PGPASSWORD: %w", err)
	}
	return nil
}

// hideMemory keeps other processes of the same user from reading this one's memory and environment, where
// secrets are, and the kernel from writing them into a core dump. The programs that this one starts are
// readable again, and are given no secret but the database's password.
func hideMemory() error {
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("hide this process's memory from others of its user: %w", err)
	}
	return nil
}
