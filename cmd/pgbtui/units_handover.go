package main

import (
	"os"
	"path/filepath"

	"codeberg.org/pgbtui/pgbtui/internal/systemd"
)

// A host that ran all units as one user may have secrets that this user alone reads. The units of other duties
// have users of their own, and must be handed them as before.

// handOver is, by the names of the units' secrets, the files of the configuration that no unit but the backups'
// could read any more. Without a configuration that can be read there is nothing to hand over.
func (u unitsConfig) handOver(image string) map[string]string {
	if image != "" {
		return nil
	}
	c, err := u.config()
	if err != nil {
		return nil
	}
	files := map[string]string{}
	add := func(name, file string) {
		if !onlyForBackups(file) {
			return
		}
		if before, there := files[name]; there && before != file {
			file = "" // jobs differ, and units of all jobs are handed the same
		}
		files[name] = file
	}
	for _, job := range append(c.Jobs, c.Defaults()) {
		for _, name := range []duty{prover, keeper, reader} {
			add(string(name), job.S3.CredentialsFile)
		}
		add("age-identity", job.Encryption.IdentityFile)
	}
	return files
}

// onlyForBackups reports whether the backups' user reads a file and its group does not. Nobody else may have put
// it there: root reads it for the units.
func onlyForBackups(file string) bool {
	info, err := os.Lstat(file)
	if err != nil || !info.Mode().IsRegular() || info.Mode().Perm()&0o004 != 0 {
		return false
	}
	dir, err := os.Stat(filepath.Dir(file))
	if err != nil {
		return false
	}
	owner, _ := ownersOf(info)
	dirOwner, _ := ownersOf(dir)
	return owner == systemd.BackupUser && dirOwner == "root" && !forOperators(file)
}
