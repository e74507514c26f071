package config

import (
	"cmp"
	"errors"
	"os"
	"slices"
	"strings"
	"time"
)

// Source says where settings come from. Getenv is the process environment; its variables win
// over the EnvFile's, which the units load by themselves and the console does not.
type Source struct {
	File     string // read when it exists; must exist when Explicit
	Explicit bool
	EnvFile  string // "" = none; absent is fine
	Getenv   func(string) string
	Hostname string
	Text     []byte // in place of what is in File, before it is written; nil: the file is read
}

// Load reads, merges and checks everything. The errors carry code 78.
func Load(src Source) (*Config, error) {
	env, inFile, err := src.environment()
	if err != nil {
		return nil, err
	}
	doc, err := src.document()
	if err != nil {
		return nil, err
	}
	beside, err := src.jobFiles()
	if err != nil {
		return nil, err
	}
	l := loader{doc: doc, beside: beside, env: env, hostname: shortName(src.Hostname)}
	c, err := l.load()
	if c != nil {
		c.EnvFile, c.EnvSecrets = src.EnvFile, secretsIn(inFile)
		c.origins = origins{documents: l.documents(), getenv: src.Getenv, inFile: inFile, file: src.EnvFile}
	}
	return c, err
}

// jobFiles are those beside the file, also where that one does not exist.
func (src Source) jobFiles() ([]*document, error) {
	if src.File == "" {
		return nil, nil
	}
	return readJobFiles(src.File)
}

func (src Source) document() (*document, error) {
	if src.File == "" {
		return nil, nil
	}
	if src.Text != nil {
		return parseDocument(src.File, src.Text)
	}
	if _, err := os.Stat(src.File); errors.Is(err, os.ErrNotExist) && !src.Explicit {
		return nil, nil
	}
	return readDocument(src.File)
}

// environment looks a variable up, and is the environment file's content.
func (src Source) environment() (lookup func(string) string, inFile map[string]variable, err error) {
	inFile = map[string]variable{}
	if src.EnvFile != "" {
		if inFile, err = readEnvFile(src.EnvFile); err != nil {
			return nil, nil, err
		}
	}
	return func(name string) string {
		if v := src.Getenv(name); v != "" {
			return v
		}
		return inFile[name].value
	}, inFile, nil
}

func shortName(host string) string {
	short, _, _ := strings.Cut(host, ".")
	if short == "" {
		return "localhost"
	}
	return short
}

type loader struct {
	doc      *document   // nil: none
	beside   []*document // of conf.d
	env      func(string) string
	hostname string
}

func (l loader) load() (*Config, error) {
	c := &Config{}
	var top fileSettings
	var err error
	if l.doc != nil {
		if c.Watch, err = l.watch(l.doc.settings.Watch); err != nil {
			return nil, err
		}
		if c.Metrics, err = l.metrics(l.doc.settings.Metrics); err != nil {
			return nil, err
		}
		if c.Cost, err = l.cost(l.doc.settings.Cost); err != nil {
			return nil, err
		}
		c.File = l.doc.file
		c.Label = l.doc.settings.Label
		c.ReadOnly = l.doc.settings.ReadOnly
		top = l.doc.settings.fileSettings
	}
	if c.base, err = l.resolve("", top); err != nil {
		return nil, err
	}
	if err := l.checkDatabases("", c.base, top); err != nil {
		return nil, err
	}
	if err := l.checkTenants("", &c.base, top); err != nil {
		return nil, err
	}
	if err := refuseTwice(l.documents()); err != nil {
		return nil, err
	}
	for _, d := range l.documents() {
		if d.onlyJobs {
			c.JobFiles = append(c.JobFiles, d.file)
		}
		if err := l.fileJobs(c, d); err != nil {
			return nil, err
		}
	}
	// Jobs with sections may each bring what the top level lacks, such as the bucket.
	if err := l.clusters(c); err != nil {
		return nil, err
	}
	if alone := len(c.Jobs) == 0 && len(c.Clusters) == 0; l.defaultJob(c) || alone {
		if err := l.check("", c.base); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(c.Jobs, func(a, b Job) int { return strings.Compare(a.Name, b.Name) })
	if err := l.neighbours(c.Jobs); err != nil {
		return nil, err
	}
	return c, l.checkClusters(c)
}

// fileJobs adds the jobs of one file.
func (l loader) fileJobs(c *Config, of *document) error {
	for _, name := range of.jobNames() {
		settings, err := l.doc.top()
		if err != nil {
			return err
		}
		settings.Database = ""
		settings.Databases = nil
		settings.Schemas = nil
		node := of.settings.Jobs[name]
		if err := node.Decode(&settings); err != nil {
			return of.yamlError(err)
		}
		job, err := l.job(name, settings)
		if err != nil {
			return err
		}
		job.fromFile = true
		c.Jobs = append(c.Jobs, job)
	}
	return nil
}

// defaultJob adds the single database of the environment (DB_NAME) or of the file's top level,
// unless a job of the file already backs that database up.
func (l loader) defaultJob(c *Config) (added bool) {
	database := cmp.Or(l.env("DB_NAME"), c.base.Database, l.env("PGDATABASE"))
	if database == "" || slices.ContainsFunc(c.Jobs, func(j Job) bool { return j.Covers(database) }) {
		return false
	}
	if len(c.Jobs) > 0 && l.env("DB_NAME") == "" && c.base.Database == "" {
		return false // PGDATABASE alone does not add a job to a file that lists its jobs
	}
	job := c.base
	job.Name, job.Database = database, database
	c.Jobs = append(c.Jobs, job)
	return true
}

// job resolves and checks one job.
func (l loader) job(name string, f fileSettings) (Job, error) {
	j, err := l.resolve(name, f)
	if err != nil {
		return Job{}, err
	}
	if err := l.checkDatabases(name, j, f); err != nil {
		return Job{}, err
	}
	if err := l.checkTenants(name, &j, f); err != nil {
		return Job{}, err
	}
	return j, l.check(name, j)
}

// resolve fills one job: file settings, then the environment, then defaults.
func (l loader) resolve(name string, f fileSettings) (Job, error) {
	keep, err := l.keep(name, f.Keep)
	if err != nil {
		return Job{}, err
	}
	signing, err := l.signing()
	if err != nil {
		return Job{}, err
	}
	lock, err := l.objectLock(name, f.S3.ObjectLock)
	if err != nil {
		return Job{}, err
	}
	storedIn := f.S3.StorageClass
	// of another store's default nothing is known
	if f.S3.Endpoint+l.env("AWS_ENDPOINT_URL_S3")+l.env("AWS_ENDPOINT_URL") == "" {
		storedIn = cmp.Or(storedIn, "STANDARD_IA")
	}
	transition, err := l.transition(name, storedIn, f.S3.Transition)
	if err != nil {
		return Job{}, err
	}
	j := Job{
		Name:     name,
		Formerly: f.Formerly,
		Instance: cmp.Or(f.Instance, l.hostname),
		Database: cmp.Or(f.Database, name),
		Postgres: Postgres{
			Host: f.Postgres.Host, Port: f.Postgres.Port, User: cmp.Or(l.env("DB_USER"), f.Postgres.User),
			BinDir: f.Postgres.BinDir,
		},
		S3: S3{
			Bucket: cmp.Or(l.env("S3_BUCKET"), f.S3.Bucket), Prefix: strings.Trim(cmp.Or(f.S3.Prefix, "postgresql"), "/"),
			Region: cmp.Or(l.env("AWS_REGION"), l.env("AWS_DEFAULT_REGION"), f.S3.Region), Endpoint: f.S3.Endpoint,
			PathStyle: f.S3.PathStyle, CredentialsFile: f.S3.CredentialsFile, Profile: f.S3.Profile,
			SSE: cmp.Or(f.S3.SSE, "AES256"), KMSKeyID: f.S3.KMSKeyID, StorageClass: f.S3.StorageClass,
			AllowPlainHTTP: f.S3.AllowPlainHTTP,
			ExpectedOwner:  f.S3.ExpectedOwner, MaxParts: f.S3.MaxParts, EqualParts: f.S3.EqualParts,
		},
		Bandwidth:   f.S3.Bandwidth.limit(0),
		ObjectLock:  lock,
		Transition:  transition,
		Encryption:  Encryption{Recipients: f.Encryption.Recipients, IdentityFile: f.Encryption.IdentityFile},
		Compression: f.Compression,
		Streams:     f.Streams,
		Signing:     signing,
		Timetable:   f.timetable(),
		Keep:        keep,
		Alert:       l.alert(f.Alert),
		Heartbeat:   l.heartbeat(name, f.Heartbeat),
		Warn:        f.Warn.resolve(),
		Drill:       f.Drill.resolve(),
		RPO:         time.Duration(f.RPO),
		ProofWithin: time.Duration(f.ProofWithin),
		RTO:         time.Duration(f.RTO),
		StallAfter:  time.Duration(cmp.Or(f.StallAfter, duration(10*time.Minute))),
		ConnectWait: time.Duration(cmp.Or(f.ConnectWait, duration(2*time.Minute))),
		LockWait:    time.Duration(cmp.Or(f.LockWait, duration(5*time.Minute))),
		RunWait:     time.Duration(f.RunWait),
		SpoolDir:    cmp.Or(l.env("BACKUP_DIR"), f.SpoolDir),
		Databases:   f.Databases,
		Exclude:     f.Exclude,

		Schemas: f.Schemas, ExcludeSchemas: f.ExcludeSchemas,
	}
	if j.Several() {
		j.Database = ""
	}
	if j.Copies, err = l.copies(j, f.Copies); err != nil {
		return Job{}, err
	}
	return j, l.tables(name, &j, f)
}
