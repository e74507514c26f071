package config

import (
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// clusterName becomes the name of a file and of a folder in the bucket, and, unless another is given, the
// engine's name for the cluster.
var clusterName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,39}$`)

// debianCluster is a cluster as `pg_lsclusters` has it: version and name.
var debianCluster = regexp.MustCompile(`^[0-9]{1,2}(\.[0-9])?/[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)

// stanzaName is what the engine takes for a stanza.
var stanzaName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)

// repositoryPath are folders that mean the same to the engine, to the store and in a file of settings.
var repositoryPath = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._=-]*(/[A-Za-z0-9_][A-Za-z0-9._=-]*)*$`)

var portNumber = regexp.MustCompile(`^[1-9][0-9]{0,4}$`)

func (c *Config) noCluster(name string) error {
	var names []string
	for _, one := range c.Clusters {
		names = append(names, one.Name)
	}
	switch {
	case len(names) == 0:
		return fault.New(fault.Config, "config: no cluster in "+c.places(),
			"Add `clusters:` to it; docs/pitr.md says how.", nil)
	case name == "":
		return fault.New(fault.Usage, "config: several clusters, none chosen: "+strings.Join(names, ", "),
			"Name one of them.", nil)
	}
	return fault.New(fault.Config,
		fmt.Sprintf("config: no cluster %q in %s; there are %s", name, c.places(), strings.Join(names, ", ")),
		"Add it there, or name one of these.", nil)
}

// clusterProblem is an error at a setting of a cluster.
func (l loader) clusterProblem(name, what, remedy string, path ...string) error {
	return l.problem("", what, remedy, append([]string{"clusters", name}, path...)...)
}

func (l loader) checkCluster(c Cluster, f fileCluster) error {
	if !clusterName.MatchString(c.Name) {
		return l.clusterProblem(c.Name, "not a name for a cluster",
			"Give 1 to 40 of a-z, 0-9, _ and hyphen; what PostgreSQL calls it stands in `cluster`.")
	}
	keys, ok := engines[c.Engine]
	if !ok {
		return l.clusterProblem(c.Name, fmt.Sprintf("%.40q is not supported", c.Engine),
			"Set it to pgbackrest or wal-g.", "engine")
	}
	if err := l.checkEngineKeys(c, f, keys); err != nil {
		return err
	}
	for _, check := range []func(Cluster, fileCluster) error{
		l.checkServer, l.checkStanza, l.checkClusterKeep, l.checkRepository, l.checkClusterDrill,
	} {
		if err := check(c, f); err != nil {
			return err
		}
	}
	return nil
}

// checkEngineKeys refuses what the engine has no use for.
func (l loader) checkEngineKeys(c Cluster, f fileCluster, keys engineKeys) error {
	switch {
	case keys.noStanza != "" && f.Stanza != "":
		return l.clusterProblem(c.Name, "not a setting of "+string(c.Engine), keys.noStanza, "stanza")
	case keys.onlyRead && !c.OnlyRead():
		return l.clusterProblem(c.Name, "no settings of "+string(c.Engine)+", which pgbtui does not set up",
			"Name the file that has them, such as /var/lib/postgresql/.walg.json, or an environment file: it is only read.",
			"config")
	case keys.noDiff != "" && f.Keep.Diff != 0:
		return l.clusterProblem(c.Name, "not a setting of "+string(c.Engine), keys.noDiff, "keep", "diff")
	}
	return nil
}

// checkServer is about which server it is.
func (l loader) checkServer(c Cluster, _ fileCluster) error {
	switch {
	case c.Debian == "" && c.DataDirectory == "":
		return l.clusterProblem(c.Name, "nothing says which server this is",
			"Give `cluster: 15/main` as `pg_lsclusters` shows it, or `data_directory:` and `port:`.", "cluster")
	case c.Debian != "" && c.DataDirectory != "":
		return l.clusterProblem(c.Name, "both `cluster` and `data_directory`", "Give one of the two.", "data_directory")
	case c.Debian != "" && !debianCluster.MatchString(c.Debian):
		return l.clusterProblem(c.Name, fmt.Sprintf("%.60q is not a cluster's version and name", c.Debian),
			"Write it as version/name, such as 15/main; `pg_lsclusters` lists them.", "cluster")
	case c.DataDirectory != "" && !plainPath(c.DataDirectory):
		return l.clusterProblem(c.Name, fmt.Sprintf("%.80q is not the whole path of a folder", c.DataDirectory),
			"Give the path from / on, as `SHOW data_directory` prints it.", "data_directory")
	case c.Host != "" && !plainPath(c.Host):
		return l.clusterProblem(c.Name, fmt.Sprintf("%.80q is not the folder of a socket", c.Host),
			"Give the folder of the server's socket on this host: base backups read its files, so it has to be here.", "host")
	case c.Port != "" && !portNumber.MatchString(c.Port):
		return l.clusterProblem(c.Name, fmt.Sprintf("%.20q is not a port", c.Port), "Give a number such as 5432.", "port")
	case c.Debian != "" && c.Port != "":
		return l.clusterProblem(c.Name, "a port beside `cluster`", "Leave it out: Debian knows the cluster's port.", "port")
	}
	return nil
}

// plainPath is a whole path that means the same wherever it is written: in a unit, in the engine's file, in SQL.
func plainPath(path string) bool {
	return filepath.IsAbs(path) && filepath.Clean(path) == path && !strings.ContainsAny(path, "\"'\\%$\n\r\t")
}

func (l loader) checkStanza(c Cluster, _ fileCluster) error {
	if c.Stanza != "" && !stanzaName.MatchString(c.Stanza) {
		return l.clusterProblem(c.Name, fmt.Sprintf("%.60q is not a stanza's name", c.Stanza),
			"Give letters, digits, dot, _ and hyphen.", "stanza")
	}
	if c.ConfigFile != "" && !plainPath(c.ConfigFile) {
		return l.clusterProblem(c.Name, fmt.Sprintf("%.80q is not the whole path of a file", c.ConfigFile),
			"Give the path from / on, such as /etc/pgbackrest.conf.", "config")
	}
	return nil
}

func (l loader) checkClusterDrill(c Cluster, _ fileCluster) error {
	if c.Drill.At != "" && !plainPath(c.Drill.At) {
		return l.clusterProblem(c.Name, fmt.Sprintf("%.80q is not the whole path of a folder", c.Drill.At),
			"Give the path from / on, of a folder that the owner of the server's files may write to.", "drill", "at")
	}
	return nil
}

const mostKept = 9999999 // the engine's own limit

func (l loader) checkClusterKeep(c Cluster, f fileCluster) error {
	switch {
	case c.OnlyRead() && !engines[c.Engine].keepHere && (f.Keep.Full != 0 || f.Keep.Diff != 0):
		return l.clusterProblem(c.Name, "cannot be set beside `config`",
			"Set repo1-retention-full in "+c.ConfigFile+", which is only read here, or leave `config` out.", "keep")
	case f.Keep.Full < 0 || f.Keep.Full > mostKept:
		return l.clusterProblem(c.Name, fmt.Sprintf("%d is not a number of backups", f.Keep.Full),
			"Give 1 or more.", "keep", "full")
	case f.Keep.Diff < 0 || f.Keep.Diff > mostKept:
		return l.clusterProblem(c.Name, fmt.Sprintf("%d is not a number of backups", f.Keep.Diff),
			"Give 1 or more, or leave it out to keep all.", "keep", "diff")
	}
	return nil
}

func (l loader) checkRepository(c Cluster, f fileCluster) error {
	if c.OnlyRead() {
		if f.S3 != (fileClusterS3{}) {
			return l.clusterProblem(c.Name, "cannot be set beside `config`",
				"The repository stands in "+c.ConfigFile+", which is only read here; or leave `config` out.", "s3")
		}
		return nil
	}
	r := c.Repository
	switch {
	case r.S3.Bucket == "":
		return l.clusterProblem(c.Name, "no bucket",
			"Set s3.bucket for all jobs, or s3.bucket of the cluster.", "s3", "bucket")
	case !bucketName.MatchString(r.S3.Bucket):
		return l.clusterProblem(c.Name, fmt.Sprintf("%q is not a bucket's name", r.S3.Bucket),
			"Give 3 to 63 of a-z, 0-9, dot and hyphen, without s3:// and path.", "s3", "bucket")
	case !repositoryPath.MatchString(r.Path) || len(r.Path) > maxPrefix:
		return l.clusterProblem(c.Name, fmt.Sprintf("%.80q cannot be the engine's folder in the bucket", r.Path),
			"Give `path`, such as pitr/db1/main: letters, digits, . _ = and hyphen between single slashes.", "s3", "path")
	case r.S3.Region == "":
		return l.clusterProblem(c.Name, "no region, which the engine signs its requests with",
			"Give the region of the store, such as eu-central-1; of a store without regions us-east-1.", "s3", "region")
	case r.CAFile != "" && !plainPath(r.CAFile):
		return l.clusterProblem(c.Name, fmt.Sprintf("%.80q is not the whole path of a file", r.CAFile),
			"Give the path from / on.", "s3", "ca_file")
	}
	return l.checkRepositoryEndpoint(c)
}

func (l loader) checkRepositoryEndpoint(c Cluster) error {
	s := c.Repository.S3
	if s.Endpoint == "" {
		return nil
	}
	u, err := url.Parse(s.Endpoint)
	switch {
	case err != nil || u.Hostname() == "" || (u.Scheme != "https" && u.Scheme != "http") ||
		strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.User != nil:
		return l.clusterProblem(c.Name, fmt.Sprintf("%q is not the address of a store", s.Endpoint),
			"Write it as https://host[:port].", "s3", "endpoint")
	case u.Scheme == "http" && !loopback(u.Hostname()) && !s.AllowPlainHTTP:
		return l.clusterProblem(c.Name, s.Endpoint+" would send the database unencrypted through the network",
			"Use https, or set s3.allow_plain_http where the network is trusted.", "s3", "endpoint")
	}
	return nil
}

func loopback(host string) bool {
	return host == "localhost" || host == "::1" || strings.HasPrefix(host, "127.")
}

// checkClusters looks at all of them together, and at the jobs beside them.
func (l loader) checkClusters(c *Config) error {
	for i, one := range c.Clusters {
		for _, other := range c.Clusters[:i] {
			if err := l.checkApart(one, other); err != nil {
				return err
			}
		}
		if one.OnlyRead() {
			continue
		}
		for _, job := range c.All() {
			places := []S3{job.S3}
			for _, further := range job.Copies {
				places = append(places, further.S3)
			}
			for _, place := range places {
				if err := l.checkBesideSets(one, job.Name, place); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// checkBesideSets refuses a repository that lies where sets are listed and deleted, or the other way round.
func (l loader) checkBesideSets(one Cluster, job string, place S3) error {
	path := one.Repository.Path
	if !sameStore(place, one.Repository.S3) || !inside(path, place.Prefix) && !inside(place.Prefix, path) {
		return nil
	}
	return l.clusterProblem(one.Name,
		fmt.Sprintf("%s lies where the sets of job %q are kept (s3.prefix %q)", path, job, place.Prefix),
		"Give the cluster another path or bucket, or the job another prefix: what lists and deletes sets must never see WAL.",
		"s3", "path")
}

// checkApart refuses two clusters that would write over each other, or are the same server.
func (l loader) checkApart(one, other Cluster) error {
	switch {
	case one.Debian != "" && one.Debian == other.Debian,
		one.DataDirectory != "" && one.DataDirectory == other.DataDirectory:
		return l.clusterProblem(one.Name, "the same server as cluster "+other.Name, "Leave one of the two out.")
	case one.ConfigFile != "" && one.ConfigFile == other.ConfigFile && one.Stanza == other.Stanza:
		return l.clusterProblem(one.Name, one.ConfigFile+" is that of cluster "+other.Name+" as well",
			"Give each a file of its own, with a prefix or a stanza of its own.", "config")
	case one.OnlyRead() || other.OnlyRead():
		return nil
	case !sameStore(one.Repository.S3, other.Repository.S3):
		return nil
	case inside(one.Repository.Path, other.Repository.Path) || inside(other.Repository.Path, one.Repository.Path):
		return l.clusterProblem(one.Name, one.Repository.Path+" is the place of cluster "+other.Name+" as well",
			"Give each a path of its own.", "s3", "path")
	}
	return nil
}

func sameStore(a, b S3) bool { return a.Bucket == b.Bucket && a.Endpoint == b.Endpoint }

// inside reports whether a folder is another, or lies in it. Everything lies in "".
func inside(folder, other string) bool {
	return other == "" || folder == other || strings.HasPrefix(folder, other+"/")
}
