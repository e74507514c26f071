package dump

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/restore/kept"
	"codeberg.org/pgbtui/pgbtui/internal/bounded"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/event"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
)

// The databases of a job of several: found on the server at each run, and remembered on this host, so that a new one
// is told once and a dropped one is known as dropped by whoever cannot ask the server. Rules:
//
//   - templates, and databases that take no connections, are never backed up
//   - what is remembered decides nothing about what is backed up, and no set depends on it
//   - one that a pattern does not find any more was dropped; its sets stay

// Found is what the runs of a job found.
type Found struct {
	Schema    int             `json:"schema"`
	Location  string          `json:"location"` // of the job's instance in the bucket
	Job       string          `json:"job"`
	At        time.Time       `json:"at"` // of the newest look
	Databases []FoundDatabase `json:"databases"`
}

// FoundDatabase is one of them, also one that is gone.
type FoundDatabase struct {
	Name      string    `json:"name"`
	Since     time.Time `json:"since"`              // it was first found then
	New       bool      `json:"new,omitempty"`      // not by the job's first run
	GoneSince time.Time `json:"goneSince,omitzero"` // it was first missing then
	TriedAt   time.Time `json:"triedAt,omitzero"`   // the newest run that began with it
	Failed    bool      `json:"failed,omitempty"`   // and made no set
}

// Names are those of all databases, also of those that are gone.
func (f *Found) Names() (names []string) {
	if f == nil {
		return nil
	}
	for _, d := range f.Databases {
		names = append(names, d.Name)
	}
	return names
}

// Of is what is known of one database; the zero value is nothing.
func (f *Found) Of(database string) FoundDatabase {
	if f == nil {
		return FoundDatabase{}
	}
	for _, d := range f.Databases {
		if d.Name == database {
			return d
		}
	}
	return FoundDatabase{}
}

// Parts are the databases, or the schemas of its database, that a job backs up now: what its patterns find, and what it
// names.
func Parts(ctx context.Context, job config.Job, env backup.Env) ([]string, error) {
	ask := func() ([]string, error) { return ServerDatabases(ctx, job, env, job.ConnectWait) }
	if job.Tenants() {
		ask = func() ([]string, error) { return schemasOf(ctx, job, env) }
	}
	all, err := ask()
	if err != nil {
		return nil, err
	}
	names := append(all, job.AskedFor()...)
	slices.Sort(names)
	names = slices.DeleteFunc(slices.Compact(names), func(name string) bool { return !job.CoversPart(name) })
	switch {
	case len(names) > 0:
		return names, nil
	case job.Tenants():
		return nil, fault.New(fault.NotFound,
			fmt.Sprintf("backup: job %q finds no schema in database %q", job.Name, job.Database),
			"Correct its schemas and exclude_schemas; `pgbtui config show` says where they are written.", nil)
	}
	return nil, fault.New(fault.NotFound, fmt.Sprintf("backup: job %q finds no database on its server", job.Name),
		"Correct its databases and exclude; `pgbtui config show` says where they are written.", nil)
}

func schemasOf(ctx context.Context, job config.Job, env backup.Env) ([]string, error) {
	to := postgres.Target{
		Host: job.Postgres.Host, Port: job.Postgres.Port, User: job.Postgres.User, Database: job.Database,
	}
	server, err := backup.WaitFor(ctx, env.Log, to, job.ConnectWait)
	if err != nil {
		return nil, err
	}
	names, err := server.Schemas(ctx)
	return withoutKept(names), errors.Join(err, server.Close(context.WithoutCancel(ctx)))
}

// withoutKept leaves out what restores keep beside a tenant's live schema: no tenant has it.
func withoutKept(schemas []string) []string {
	return slices.DeleteFunc(slices.Clone(schemas), func(name string) bool {
		return slices.ContainsFunc(schemas, func(live string) bool { return kept.WordOf(live, name) != "" })
	})
}

// ServerDatabases are all of the job's server that can be backed up, sorted.
func ServerDatabases(ctx context.Context, job config.Job, env backup.Env, wait time.Duration) ([]string, error) {
	server, err := maintenance(ctx, job, env, wait)
	if err != nil {
		return nil, err
	}
	names, err := server.Backupable(ctx)
	return names, errors.Join(err, server.Close(context.WithoutCancel(ctx)))
}

// maintenance connects to the job's server where every server can be connected to.
func maintenance(
	ctx context.Context, job config.Job, env backup.Env, wait time.Duration,
) (server *postgres.Server, err error) {
	for _, maintenance := range []string{"postgres", "template1"} { // somebody may have dropped the first
		to := postgres.Target{
			Host: job.Postgres.Host, Port: job.Postgres.Port, User: job.Postgres.User, Database: maintenance,
		}
		if server, err = backup.WaitFor(ctx, env.Log, to, wait); fault.CodeOf(err) != fault.NotFound {
			break
		}
	}
	return server, err
}

// foundFile is where the databases of a job are remembered.
func foundFile(dir string, job config.Job) (file, location string) {
	location = job.S3.Endpoint + " " + job.S3.Bucket + "/" + job.S3.Prefix + "/" + backup.EncodeName(job.Instance)
	return filepath.Join(dir, fmt.Sprintf("found-%x.json", sha256.Sum256([]byte(location+"\x00"+job.Name)))), location
}

// ReadFound is what this host's runs of a job found; nil where nothing is remembered.
func ReadFound(dir string, job config.Job) (*Found, error) {
	if dir == "" {
		return nil, nil
	}
	file, location := foundFile(dir, job)
	raw, err := bounded.ReadPlain(file, bounded.File)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("backup: recall the databases of job %q: %w", job.Name, err)
	}
	var f Found
	if err := json.Unmarshal(raw, &f); err != nil || f.Location != location || f.Job != job.Name {
		return nil, fault.New(fault.Failed, "backup: recall the databases of job "+job.Name+": "+file+" is damaged",
			"Remove it; the next backup writes it again.", err)
	}
	return &f, nil
}

// Look compares what a run finds with what runs before it found, and tells what is new and what is gone.
func (f *Found) Look(ctx context.Context, log *slog.Logger, job config.Job, names []string, now time.Time) *Found {
	next := &Found{Schema: backup.ManifestSchema, Job: job.Name, At: now}
	for _, name := range names {
		d := f.Of(name)
		if d.Name == "" || !d.GoneSince.IsZero() {
			d = FoundDatabase{Name: name, Since: now, New: f != nil}
			if d.New {
				log.InfoContext(ctx,
					fmt.Sprintf("%s %q is new, and backed up by job %q from now on", job.PartKind(), name, job.Name),
					event.Attr(event.DatabaseFound), slog.String("job", job.Name), slog.String(job.PartKind(), name))
			}
		}
		next.Databases = append(next.Databases, d)
	}
	for _, name := range f.Names() {
		d := f.Of(name)
		if slices.Contains(names, name) || !job.CoversPart(name) { // what is excluded now is nobody's business any more
			continue
		}
		if d.GoneSince.IsZero() {
			d.GoneSince = now
			log.WarnContext(ctx, fmt.Sprintf("%s %q is gone from the server; its backups stay", job.PartKind(), name),
				event.Attr(event.DatabaseGone), slog.String("job", job.Name), slog.String(job.PartKind(), name))
		}
		next.Databases = append(next.Databases, d)
	}
	return next
}

// Tried records how a run of one database ended.
func (f *Found) Tried(database string, at time.Time, failed bool) {
	for i := range f.Databases {
		if f.Databases[i].Name == database {
			f.Databases[i].TriedAt = at
			f.Databases[i].Failed = failed
		}
	}
}

// retriedWithin is how long after a run its retries come: the units' four tries take less.
const retriedWithin = 6 * time.Hour

// Left are those of names that a retry has still to do: the run that it repeats has made a set of the others.
func (f *Found) Left(names []string, now time.Time) (left []string) {
	for _, name := range names {
		d := f.Of(name)
		if age := now.Sub(d.TriedAt); d.Failed || age > retriedWithin || age < 0 {
			left = append(left, name)
		}
	}
	return left
}

// Save keeps it, for the next run and for the watch.
func (f *Found) Save(dir string, job config.Job) error {
	if dir == "" {
		return nil
	}
	file, location := foundFile(dir, job)
	f.Location = location
	body, err := json.Marshal(f)
	if err == nil {
		err = writeForGroup(file, body)
	}
	if err != nil {
		return fmt.Errorf("backup: remember the databases of job %q: %w", job.Name, err)
	}
	return nil
}

// writeForGroup replaces a file as a whole. The watch, another user of the group, reads it; it is no secret, and
// the unit's umask is 0077.
func writeForGroup(file string, body []byte) error {
	next := file + ".next"
	if err := os.WriteFile(next, body, 0o640); err != nil { //nolint:gosec // G306: as above
		return err
	}
	if err := os.Chmod(next, 0o640); err != nil { //nolint:gosec // G302: as above
		return err
	}
	return os.Rename(next, file)
}
