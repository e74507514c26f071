package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"filippo.io/age"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/sealed"
	"codeberg.org/pgbtui/pgbtui/internal/backup/signing"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/journal"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
	"codeberg.org/pgbtui/pgbtui/internal/s3"
)

// program is one invocation: its streams and environment, and the flags every verb knows.
type program struct {
	in     *os.File
	out    io.Writer
	err    io.Writer
	getenv func(string) string
	now    func() time.Time

	configFile string
	json       bool
	noColor    bool
	identity   string
	watched    bool // somebody waits for the answer, see bucket

	duty duty // whose key the verb takes; "": that of people, s3.credentials_file

	toldOverrides bool

	buckets map[access]*s3.Bucket // open ones, closed at the end
	journal *journal.Handler      // nil until something is logged there
}

func (p *program) close() {
	if p.journal != nil {
		_ = p.journal.Close()
	}
	for _, b := range p.buckets {
		b.Close()
	}
}

// printf prints lines for people. Whatever is in them, nothing that a terminal acts on comes out.
func (p *program) printf(format string, args ...any) { _, _ = fmt.Fprintf(p.text(), format, args...) }

// toStdout reports whether what is printed goes to this process's own standard output.
func (p *program) toStdout() bool { return p.out == io.Writer(os.Stdout) }

// text is standard output for lines for people.
func (p *program) text() io.Writer { return printable.Writer(p.out) }

func hostname() string {
	host, err := os.Hostname()
	if err != nil {
		return "localhost"
	}
	return host
}

// config reads the configuration, and tells once what this shell overrides of what the units use.
func (p *program) config() (*config.Config, error) {
	c, err := p.readConfig()
	if err == nil && !p.toldOverrides && !p.inUnit() {
		for _, o := range c.Overrides() {
			_, _ = fmt.Fprintln(p.err, "note: "+printable.Text(o.String()))
		}
		p.toldOverrides = true
	}
	return c, err
}

// inUnit reports whether systemd started this process: its environment is what units use.
func (p *program) inUnit() bool {
	return p.getenv("INVOCATION_ID") != "" && p.getenv("SYSTEMD_EXEC_PID") != ""
}

func (p *program) readConfig() (*config.Config, error) {
	if err := p.adoptEnvironment(config.DefaultEnvFile); err != nil {
		return nil, err
	}
	src := config.Source{File: p.configFile, Explicit: p.configFile != "", EnvFile: config.DefaultEnvFile, Getenv: p.getenv, Hostname: hostname()}
	if src.File == "" {
		src.File = config.DefaultFile
	}
	return config.Load(src)
}

// adoptEnvironment sets what libpq's programs and the AWS SDK read from the process environment,
// so that a call by hand sees the world of the units.
func (p *program) adoptEnvironment(file string) error {
	vars, err := config.Passed(file)
	if err != nil {
		return err
	}
	for name, value := range vars {
		if p.getenv(name) != "" {
			continue
		}
		if err := os.Setenv(name, value); err != nil {
			return fmt.Errorf("set %s from %s: %w", name, file, err)
		}
	}
	return nil
}

func (p *program) job(name string) (config.Job, error) {
	c, err := p.config()
	if err != nil {
		return config.Job{}, err
	}
	return c.Job(name)
}

// bucket opens a job's bucket, once for equal settings. A store that is gone is told within seconds
// to somebody who waits at a screen; a run tries for a minute, since it has the night.
func (p *program) bucket(ctx context.Context, job config.Job) (*s3.Bucket, error) {
	return p.bucketAs(ctx, job, p.duty)
}

// access is a place in a store and whose key reaches it.
type access struct {
	config.S3
	duty duty
}

// bucketAs opens it with the key of a duty.
func (p *program) bucketAs(ctx context.Context, job config.Job, as duty) (*s3.Bucket, error) {
	if b := p.buckets[access{job.S3, as}]; b != nil {
		return b, nil
	}
	c := job.S3
	options := s3.Options{
		Bucket: c.Bucket, Region: c.Region, Endpoint: c.Endpoint, PathStyle: c.PathStyle, Profile: c.Profile,
		CredentialsFile: firstOf(p.storeKey(as), c.CredentialsFile), SSE: c.SSE, KMSKeyID: c.KMSKeyID,
		StorageClass: c.StorageClass, AllowPlainHTTP: c.AllowPlainHTTP, ExpectedBucketOwner: c.ExpectedOwner,
	}
	if p.watched && p.getenv("AWS_MAX_ATTEMPTS") == "" {
		options.MaxAttempts, options.IdleTimeout = 3, 15*time.Second
	}
	b, err := s3.Open(ctx, options)
	if err != nil {
		return nil, err
	}
	if p.buckets == nil {
		p.buckets = map[access]*s3.Bucket{}
	}
	p.buckets[access{job.S3, as}] = b
	return b, nil
}

// identities reads the age key for reading back: the flag, a credential, or the configuration.
func (p *program) identities(job config.Job) ([]age.Identity, error) {
	return sealed.Identities(firstOf(p.identity, p.credential("age-identity"), job.Encryption.IdentityFile))
}

// signer reads the key that signs sets: a credential, or the configuration; nil: sets are not signed.
func (p *program) signer(job config.Job) (*signing.Signer, error) {
	if file := p.credential("signing-key"); file != "" {
		return signing.Load(file, false)
	}
	if job.Signing.KeyFile == "" {
		return nil, nil
	}
	return signing.Load(job.Signing.KeyFile, true)
}

// env is the world for a run of this job.
func (p *program) env(ctx context.Context, job config.Job, log *slog.Logger) (backup.Env, error) {
	bucket, err := p.bucket(ctx, job)
	return backup.Env{
		Bucket: bucket, Log: log, Now: p.now, Host: hostname(), Tool: "pgbtui " + version(),
		InvocationID: p.getenv("INVOCATION_ID"), Trigger: p.trigger(), CacheDir: p.cacheDir(),
	}, err
}

// trigger tells who started this process. TRIGGER_UNIT is set since systemd 252.
func (p *program) trigger() string {
	switch {
	case !p.inUnit():
		return "cli"
	case strings.HasSuffix(p.getenv("TRIGGER_UNIT"), ".timer"):
		return "timer"
	}
	return "operator"
}

// underJournal reports whether standard error goes to the journal: this is a unit's process.
func (p *program) underJournal() bool {
	return p.err == io.Writer(os.Stderr) && journal.IsJournalStderr()
}

// logger writes to the journal under systemd, and readable lines everywhere else.
func (p *program) logger(level slog.Level) *slog.Logger {
	if p.underJournal() {
		if p.journal == nil {
			p.journal = journal.NewHandler(journal.HandlerOptions{Level: slog.LevelDebug})
		}
		return slog.New(p.journal)
	}
	return slog.New(journal.NewTextHandler(p.err, level))
}

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
