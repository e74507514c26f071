package config

import (
	"cmp"
	"path"
	"slices"
	"strings"
	"time"
)

// Clusters: PostgreSQL servers whose WAL is archived, so that they can be recovered to any second. An engine that is
// not ours, pgBackRest or WAL-G, makes their base backups and keeps their WAL. Rules:
//
//   - where the repository lies follows the settings of all jobs, under another prefix than the sets: nothing that
//     lists or deletes sets ever looks below it
//   - an engine configuration of somebody else is only read; what it decides cannot be set here as well

// Cluster is one of them, with its settings resolved.
type Cluster struct {
	Name     string
	Engine   Engine
	Stanza   string // the engine's name for it; "" of an engine that has none
	Instance string // as of a job

	Debian        string // "15/main": where postgresql-common keeps it; "" when the data directory is given
	DataDirectory string // "" when it is Debian's, which is asked
	Host          string // folder of the server's socket; "": libpq's default
	Port          string // "": libpq's default, or that of Debian's cluster

	ConfigFile string // the engine configuration of somebody else; "": one of ours
	Repository Repository

	Keep ClusterKeep

	// what may be lost: more WAL than that is not in the archive, a breach
	RPO time.Duration
	// a newest base backup that is older than this is a breach: the WAL to replay since then grows
	BaseWithin time.Duration
	// the newest proof by a drill is older than this: a breach; 0: not asked for
	ProofWithin time.Duration
	// a recovery took longer than this in the newest drill: a breach; 0: not asked for
	RTO time.Duration

	Drill ClusterDrill
}

// ClusterDrill says how the recovery of a cluster is rehearsed.
type ClusterDrill struct {
	Amcheck bool   // pg_amcheck over every database of the copy
	At      string // folder for the copy's files; "": that of all copies
}

// Engine is what makes base backups and keeps WAL.
type Engine string

// The engines.
const (
	EnginePgBackRest Engine = "pgbackrest"
	EngineWALG       Engine = "wal-g"
)

// engineKeys says which keys of a cluster an engine has no use for, and why. Every other one holds for all.
type engineKeys struct {
	onlyRead bool   // its configuration is always somebody else's
	noStanza string // remedy for a stanza
	keepHere bool   // retention stands here although its configuration is somebody else's, which has no such setting
	noDiff   string // remedy for keep.diff
}

var engines = map[Engine]engineKeys{
	EnginePgBackRest: {},
	EngineWALG: {
		onlyRead: true, keepHere: true,
		noStanza: "Leave it out: WAL-G has no stanzas, and its prefix stands in the file that `config` names.",
		noDiff:   "Leave it out: WAL-G keeps the deltas of each full backup that it keeps.",
	},
}

// Repository is where base backups and WAL are kept. Zero for a configuration of somebody else.
type Repository struct {
	S3         S3     // of which only the fields that the engine has a setting for
	Path       string // in the bucket, without slashes around
	CAFile     string // of the store's certificate; "": the system's
	SkipVerify bool   // the store's certificate is not checked
}

// ClusterKeep is what the engine keeps: so many backups, and the WAL that they need.
type ClusterKeep struct {
	Full int // full backups with what follows from them
	Diff int // differential backups of a full one; 0: all
}

// BackupKind is one of the three kinds of base backup.
type BackupKind string

// The three kinds, by the engine's own words.
const (
	FullBackup BackupKind = "full" // everything
	DiffBackup BackupKind = "diff" // what changed since the last full one
	IncrBackup BackupKind = "incr" // what changed since the last one of any kind
)

// BackupKinds are the three, the largest first.
func BackupKinds() []BackupKind { return []BackupKind{FullBackup, DiffBackup, IncrBackup} }

// OnlyRead reports whether the engine's configuration is somebody else's.
func (c Cluster) OnlyRead() bool { return c.ConfigFile != "" }

// Cluster is one by its name; with an empty name the only one.
func (c *Config) Cluster(name string) (Cluster, error) {
	if name == "" && len(c.Clusters) == 1 {
		return c.Clusters[0], nil
	}
	for _, one := range c.Clusters {
		if one.Name == name && name != "" {
			return one, nil
		}
	}
	return Cluster{}, c.noCluster(name)
}

type fileCluster struct {
	Engine        string        `yaml:"engine"`
	Stanza        string        `yaml:"stanza"`
	Instance      string        `yaml:"instance"`
	Cluster       string        `yaml:"cluster"`
	DataDirectory string        `yaml:"data_directory"`
	Host          string        `yaml:"host"`
	Port          string        `yaml:"port"`
	Config        string        `yaml:"config"`
	S3            fileClusterS3 `yaml:"s3"`
	Keep          struct {
		Full int `yaml:"full"`
		Diff int `yaml:"diff"`
	} `yaml:"keep"`
	RPO        duration `yaml:"rpo"`
	BaseWithin duration `yaml:"base_within"`

	ProofWithin duration `yaml:"proof_objective"`
	RTO         duration `yaml:"rto"`
	Drill       struct {
		Amcheck bool   `yaml:"amcheck"`
		At      string `yaml:"at"`
	} `yaml:"drill"`
}

// fileClusterS3 are the settings of a store that the engine has, too; what is left out is that of all jobs.
type fileClusterS3 struct {
	Bucket          string `yaml:"bucket"`
	Path            string `yaml:"path"`
	Region          string `yaml:"region"`
	Endpoint        string `yaml:"endpoint"`
	PathStyle       *bool  `yaml:"path_style"`
	CredentialsFile string `yaml:"credentials_file"`
	Profile         string `yaml:"profile"`
	KMSKeyID        string `yaml:"kms_key_id"`
	AllowPlainHTTP  *bool  `yaml:"allow_plain_http"`
	CAFile          string `yaml:"ca_file"`
	VerifyTLS       *bool  `yaml:"verify_tls"`
}

// Defaults of a cluster.
const (
	clusterRPO        = 10 * time.Minute
	clusterBaseWithin = 8 * 24 * time.Hour // a full backup a week, and a day for its trouble
	clusterFull       = 2
	clusterPrefix     = "pitr"
)

// clusters adds those of the file.
func (l loader) clusters(c *Config) error {
	if l.doc == nil {
		return nil
	}
	for _, name := range sortedKeys(l.doc.settings.Clusters) {
		node := l.doc.settings.Clusters[name]
		var f fileCluster
		if err := node.Decode(&f); err != nil {
			return l.doc.yamlError(err)
		}
		one := l.cluster(name, f, c.base)
		if err := l.checkCluster(one, f); err != nil {
			return err
		}
		c.Clusters = append(c.Clusters, one)
	}
	return nil
}

// cluster resolves one: its own settings, then those of all jobs, then defaults.
func (l loader) cluster(name string, f fileCluster, base Job) Cluster {
	one := Cluster{
		Name: name, Engine: Engine(cmp.Or(f.Engine, string(EnginePgBackRest))), Stanza: f.Stanza,
		Instance: cmp.Or(f.Instance, base.Instance),
		Debian:   f.Cluster, DataDirectory: strings.TrimRight(f.DataDirectory, "/"), Host: f.Host, Port: f.Port,
		ConfigFile: f.Config,
		RPO:        cmp.Or(time.Duration(f.RPO), clusterRPO),
		BaseWithin: cmp.Or(time.Duration(f.BaseWithin), clusterBaseWithin),

		ProofWithin: time.Duration(f.ProofWithin), RTO: time.Duration(f.RTO), Drill: ClusterDrill(f.Drill),
	}
	keys := engines[one.Engine]
	if one.Stanza == "" && keys.noStanza == "" {
		one.Stanza = name
	}
	if keys.keepHere {
		one.Keep = ClusterKeep{Full: f.Keep.Full}
	}
	if one.OnlyRead() || keys.onlyRead {
		return one
	}
	one.Keep = ClusterKeep{Full: cmp.Or(f.Keep.Full, clusterFull), Diff: f.Keep.Diff}
	one.Repository = repositoryOf(f.S3, base.S3)
	if one.Repository.Path == "" {
		one.Repository.Path = path.Join(clusterPrefix, one.Instance, name)
	}
	return one
}

func repositoryOf(f fileClusterS3, base S3) Repository {
	s := S3{
		Bucket: cmp.Or(f.Bucket, base.Bucket), Region: cmp.Or(f.Region, base.Region),
		Endpoint: cmp.Or(f.Endpoint, base.Endpoint), PathStyle: base.PathStyle,
		CredentialsFile: cmp.Or(f.CredentialsFile, base.CredentialsFile), Profile: cmp.Or(f.Profile, base.Profile),
		KMSKeyID: cmp.Or(f.KMSKeyID, base.KMSKeyID), AllowPlainHTTP: base.AllowPlainHTTP,
	}
	if f.PathStyle != nil {
		s.PathStyle = *f.PathStyle
	}
	if f.AllowPlainHTTP != nil {
		s.AllowPlainHTTP = *f.AllowPlainHTTP
	}
	return Repository{
		S3: s, Path: strings.Trim(f.Path, "/"), CAFile: f.CAFile,
		SkipVerify: f.VerifyTLS != nil && !*f.VerifyTLS,
	}
}

func sortedKeys[V any](of map[string]V) []string {
	var keys []string
	for key := range of {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
