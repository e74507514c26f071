package main

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/user"
	"path"
	"strconv"
	"strings"
	"syscall"

	"codeberg.org/pgbtui/pgbtui/internal/bounded"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/doctor"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
)

// Where a job's secrets are, who can read them, and whether the units are handed those that are theirs.

// checkSecrets says where each secret is and who reads it. What only could be better is no fault: it has a remedy
// all the same.
func checkSecrets(c *config.Config, job config.Job) []jsonFinding {
	var found []jsonFinding
	wiring, err := systemd.CheckWiring("")
	if files := c.SecretFiles(job); len(files) > 0 {
		one := finding("secrets", readersOf(files), doctor.OpenSecrets(files))
		if one.OK {
			one.Remedy = sharedSecrets(c, job, wiring)
		}
		found = append(found, one)
	}
	if errors.Is(err, fs.ErrPermission) {
		return append(found, nothing("units' secrets", "root alone can look: sudo pgbtui config check --offline"))
	}
	units := finding("units' secrets", handed(wiring), errors.Join(err, doctor.WiringFaults(wiring)))
	units.None = units.OK && len(wiring.Found) == 0
	return append(found, units)
}

// readersOf says of each file who can read it.
func readersOf(files []string) string {
	var said []string
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil {
			said = append(said, file+" is missing, or this user may not see it")
			continue
		}
		said = append(said, file+" is read by "+readers(info))
	}
	return strings.Join(said, "; ")
}

func readers(info fs.FileInfo) string {
	owner, group := ownersOf(info)
	who := []string{"root"}
	if owner != "root" && info.Mode().Perm()&0o400 != 0 {
		who = append(who, "user "+owner)
	}
	if info.Mode().Perm()&0o040 != 0 {
		who = append(who, "group "+group)
	}
	return strings.Join(who, " and ")
}

// ownersOf are the names of a file's user and group; a number where there is no name.
func ownersOf(info fs.FileInfo) (owner, group string) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return "?", "?"
	}
	uid := strconv.FormatUint(uint64(stat.Uid), 10)
	gid := strconv.FormatUint(uint64(stat.Gid), 10)
	owner, group = uid, gid
	if u, err := user.LookupId(uid); err == nil {
		owner = u.Username
	}
	if g, err := user.LookupGroupId(gid); err == nil {
		group = g.Name
	}
	return owner, group
}

// sharedSecrets is what to do about secrets that operators and every unit can read; "" where there are none.
func sharedSecrets(c *config.Config, job config.Job, w systemd.Wiring) string {
	var advice []string
	move := func(what, to string) {
		advice = append(advice, what+", so that operators and every unit can use it; move it to "+
			path.Join(systemd.SecretDir, to))
	}
	if forOperators(c.EnvFile) {
		for _, name := range c.EnvSecrets {
			move(name+" is in "+c.EnvFile, placeOf(name))
		}
	}
	writersKey := path.Join(systemd.SecretDir, string(writer))
	noOther := os.Geteuid() == 0 && len(w.Found) == 0
	if file := job.S3.CredentialsFile; forOperators(file) && (noOther || sameText(file, writersKey)) {
		advice = append(advice, "the backups' key is in "+file+", so that operators can write sets with it; move it to "+
			writersKey+", and leave a key there that only reads")
	}
	if forOperators(job.Encryption.IdentityFile) {
		move("the private key of encrypted sets is in "+job.Encryption.IdentityFile, "age-identity")
	}
	if len(advice) == 0 {
		return ""
	}
	return strings.Join(advice, "; ") + " (docs/units.md#credentials)"
}

// placeOf is the name of the units' secret that takes the place of a variable.
func placeOf(variable string) string {
	switch variable {
	case "PGPASSWORD":
		return "database-password"
	case "SLACK_WEBHOOK_URL":
		return "alert-urls"
	}
	return string(writer) // the variables of a key
}

// forOperators reports whether the group that operators are in can read a file.
func forOperators(file string) bool {
	info, err := os.Stat(file)
	if err != nil {
		return false
	}
	_, group := ownersOf(info)
	return info.Mode().Perm()&0o040 != 0 && group == systemd.OperatorGroup
}

func sameText(a, b string) bool {
	one, err := bounded.ReadFile(a, bounded.File)
	other, otherErr := bounded.ReadFile(b, bounded.File)
	return err == nil && otherErr == nil && bytes.Equal(bytes.TrimSpace(one), bytes.TrimSpace(other))
}

// handed says which secrets the units have of their own.
func handed(w systemd.Wiring) string {
	if len(w.Found) == 0 {
		return "none in " + systemd.SecretDir + "; units use what the configuration names"
	}
	return "in " + systemd.SecretDir + ", read by root alone, who hands each unit its own: " + strings.Join(w.Found, ", ")
}
