package backrest

import (
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/pitr"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
)

// The engine's configuration. Ours is a file of its own for each cluster, so that nothing of it holds for another
// stanza, and nothing of /etc/pgbackrest for this one. Every call names it by --config.

// Places of what is ours, where nothing else is said.
const (
	FilesDir = "/etc/pgbtui-pgbackrest" // not below /etc/pgbtui, which the owner of the server's files may not enter
	LockPath = "/run/pgbackrest"        // one for all runs, or they would not exclude each other
	SpoolDir = "/var/spool/pgbackrest"
)

// FileOf is the engine's configuration of a cluster.
func FileOf(c config.Cluster) string {
	if c.OnlyRead() {
		return c.ConfigFile
	}
	return filepath.Join(FilesDir, c.Name+".conf")
}

// Marker begins a file that is ours to write again.
const Marker = "# Written by pgbtui from the configuration; `pgbtui cluster setup` writes it again."

// Keys are what the engine signs its requests with. Without an access key it asks the instance role.
type Keys struct {
	Access, Secret, Token string
}

// Conf is what the engine's configuration is made of.
type Conf struct {
	Cluster  config.Cluster
	Server   pitr.Server
	Keys     Keys
	LockPath string
}

// Text is the file.
func (c Conf) Text(engine Version) (string, error) {
	store, err := c.storeLines(engine)
	if err != nil {
		return "", err
	}
	lines := []string{Marker, "", "[global]"}
	lines = append(lines, store...)
	lines = append(lines,
		"repo1-bundle=y",
		"repo1-retention-full="+strconv.Itoa(c.Cluster.Keep.Full),
	)
	if c.Cluster.Keep.Diff > 0 {
		lines = append(lines, "repo1-retention-diff="+strconv.Itoa(c.Cluster.Keep.Diff))
	}
	lines = append(lines,
		"start-fast=y",
		"lock-path="+c.LockPath,
		"log-level-file=off",
		"log-level-console=warn",
		"", "["+c.Cluster.Stanza+"]", "pg1-path="+c.Server.DataDirectory,
	)
	if c.Server.Host != "" {
		lines = append(lines, "pg1-socket-path="+c.Server.Host)
	}
	if c.Server.Port != "" {
		lines = append(lines, "pg1-port="+c.Server.Port)
	}
	for _, line := range lines {
		if strings.ContainsAny(line, "\n\r\x00") {
			return "", fault.New(fault.Config, "pitr: a setting of the engine holds a line break", "Take it out.", nil)
		}
	}
	return strings.Join(lines, "\n") + "\n", nil
}

func (c Conf) storeLines(engine Version) ([]string, error) {
	r := c.Cluster.Repository
	lines := []string{
		"repo1-type=s3", "repo1-path=/" + r.Path, "repo1-s3-bucket=" + r.S3.Bucket, "repo1-s3-region=" + r.S3.Region,
	}
	endpoint, err := endpointLines(r, engine)
	if err != nil {
		return nil, err
	}
	lines = append(lines, endpoint...)
	if r.S3.KMSKeyID != "" {
		lines = append(lines, "repo1-s3-kms-key-id="+r.S3.KMSKeyID)
	}
	if c.Keys.Access == "" {
		return append(lines, "repo1-s3-key-type=auto"), nil
	}
	lines = append(lines, "repo1-s3-key="+c.Keys.Access, "repo1-s3-key-secret="+c.Keys.Secret)
	if c.Keys.Token != "" {
		lines = append(lines, "repo1-s3-token="+c.Keys.Token)
	}
	return lines, nil
}

// endpointLines say where the store is. The engine wants host and port apart, and knows plain HTTP from 2.58 on.
func endpointLines(r config.Repository, engine Version) ([]string, error) {
	endpoint := r.S3.Endpoint
	if endpoint == "" {
		endpoint = "https://s3." + r.S3.Region + ".amazonaws.com"
	}
	u, err := url.Parse(endpoint)
	if err != nil {
		return nil, fault.New(fault.Config, "pitr: read the store's address", "Write it as https://host[:port].", err)
	}
	var lines []string
	if u.Scheme == "http" {
		if !engine.PlainHTTP() {
			return nil, fault.New(fault.Refused,
				fmt.Sprintf("pitr: pgBackRest %s cannot reach %s: it knows plain HTTP from 2.58 on", engine, endpoint),
				"Give the store TLS (s3.ca_file of the cluster names a certificate authority of your own), or install 2.58.", nil)
		}
		lines = append(lines, "repo1-s3-endpoint=http://"+u.Host)
	} else {
		lines = append(lines, "repo1-s3-endpoint="+u.Hostname())
		if net.ParseIP(u.Hostname()) != nil && strings.Contains(u.Hostname(), ":") {
			return nil, fault.New(fault.Refused,
				"pitr: the store's address "+endpoint+" is of IPv6, which the engine cannot be given",
				"Give the store a name.", nil)
		}
		if u.Port() != "" {
			lines = append(lines, "repo1-storage-port="+u.Port())
		}
	}
	if r.S3.PathStyle || r.S3.Endpoint != "" {
		lines = append(lines, "repo1-s3-uri-style=path")
	}
	if r.CAFile != "" {
		lines = append(lines, "repo1-storage-ca-file="+r.CAFile)
	}
	if r.SkipVerify {
		lines = append(lines, "repo1-storage-verify-tls=n")
	}
	return lines, nil
}

// ArchiveCommand is what the server runs for each segment.
func (e *PgBackRest) ArchiveCommand() string {
	return "pgbackrest --config=" + printable.ShellWord(e.File) + " --stanza=" + e.Cluster.Stanza + " archive-push %p"
}
