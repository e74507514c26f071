package config

import (
	"fmt"
	"os"
	"slices"

	"go.yaml.in/yaml/v3"

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

// refuseWritableFolder is the same for a folder: who can write it can put a file there.
func refuseWritableFolder(dir string) error {
	info, _ := os.Stat(dir)
	if info == nil || info.Mode().Perm()&0o002 == 0 {
		return nil
	}
	return fault.New(fault.Config,
		fmt.Sprintf("config: anybody can put files into %s (mode %04o)", dir, info.Mode().Perm()),
		"Find out who has put what there, then run chmod o-w "+dir+".", nil)
}

// SecretFiles are the files that hold secrets of a job: keys, and addresses that are ones. The private key
// that signs is not among them: a run refuses one that others can read.
func (c *Config) SecretFiles(j Job) []string {
	files := []string{
		j.S3.CredentialsFile, j.Encryption.IdentityFile, c.Metrics.CloudWatch.CredentialsFile, j.Heartbeat.URLFile,
	}
	for _, ch := range j.Alert.Channels {
		files = append(files, ch.URLFile)
	}
	if c.Watch.PingURL != "" || c.Metrics.secret() {
		files = append(files, c.File)
	}
	files = append(files, c.origins.filesWithAddresses(j)...)
	if len(c.EnvSecrets) > 0 {
		files = append(files, c.EnvFile)
	}
	files = slices.DeleteFunc(files, func(f string) bool { return f == "" })
	slices.Sort(files)
	return slices.Compact(files)
}

// filesWithAddresses are those in which an address of a channel of this job stands.
func (o origins) filesWithAddresses(j Job) (files []string) {
	for _, key := range [][]string{{"alert", "slack_webhook"}, {"alert", "channels"}, {"heartbeat", "url"}} {
		node, file := o.node(j, key...)
		if node != nil && holdsAddress(node) {
			files = append(files, file)
		}
	}
	return files
}

func holdsAddress(node *yaml.Node) bool {
	if node.Kind != yaml.SequenceNode {
		return node.Value != ""
	}
	return slices.ContainsFunc(node.Content, func(channel *yaml.Node) bool { return child(channel, "url") != nil })
}

// secretVariables hold secrets wherever they stand.
var secretVariables = []string{"AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "PGPASSWORD", "SLACK_WEBHOOK_URL"}

// secretsIn are the names of the secrets in an environment file that this process can read.
func secretsIn(vars map[string]variable) []string {
	return slices.DeleteFunc(slices.Clone(secretVariables), func(name string) bool { return vars[name].value == "" })
}
