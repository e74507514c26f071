package config

import (
	"fmt"
	"os"
	"slices"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// Modes of files. Rules: what anybody can write is not read as a configuration, since it says which
// programs a run starts, as whom, and where backups go; a secret that anybody can read costs no backup,
// `config check` tells it.

// refuseWritable fails for a file that anybody can write. One that cannot be looked at is for whoever reads
// it next to tell.
func refuseWritable(file string) error {
	info, _ := os.Stat(file)
	if info == nil || info.Mode().Perm()&0o002 == 0 || !info.Mode().IsRegular() {
		return nil
	}
	return fault.New(fault.Config, fmt.Sprintf("config: anybody can write %s (mode %04o)", file, info.Mode().Perm()),
		"Find out who has changed it, then run chmod o-w "+file+".", nil)
}

// SecretFiles are the files that hold secrets of a job: keys, and addresses that are ones. The private key
// that signs is not among them: a run refuses one that others can read.
func (c *Config) SecretFiles(j Job) []string {
	files := []string{j.S3.CredentialsFile, j.Encryption.IdentityFile}
	for _, ch := range j.Alert.Channels {
		files = append(files, ch.URLFile)
	}
	if c.Watch.PingURL != "" || j.Alert.inFile || c.Metrics.secret() {
		files = append(files, c.File)
	}
	if len(c.EnvSecrets) > 0 {
		files = append(files, c.EnvFile)
	}
	return slices.DeleteFunc(files, func(f string) bool { return f == "" })
}

// secretVariables hold secrets wherever they stand.
var secretVariables = []string{"AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "PGPASSWORD", "SLACK_WEBHOOK_URL"}

// secretsIn are the names of the secrets in an environment file that this process can read.
func secretsIn(vars map[string]variable) []string {
	return slices.DeleteFunc(slices.Clone(secretVariables), func(name string) bool { return vars[name].value == "" })
}
