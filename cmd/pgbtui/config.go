package main

import "github.com/spf13/cobra"

func newConfigCommand(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use: "config", Short: "Show and check the configuration", Args: noArgs,
		RunE: func(*cobra.Command, []string) error { return usageText("config needs check or show") },
	}
	cmd.AddCommand(newConfigCheckCommand(p), newConfigShowCommand(p))
	return cmd
}

const configHelp = `Keys of /etc/pgbtui/config.yaml. All but cost, jobs, label, metrics, read_only, signing and
watch may
also stand inside a job.

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
    max_parts: 10000            1000 where the store allows no more; equal_parts: true where all must have one size
    bandwidth: 30 MB/s          what a run sends at most, in bytes, or 200 Mbit/s in bits; none; default: no limit
    object_lock: {mode: governance, days: 30}  sets that nobody deletes before their time; or compliance; or none
    transition: {class: GLACIER_IR, days: 60}  where the store moves dumps, by aws bucket apply; class none: nowhere
  copies:                       further places that hold the sets; [] in a job: none (docs/copies.md)
    - name: other-region
      s3: {bucket: required, region, prefix, ...}    as above, without object_lock and transition
      keep: {days: 90}          the copy's own rules; default: the job's
      verify: false             true: the daily verification also reads the copy
      late_after: 26h           default
  encryption: {recipients: [age1...], identity_file: /path}
  signing:                      at the top only
    public_keys: [MCowBQ...]    with any, only sets that one of these signed are trusted
    key_file: /path             the private key, unless the unit has the credential signing-key
  schedule: "*-*-* 02:00:00 UTC"               when backups run (systemd.time(7)), or a list; jobs sync applies it
  jitter: 30m                   the longest random delay; the same keys in verify, drill and keep are for their timers
  keep:                         which sets stay; any rule keeps; without a rule nothing is deleted
    last: 7                     the newest so many
    days: 30                    all that are not older
    daily, weekly, monthly, yearly: 12       the newest of each of so many days, weeks, ... (UTC)
    min_good: 3                 default; good sets that always stay
    by: backup                  default: each run deletes; timer: postgres-backup-prune@.timer does
  alert:
    slack_webhook: https://hooks.slack.com/...
    channels: [{url: ntfy://host/topic, severity: critical}, {url_file: /path}]
    remind: 24h                 a reminder of a problem that lasts
  heartbeat: {url: https://hc-ping.com/...}    told when a run starts and ends; {job} is the job's name; or url_file
  watch:                        not inside a job
    ping_url: https://...       called after each clean look
    test_alerts: "Mon *-*-* 09:00:00 UTC"      when a test goes to every channel; pgbtui jobs sync applies it
  metrics:                      for Prometheus and CloudWatch; not inside a job
    textfile: /var/lib/prometheus/node-exporter
    pushgateway: http://host:9091
    cloudwatch: {namespace: Database/Backups, region, dimensions: {Team: x}, credentials_file, profile}
  cost: {prices: /etc/pgbtui/prices.yaml}      for estimates; pgbtui cost refresh writes it; not inside a job
  warn: {size_drop: 50%, tables_drop: 20%}     a set with so much less than those before it warns; 0: never
  drill: {by: timer, amcheck: false, expect: [{sql: ..., result: ...}], server: {host, port, user}}
                                every week; without server, drills have a private one; by: hand: people start them
  compression: auto             or a level of zstd, 1 to 19; auto takes what the host has to spare
  streams: auto                 or in how many a database is dumped at once, 1 to 8; auto: several from 10 GiB on
  rpo: 26h                      the newest good backup may be that old; default: by the job's timer
  proof_objective: 8d           the newest proof may be that old; default: by the timers of its drills
  rto: 4h                       a restore may take that long, by the newest drill or restore; default: not judged
  stall_after: 10m              a run without a byte for this long ends
  connect_wait: 2m              how long a run waits for PostgreSQL
  lock_wait: 5m                 how long pg_dump waits for a table's lock
  run_wait: 1h                  how long a run waits for another one of its database; default only beside other jobs
  spool_dir: /path              disk for restore --jobs of sets without an index
  jobs:
    shop: {database: shop, ...}   several jobs may name one database: each set belongs to the job that made it
    all: {databases: "*", exclude: ["tmp_*"]}  every database that a run finds, but these; or a list of names
    tenants: {database: crm, schemas: ["tenant_*"], exclude_schemas: [...],  one set for each schema
              per_schema: [{schemas: tenant_acme, keep: {daily: 400}, recipients: [age1...]}]}
    small: {exclude_tables: [public.log, "audit_*"], exclude_table_data: [...]}  sets without these, or their rows
    nightly: {formerly: [old-name]}            names that a job had before, whose sets are its own

Files conf.d/*.yaml beside the configuration may add jobs; they hold jobs: and nothing else.

Secrets of the units are files in /etc/pgbtui/secret, which root alone reads: writer, prover, keeper, reader (keys of
the store), signing-key, age-identity, database-password, alert-urls, heartbeat-url. systemd hands each unit
those that it needs.

Environment, stronger than the file: DB_NAME, DB_USER, S3_BUCKET, AWS_REGION, RETENTION_DAYS,
BACKUP_DIR, SLACK_WEBHOOK_URL; and libpq's PG* and the AWS SDK's AWS_* variables.`
