package config

import (
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Settings as a person asks for them: what each is, and where it was written. Rules: every key of the file has
// one row here (a test compares them with the file's own types), and no secret is ever a value.

// Setting is one setting as it holds for a job.
type Setting struct {
	Key    string // as in the file: "s3.bucket"
	Value  string // "" when nothing is set; of a secret, Hidden
	From   string // "/etc/pgbtui/config.yaml:3", "environment variable S3_BUCKET", "default"
	Secret bool
}

// Hidden is shown in the place of a secret.
const Hidden = "(set, not shown: it is a secret)"

// FromDefault is where a setting is from that nobody has written anywhere.
const FromDefault = "default"

// settingRow says how one setting is read back.
type settingRow struct {
	key      string
	value    func(*Config, Job) string
	stronger []string // variables that win over the file
	weaker   []string // variables of libpq and the AWS SDK, which count where the file says nothing
	topOnly  bool
	secret   bool
}

func settingRows() []settingRow {
	rows := []settingRow{
		{key: "label", value: func(c *Config, _ Job) string { return c.Label }, topOnly: true},
		{key: "read_only", value: func(c *Config, _ Job) string { return strconv.FormatBool(c.ReadOnly) }, topOnly: true},
		{key: "instance", value: ofJob(func(j Job) string { return j.Instance })},
		{key: "database", value: ofJob(func(j Job) string { return j.Database })},
		{key: "databases", value: ofJob(func(j Job) string { return list(j.Databases) })},
		{key: "exclude", value: ofJob(func(j Job) string { return list(j.Exclude) })},
		{key: "schemas", value: ofJob(func(j Job) string { return list(j.Schemas) })},
		{key: "exclude_schemas", value: ofJob(func(j Job) string { return list(j.ExcludeSchemas) })},
		{key: "per_schema", value: ofJob(perSchemaText)},
		{key: "exclude_tables", value: ofJob(func(j Job) string { return list(patternTexts(j.ExcludeTables)) })},
		{key: "exclude_table_data", value: ofJob(func(j Job) string { return list(patternTexts(j.ExcludeTableData)) })},
		{key: "formerly", value: ofJob(func(j Job) string { return list(j.Formerly) })},
	}
	rows = append(rows, postgresRows()...)
	rows = append(rows, storeRows()...)
	rows = append(rows, keyRows()...)
	rows = append(rows, scheduleRows()...)
	rows = append(rows, keepRows()...)
	rows = append(rows, alertRows()...)
	rows = append(rows, heartbeatRows()...)
	rows = append(rows, metricRows()...)
	rows = append(rows, settingRow{
		key: "cost.prices", topOnly: true, value: func(c *Config, _ Job) string { return c.Cost.Prices },
	})
	rows = append(rows, drillRows()...)
	return append(rows, timeRows()...)
}

func ofJob(value func(Job) string) func(*Config, Job) string {
	return func(_ *Config, j Job) string { return value(j) }
}

func postgresRows() []settingRow {
	return []settingRow{
		{key: "postgres.host", value: ofJob(func(j Job) string { return j.Postgres.Host }), weaker: []string{"PGHOST"}},
		{key: "postgres.port", value: ofJob(func(j Job) string { return j.Postgres.Port }), weaker: []string{"PGPORT"}},
		{
			key: "postgres.user", value: ofJob(func(j Job) string { return j.Postgres.User }),
			stronger: []string{"DB_USER"}, weaker: []string{"PGUSER"},
		},
		{key: "postgres.bin_dir", value: ofJob(func(j Job) string { return j.Postgres.BinDir })},
	}
}

func storeRows() []settingRow {
	return []settingRow{
		{key: "s3.bucket", value: ofJob(func(j Job) string { return j.S3.Bucket }), stronger: []string{"S3_BUCKET"}},
		{key: "s3.prefix", value: ofJob(func(j Job) string { return j.S3.Prefix })},
		{
			key: "s3.region", value: ofJob(func(j Job) string { return j.S3.Region }),
			stronger: []string{"AWS_REGION", "AWS_DEFAULT_REGION"},
		},
		{
			key: "s3.endpoint", value: ofJob(func(j Job) string { return withoutPassword(j.S3.Endpoint) }),
			weaker: []string{"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"},
		},
		{key: "s3.path_style", value: ofJob(func(j Job) string { return strconv.FormatBool(j.S3.PathStyle) })},
		{
			key: "s3.credentials_file", value: ofJob(func(j Job) string { return j.S3.CredentialsFile }),
			weaker: []string{"AWS_SHARED_CREDENTIALS_FILE"},
		},
		{key: "s3.profile", value: ofJob(func(j Job) string { return j.S3.Profile }), weaker: []string{"AWS_PROFILE"}},
		{key: "s3.sse", value: ofJob(func(j Job) string { return j.S3.SSE })},
		{key: "s3.kms_key_id", value: ofJob(func(j Job) string { return j.S3.KMSKeyID })},
		{key: "s3.storage_class", value: ofJob(func(j Job) string { return j.S3.StorageClass })},
		{key: "s3.allow_plain_http", value: ofJob(func(j Job) string { return strconv.FormatBool(j.S3.AllowPlainHTTP) })},
		{key: "s3.expected_bucket_owner", value: ofJob(func(j Job) string { return j.S3.ExpectedOwner })},
		{key: "s3.max_parts", value: ofJob(func(j Job) string { return number(j.S3.MaxParts) })},
		{key: "s3.equal_parts", value: ofJob(func(j Job) string { return strconv.FormatBool(j.S3.EqualParts) })},
		{key: "s3.bandwidth", value: ofJob(func(j Job) string { return j.Bandwidth.InBits() })},
		{key: "s3.object_lock.mode", value: ofJob(func(j Job) string { return j.ObjectLock.Mode })},
		{key: "s3.object_lock.days", value: ofJob(func(j Job) string { return number(j.ObjectLock.Days) })},
		{key: "s3.transition.class", value: ofJob(func(j Job) string { return j.Transition.Class })},
		{key: "s3.transition.days", value: ofJob(func(j Job) string { return number(j.Transition.Days) })},
		{key: "copies", value: ofJob(copiesText)},
	}
}

func keyRows() []settingRow {
	return []settingRow{
		{key: "encryption.recipients", value: ofJob(func(j Job) string { return list(j.Encryption.Recipients) })},
		{key: "encryption.identity_file", value: ofJob(func(j Job) string { return j.Encryption.IdentityFile })},
		{
			key: "signing.public_keys", topOnly: true,
			value: func(c *Config, _ Job) string { return list(c.base.Signing.texts) },
		},
		{key: "signing.key_file", topOnly: true, value: ofJob(func(j Job) string { return j.Signing.KeyFile })},
	}
}

func keepRows() []settingRow {
	return []settingRow{
		{key: "keep.last", value: ofJob(func(j Job) string { return number(j.Keep.Last) })},
		{
			key: "keep.days", value: ofJob(func(j Job) string { return number(j.Keep.Days) }),
			stronger: []string{"RETENTION_DAYS"},
		},
		{key: "keep.daily", value: ofJob(func(j Job) string { return number(j.Keep.Daily) })},
		{key: "keep.weekly", value: ofJob(func(j Job) string { return number(j.Keep.Weekly) })},
		{key: "keep.monthly", value: ofJob(func(j Job) string { return number(j.Keep.Monthly) })},
		{key: "keep.yearly", value: ofJob(func(j Job) string { return number(j.Keep.Yearly) })},
		{key: "keep.min_good", value: ofJob(func(j Job) string { return number(j.Keep.MinGood) })},
		{key: "keep.by", value: ofJob(func(j Job) string { return string(j.Keep.By) })},
	}
}

func alertRows() []settingRow {
	return []settingRow{
		{
			key: "alert.slack_webhook", value: ofJob(func(j Job) string { return j.Alert.SlackWebhook }),
			stronger: []string{"SLACK_WEBHOOK_URL"}, secret: true,
		},
		{key: "alert.channels", value: ofJob(channelsText)},
		{key: "alert.remind", value: ofJob(func(j Job) string { return timeText(j.Alert.Remind) })},
		{key: "watch.ping_url", value: func(c *Config, _ Job) string { return c.Watch.PingURL }, topOnly: true, secret: true},
		{key: "watch.test_alerts", value: func(c *Config, _ Job) string { return list(c.Watch.TestAlerts) }, topOnly: true},
		{key: "warn.size_drop", value: ofJob(func(j Job) string { return strconv.Itoa(j.Warn.SizeDrop) + "%" })},
		{key: "warn.tables_drop", value: ofJob(func(j Job) string { return strconv.Itoa(j.Warn.TablesDrop) + "%" })},
	}
}

func drillRows() []settingRow {
	return []settingRow{
		{key: "drill.by", value: ofJob(func(j Job) string { return string(j.Drill.By) })},
		{key: "drill.server.host", value: ofJob(func(j Job) string { return j.Drill.Server.Host })},
		{key: "drill.server.port", value: ofJob(func(j Job) string { return j.Drill.Server.Port })},
		{key: "drill.server.user", value: ofJob(func(j Job) string { return j.Drill.Server.User })},
		{key: "drill.amcheck", value: ofJob(func(j Job) string { return strconv.FormatBool(j.Drill.Amcheck) })},
		{key: "drill.expect", value: ofJob(expectText)},
	}
}

func timeRows() []settingRow {
	return []settingRow{
		{key: "rpo", value: ofJob(func(j Job) string { return timeText(j.RPO) })},
		{key: "proof_objective", value: ofJob(func(j Job) string { return timeText(j.ProofWithin) })},
		{key: "rto", value: ofJob(func(j Job) string { return timeText(j.RTO) })},
		{key: "stall_after", value: ofJob(func(j Job) string { return timeText(j.StallAfter) })},
		{key: "connect_wait", value: ofJob(func(j Job) string { return timeText(j.ConnectWait) })},
		{key: "lock_wait", value: ofJob(func(j Job) string { return timeText(j.LockWait) })},
		{key: "compression", value: ofJob(func(j Job) string { return j.Compression.String() })},
		{key: "streams", value: ofJob(func(j Job) string { return j.Streams.String() })},
		{key: "run_wait", value: ofJob(func(j Job) string { return timeText(j.WaitsForTurn()) })},
		{key: "spool_dir", value: ofJob(func(j Job) string { return j.SpoolDir }), stronger: []string{"BACKUP_DIR"}},
	}
}

func list(items []string) string { return strings.Join(items, ", ") }

// number leaves out what is not set: 0 is no rule.
func number(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// timeText writes whole hours, minutes and seconds as people write them into the file: "2m", not "2m0s".
func timeText(d time.Duration) string {
	if d == 0 {
		return ""
	}
	text := strings.TrimSuffix(d.String(), "0s")
	if text == "" || !strings.HasSuffix(d.String(), "m0s") {
		return d.String()
	}
	if hours, whole := strings.CutSuffix(text, "h0m"); whole {
		return hours + "h"
	}
	return text
}

// withoutPassword is an address without what may stand before its host; one with it is refused later.
func withoutPassword(address string) string {
	if u, err := url.Parse(address); err == nil && u.User != nil {
		return u.Redacted()
	}
	return address
}

// channelsText names files, which are no secrets, and says of addresses only that they are there.
func channelsText(j Job) string {
	var said []string
	for _, ch := range j.Alert.Channels {
		where := ch.URLFile
		if ch.URL != "" {
			where = "an address, which is a secret"
		}
		said = append(said, where+" ("+ch.Severity+")")
	}
	return list(said)
}

func expectText(j Job) string {
	var said []string
	for _, e := range j.Drill.Expect {
		said = append(said, e.SQL)
	}
	return strings.Join(said, "; ")
}
