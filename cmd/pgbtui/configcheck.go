package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/backup/sealed"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
)

const configHelp = `Keys of /etc/pgbtui/config.yaml. All but jobs, label, read_only, signing and watch may also stand inside a job.

  label: production             shown in the console's first line; production is drawn in red
  read_only: false              the console gets nothing that changes anything
  instance: db1                 first folder below the prefix (default: the host's short name)
  database: production          a single database, without a jobs section
  postgres: {host, port, user, bin_dir}        default: local socket, the system user's name
  s3:
    bucket: company-backups     required
    prefix: postgresql          default
    region, endpoint, path_style, profile, credentials_file
    sse: AES256                 default; aws:kms with kms_key_id; none
    storage_class: STANDARD_IA  default on AWS; elsewhere only sent when set
    allow_plain_http: false     http:// to other hosts is refused without it
    expected_bucket_owner: 123456789012        AWS account of the bucket; one of another account is refused
    object_lock: {mode: governance, days: 30}  sets that nobody deletes before their time; or compliance; or none
  encryption: {recipients: [age1...], identity_file: /path}
  signing:                      at the top only
    public_keys: [MCowBQ...]    with any, only sets that one of these signed are trusted
    key_file: /path             the private key, unless the unit has the credential signing-key
  keep:                         which sets stay; any rule keeps; without a rule nothing is deleted
    last: 7                     the newest so many
    days: 30                    all that are not older
    daily, weekly, monthly, yearly: 12       the newest of each of so many days, weeks, ... (UTC)
    min_good: 3                 default; good sets that always stay
    by: backup                  default: each run deletes; timer: postgres-backup-prune@.timer does
  alert:
    slack_webhook: https://hooks.slack.com/...
    channels: [{url: ntfy://host/topic, severity: critical}, {url_file: /path}]
    remind: 24h                 a problem that goes on is told again
  watch: {ping_url: https://...}               called after each clean look; not inside a job
  warn: {size_drop: 50%, tables_drop: 20%}     a set with so much less than those before it warns; 0: never
  drill: {by: timer, amcheck: false, expect: [{sql: ..., result: ...}], server: {host, port, user}}
                                every week; without server, drills have a private one; by: hand: people start them
  rpo: 26h                      the newest good backup may be that old; default: by the job's timer
  proof_objective: 8d           the newest proof may be that old; default: by the timers of its drills
  stall_after: 10m              a run without a byte for this long ends
  connect_wait: 2m              how long a run waits for PostgreSQL
  lock_wait: 5m                 how long pg_dump waits for a table's lock
  spool_dir: /path              disk for restore --jobs
  jobs:
    shop: {database: shop, ...}   several jobs may name one database: each set belongs to the job that made it
    nightly: {formerly: [old-name]}            names that a job had before, whose sets are its own

Secrets of the units are files in /etc/pgbtui/secret, which root alone reads: writer, prover, keeper, reader (keys of
the store), signing-key, age-identity, database-password, alert-urls. systemd hands each unit those that it needs.

Environment, stronger than the file: DB_NAME, DB_USER, S3_BUCKET, AWS_REGION, RETENTION_DAYS,
BACKUP_DIR, SLACK_WEBHOOK_URL; and libpq's PG* and the AWS SDK's AWS_* variables.`

type jsonConfig struct {
	Schema int       `json:"schema"`
	File   string    `json:"file"`
	Label  string    `json:"label,omitempty"`
	Jobs   []jsonJob `json:"jobs"`
}

type jsonJob struct {
	Name      string        `json:"name"`
	Database  string        `json:"database"`
	Instance  string        `json:"instance"`
	Location  string        `json:"location"`
	Encrypted bool          `json:"encrypted"`
	Retention string        `json:"retention"`
	Findings  []jsonFinding `json:"findings"`
}

type jsonFinding struct {
	What   string `json:"what"`
	OK     bool   `json:"ok"`
	None   bool   `json:"none,omitempty"` // there was nothing to look at
	Detail string `json:"detail"`
	Remedy string `json:"remedy,omitempty"`
	Code   int    `json:"code"`
}

func describeJob(job config.Job) jsonJob {
	retention := "nothing is deleted"
	if len(job.Keep.Rules()) > 0 {
		retention = fmt.Sprintf("%s, at least %d good sets; by the %s", job.Keep, job.Keep.MinGood, job.Keep.By)
	}
	return jsonJob{
		Name: job.Name, Database: job.Database, Instance: job.Instance, Location: "s3://" + job.S3.Bucket + "/" + job.S3.Prefix,
		Encrypted: len(job.Encryption.Recipients) > 0, Retention: retention,
	}
}

// findings tries what a run will need.
func (p *program) findings(ctx context.Context, c *config.Config, job config.Job, offline bool) []jsonFinding {
	found := []jsonFinding{checkDatabase(job), checkEncryption(job)}
	if signing, err := p.checkSigning(job); signing != "" || err != nil {
		found = append(found, finding("signing", signing, err))
	}
	channels, bad := p.channels(c, job)
	alerts := finding("alerts", alertsDetail(len(channels)), errors.Join(bad...))
	alerts.None = alerts.OK && len(channels) == 0
	found = append(found, alerts)
	found = append(found, checkSecrets(c, job)...)
	if offline {
		return append(found, nothing("bucket", "not tried, by --offline"), nothing("postgresql", "not tried, by --offline"))
	}
	found = append(found, p.bucketFindings(ctx, job)...)
	if job.Database != "" {
		facts, detail, err := checkServer(ctx, job)
		found = append(found, finding("postgresql", detail, err))
		if err == nil && job.Drill.By == config.DrillByTimer {
			found = append(found, p.checkDrills(ctx, job, facts))
		}
	}
	timers, err := checkTimers(ctx, c, job)
	if timers == "" && err == nil {
		return append(found, nothing("timers", "not looked at: no units of pgbtui are installed here, or systemd does not answer"))
	}
	return append(found, finding("timers", timers, err))
}

// checkDatabase fails where nothing would be backed up, whatever else is right.
func checkDatabase(job config.Job) jsonFinding {
	if job.Database == "" {
		return finding("database", "", fault.New(fault.Config, "none is configured: nothing is backed up",
			"Set DB_NAME, or add a section under `jobs:` to "+config.DefaultFile+".", nil))
	}
	return finding("database", job.Database, nil)
}

func checkEncryption(job config.Job) jsonFinding {
	if len(job.Encryption.Recipients) == 0 {
		return nothing("encryption", "no recipients: sets are encrypted by the store alone (s3.sse: "+job.S3.SSE+")")
	}
	return finding("encryption", fmt.Sprintf("recipients are valid: %d", len(job.Encryption.Recipients)), checkRecipients(job))
}

func alertsDetail(channels int) string {
	if _, err := os.Stat(filepath.Join(systemd.SecretDir, "alert-urls")); channels == 0 && errors.Is(err, fs.ErrPermission) {
		return "in the journal only, unless root has handed the watch addresses: sudo pgbtui config check --offline"
	}
	if channels == 0 {
		return "in the journal only"
	}
	return fmt.Sprintf("channels: %d; pgbtui alert test tries them", channels)
}

func finding(what, good string, err error) jsonFinding {
	if err == nil {
		return jsonFinding{What: what, OK: true, Detail: good}
	}
	return jsonFinding{What: what, Detail: oneLine(err), Remedy: fault.Remedy(err), Code: int(fault.CodeOf(err))}
}

// nothing is for what was not looked at, or has nothing to look at: no fault, and not right either.
func nothing(what, why string) jsonFinding {
	return jsonFinding{What: what, OK: true, None: true, Detail: why}
}

// oneLine joins errors that were gathered.
func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }

func checkRecipients(job config.Job) error {
	_, err := sealed.Recipients(job.Encryption.Recipients)
	return err
}

// checkSigning says how sets are signed and trusted, or nothing when they are not. A key that comes
// as a credential is seen by the unit only.
func (p *program) checkSigning(job config.Job) (string, error) {
	signer, err := p.signer(job)
	keys := len(job.Signing.PublicKeys)
	switch {
	case err != nil:
		return "", err
	case signer == nil && keys == 0:
		return "", nil
	case signer == nil:
		return fmt.Sprintf("only sets signed by %d configured keys are trusted; no private key here: backups need the unit's credential signing-key", keys), nil
	case keys == 0:
		return "sets are signed by key " + signer.ID() + "; no public keys are configured, so that signatures are not looked at here", nil
	case !signer.Among(job.Signing.PublicKeys):
		return "", fault.New(fault.Config, "the signing key "+signer.ID()+" is not among signing.public_keys", "add its public key, or use the right private key", nil)
	}
	return fmt.Sprintf("sets are signed by key %s; sets signed by %d configured keys are trusted", signer.ID(), keys), nil
}

// checkServer connects once, without waiting, and looks for what would spoil a dump.
func checkServer(ctx context.Context, job config.Job) (facts postgres.Facts, detail string, err error) {
	c := job.Postgres
	server, err := postgres.Connect(ctx, postgres.Target{Host: c.Host, Port: c.Port, User: c.User, Database: job.Database}, 0)
	if err != nil {
		return facts, "", err
	}
	defer func() { _ = server.Close(ctx) }()
	if err := server.EnoughSessions(ctx); err != nil {
		return facts, "", err
	}
	facts, err = server.Facts(ctx)
	if err != nil {
		return facts, "", err
	}
	tools, err := postgres.FindTools(ctx, c.BinDir, facts.Major())
	if err != nil {
		return facts, "", err
	}
	if err := tools.CheckInto(facts.Major()); err != nil {
		return facts, "", err
	}
	if facts.Unreadable > 0 || facts.Unowned > 0 {
		return facts, "", fault.New(fault.NotPermitted, fmt.Sprintf("role %s can't read %d tables and %d large objects", facts.Role, facts.Unreadable, facts.Unowned),
			"GRANT pg_read_all_data TO the role (`pgbtui units print --sql`); large objects need their owner's rights", nil)
	}
	return facts, fmt.Sprintf("server %s as role %s, %s, %s", facts.Version, facts.Role, size(facts.SizeBytes), tools.Version), nil
}

func (p *program) printConfig(c jsonConfig) error {
	if p.json {
		return p.printJSON(c)
	}
	p.printf("file: %s\n", firstOf(printable.Text(c.File), noFile))
	for _, j := range c.Jobs {
		if j.Database == "" {
			p.printf("\nno job, to %s/%s\n", j.Location, printable.Text(j.Instance))
		} else {
			p.printf("\njob %s: database %s to %s/%s\n", printable.Text(j.Name), printable.Text(j.Database), j.Location, printable.Text(j.Instance))
		}
		p.printf("  encrypted by pgbtui: %v; retention: %s\n", j.Encrypted, j.Retention)
		for _, f := range j.Findings {
			p.printf("  %s %s: %s\n", f.mark(), f.What, printable.Text(f.Detail))
			if f.Remedy != "" {
				p.printf("       remedy: %s\n", printable.Text(f.Remedy))
			}
		}
	}
	return nil
}

func (f jsonFinding) mark() string {
	switch {
	case !f.OK:
		return "FAIL"
	case f.None:
		return "--  "
	}
	return "ok  "
}
