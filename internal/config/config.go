// Package config is the one typed configuration: the file, then the environment (the names of
// the shell script that pgbtui grew from), then flags; checked whole before anything starts.
//
// A Config is plain data. Errors carry exit code 78 and name the file and line, or the variable.
package config

import "time"

// DefaultFile is where units and console look; DefaultEnvFile is the units' EnvironmentFile=,
// read by the console too so that both see the same world.
const (
	DefaultFile    = "/etc/pgbtui/config.yaml"
	DefaultEnvFile = "/etc/pgbtui/environment"
)

// Config is everything, resolved: each job carries its own full settings.
type Config struct {
	File     string   // "" when none was read
	JobFiles []string // of conf.d beside it, in their order
	Label    string   // environment label on screen, e.g. "production"
	ReadOnly bool     // the console gets no write methods
	Watch    Watch
	Metrics  Metrics
	Cost     Cost
	Jobs     []Job     // sorted by name; empty when jobs are only named by template units
	Clusters []Cluster // whose every second is kept, sorted by name

	EnvFile    string   // the environment file that was looked for
	EnvSecrets []string // variables of it that hold secrets

	base    Job // the settings that a job without a section of its own gets
	origins origins
}

// Job is one database to one place in a bucket.
type Job struct {
	Name      string
	Formerly  []string // names that the job had before: their sets are its own
	Beside    []string // names of the other jobs for the same database of the same instance, into the same place
	Instance  string   // first folder below the prefix; default: the host's short name
	Database  string   // "" of a job of several, before On
	Databases []string // names and patterns of a job of several; none: it has one
	Exclude   []string // of these

	Schemas        []string // names and patterns of a job of tenants; none: its sets are of databases
	ExcludeSchemas []string // of these
	PerSchema      []SchemaSettings
	Schema         string // of one tenant, after In

	ExcludeTables    []TablePattern // not in the job's sets
	ExcludeTableData []TablePattern // in the job's sets without their rows

	Postgres    Postgres
	S3          S3
	Bandwidth   Bandwidth  // s3.bandwidth; not in S3, which says where sets are
	ObjectLock  ObjectLock // s3.object_lock; not in S3 for the same reason
	Transition  Transition // s3.transition; not in S3 for the same reason
	Copies      []Copy     // further places that hold the sets
	Copy        string     // the name of the copy that S3 is the place of, see AtCopy; "": the main place
	Encryption  Encryption
	Compression Compression
	Streams     Streams
	Signing     Signing
	Timetable   Timetable
	Keep        Keep
	Alert       Alert
	Heartbeat   Heartbeat
	Warn        Warn
	Drill       Drill
	// newest good set older than this is a breach; 0: by the timer's own calendar, see watch.Objective
	RPO time.Duration
	// newest proof older than this is a breach; 0: by the drill's timer, see watch.ProofObjective
	ProofWithin time.Duration
	RTO         time.Duration // a restore of the newest set takes longer than this: a breach; 0: not asked for
	StallAfter  time.Duration // no byte for this long ends a run; default 10m
	ConnectWait time.Duration // bound for PostgreSQL to become reachable; default 2m
	LockWait    time.Duration // pg_dump --lock-wait-timeout; default 5m
	RunWait     time.Duration // for the turn of another run of the same database; 0: see WaitsForTurn
	SpoolDir    string        // BACKUP_DIR: only for `restore --jobs`; default: the unit's StateDirectory, else os.TempDir

	fromFile bool  // has a section in the file
	others   []Job // that write into the same place, for On and In

	sharesLock bool // with another job of the same database, of which one or both are of its schemas
}

// turnWait is how long a run waits for the run of another job of its database.
const turnWait = time.Hour

// WaitsForTurn is how long a run waits for another run of the same database. Without a setting, it does where several
// jobs back the database up, since their calendars overlap; elsewhere a second run is a mistake, and told at once.
func (j Job) WaitsForTurn() time.Duration {
	if j.RunWait == 0 && (len(j.Beside) > 0 || j.sharesLock) {
		return turnWait
	}
	return j.RunWait
}

// Postgres says how to reach the server. Empty fields are libpq's defaults (socket, peer).
type Postgres struct {
	Host   string
	Port   string
	User   string
	BinDir string // where pg_dump of the right version is; default: searched
}

// S3 says where sets go.
type S3 struct {
	Bucket          string
	Prefix          string // without slashes around; default "postgresql"
	Region          string
	Endpoint        string // "" = AWS
	PathStyle       bool
	CredentialsFile string // AWS shared credentials file; default: the SDK's chain
	Profile         string
	SSE             string // "AES256" (default), "aws:kms", "none"
	KMSKeyID        string
	StorageClass    string // default STANDARD_IA on AWS, none elsewhere
	AllowPlainHTTP  bool   // http:// to anything but loopback is an error without this
	ExpectedOwner   string // AWS account ID that the bucket must belong to; "" = anybody's
	MaxParts        int    // of one upload; 0 = as many as on AWS, 10,000
	EqualParts      bool   // all but the last have one size
}

// Encryption is by age. Recipients are public; the identity file is only for reading back.
type Encryption struct {
	Recipients   []string
	IdentityFile string
}
