package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
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
	reader duty = "reader"
)

// dutyOf is the duty of a verb: that of the unit that runs it, or else would.
func dutyOf(cmd *cobra.Command) duty {
	for cmd.HasParent() && cmd.Parent().HasParent() {
		cmd = cmd.Parent()
	}
	switch cmd.Name() {
	case "hold", "unhold":
		return writer
	case "verify", "drill", "restore":
		return prover
	case "prune":
		return keeper
	}
	return ""
}

const awsCredentials = "aws-credentials"

// credential is the path of a secret, or "" when this process is given none.
func (p *program) credential(name string) string {
	file := filepath.Join(p.getenv("CREDENTIALS_DIRECTORY"), name)
	if p.getenv("CREDENTIALS_DIRECTORY") == "" {
		file = p.secretOfUnits(name)
	}
	text, err := bounded.ReadFile(file, bounded.File)
	if err != nil || strings.TrimSpace(string(text)) == systemd.NoSecret {
		return ""
	}
	return file
}

// secretOfUnits is what the units' credential of that name is copied from; nobody but root can read it. Another
// configuration than the units' brings its own.
func (p *program) secretOfUnits(name string) string {
	if p.configFile != "" {
		return ""
	}
	if name == awsCredentials {
		name = string(p.duty)
	}
	if name == "" {
		return ""
	}
	return filepath.Join(systemd.SecretDir, name)
}

// adoptPassword gives PostgreSQL's programs the password that the unit was handed, in the way that they take one.
func (p *program) adoptPassword() error {
	file := p.credential("database-password")
	if file == "" || p.getenv("PGPASSWORD") != "" {
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
