package postgres

import (
	"regexp"
	"sync"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// A diagnosis ties what a program wrote on standard error to an exit code and a remedy.
type diagnosis struct {
	text   *regexp.Regexp
	code   fault.Code
	remedy string
}

const remedyCustom = "Set that parameter for the source's database as well (ALTER DATABASE … SET), and not only " +
	"in its server's configuration, " +
	"so that backups have it, or in the configuration of the server that is restored into."

const remedyPreload = "Restore into a server that loads the extension's library by shared_preload_libraries."

// RemedyBound is for pg_cron, which only one database of a server may have.
const RemedyBound = "Restore into the database that cron.database_name names, or let it name the new one (ALTER " +
	"SYSTEM SET cron.database_name, then restart the server)."

// RemedyOldStrings is for a dump that was made with standard_conforming_strings off.
const RemedyOldStrings = "Restore it into a server of a version before 19, and back it up from there, or back up " +
	"the source again: " +
	"backups are now made with standard_conforming_strings on."

// conflictWithRecovery is how a standby ends who still reads what its primary has removed.
var conflictWithRecovery = regexp.MustCompile(`conflict with recovery`)

const remedyConflict = "Set hot_standby_feedback = on on the standby, raise max_standby_streaming_delay there " +
	"above the time that a dump takes, or back up the primary: " +
	"the standby ended the session because it had to remove rows or tables that were still being read, as its primary did."

const remedyTooLong = "Find the row that is longer than PostgreSQL can write as text: a bytea of more than 512 " +
	"MiB, or 1 GiB of all columns together. " +
	"octet_length() finds it. Divide it, or keep it outside that table. Until then no program can dump this database."

const remedyCorrupt = "Keep the older backups, and check the server's disks and its log: the source is damaged."

// tooLong is of a value whose text has 1 to 2 GiB. PostgreSQL asks for other sizes when it reads damaged pages.
var tooLong = regexp.MustCompile(`invalid memory alloc request size [12]\d{9}\b|Cannot enlarge string buffer`)

// diagnoses are tried in order; the first that matches any line counts. The texts are libpq's,
// the programs' and the server's English ones; the server is asked for
// them (Target.InEnglish, and lc_messages of the backups' role). Where it may not be asked, its words are told apart
// only where libpq or the program speaks; else the code is Failed, which is retried.
var diagnoses = sync.OnceValue(func() []diagnosis {
	return []diagnosis{
		{
			regexp.MustCompile(`server version mismatch`), fault.Refused,
			"Install the client programs of the server's major version.",
		},
		{lockTableFull, fault.Refused, remedyLockTable},
		{tooLong, fault.Refused, remedyTooLong},
		{regexp.MustCompile(`FATAL: +database ".*" does not exist`), fault.NotFound, remedyNoDatabase},
		{
			regexp.MustCompile(`authentication failed|no pg_hba\.conf entry|pg_hba\.conf rejects|` +
				`no password supplied|is not permitted to log in|` +
				`FATAL: +role ".*" does not exist|permission denied for database`),
			fault.NotPermitted, remedyLogin,
		},
		{
			regexp.MustCompile(`row-level security policy`), fault.NotPermitted,
			"Run ALTER ROLE … BYPASSRLS for the backup role.",
		},
		{
			regexp.MustCompile(`permission denied for large object`), fault.NotPermitted,
			"Let the backup role own or read all large objects: GRANT SELECT ON LARGE OBJECT …, " +
				"or GRANT the owning roles to it.",
		},
		{
			regexp.MustCompile(`permission denied to create extension|Must be superuser to create this extension`),
			fault.NotPermitted,
			"Have a superuser of the target's server restore it: only a superuser may create that extension.",
		},
		{
			regexp.MustCompile(`must be (a )?member of role|must be able to SET ROLE`), fault.NotPermitted,
			"Restore with --no-owner, or have a superuser of the target's server restore it: only members of a role may " +
				"give it anything.",
		},
		{
			regexp.MustCompile(`permission denied|must be owner|must be superuser`), fault.NotPermitted,
			"Run GRANT pg_read_all_data TO the backup role (PostgreSQL 14 and later), " +
				"or GRANT USAGE and SELECT on what is named.",
		},
		{
			regexp.MustCompile(`due to (statement|lock|transaction) timeout|could not obtain lock`), fault.Temporary,
			remedyLocked,
		},
		{conflictWithRecovery, fault.Temporary, remedyConflict},
		{regexp.MustCompile(`too many connections for (database|role)`), fault.Temporary, remedyLimit},
		{
			regexp.MustCompile(`too many clients|too many connections|connection slots are reserved`), fault.Temporary,
			remedySlots,
		},
		{regexp.MustCompile(`No space left on device|[Dd]isk quota exceeded|disk full`), fault.NoSpace, remedyDisk},
		{
			regexp.MustCompile(`invalid page in block|could not read block|missing chunk number|unexpected chunk|` +
				`compressed .*data is corrupt|is not a valid page`),
			fault.Integrity, remedyCorrupt,
		},
		{
			regexp.MustCompile(`server closed the connection|terminating connection|connection to server .* failed|` +
				`could not (connect to|receive data from|send data to|translate host)|connection has been closed|` +
				`no connection to the server|[Cc]onnection (refused|reset|timed out)|timeout expired|lost synchronization|` +
				`database system is (starting up|shutting down|in recovery)`),
			fault.Unavailable, remedyUnreachable,
		},
		{
			regexp.MustCompile(`role ".*" does not exist`), fault.Refused,
			"Restore the globals first, create the role, or restore without owners and grants.",
		},
		{
			regexp.MustCompile(`tablespace ".*" does not exist`), fault.Refused,
			"Create the tablespace, or restore without tablespaces.",
		},
		{
			regexp.MustCompile(`extension ".*" is not available|could not open extension control file|` +
				`could not access file ".*": No such file`),
			fault.Refused, "Install the extension's package on the target server.",
		},
		{
			regexp.MustCompile(`must be (pre)?loaded|shared_preload_libraries|unrecognized configuration parameter "cron\.`),
			fault.Refused, remedyPreload,
		},
		{regexp.MustCompile(`can only create extension in database`), fault.Refused, RemedyBound},
		{regexp.MustCompile(`non-standard string literals are not supported`), fault.Refused, RemedyOldStrings},
		{regexp.MustCompile(`unrecognized configuration parameter "[^"]*\.`), fault.Refused, remedyCustom},
		{regexp.MustCompile(`already exists`), fault.Refused, "Restore into a new, empty database."},
		{
			regexp.MustCompile(`unexpected end of file|could not read from input file|magic string|` +
				`does not appear to be a valid archive|found unexpected block ID|could not find block ID|` +
				`unrecognized data block type|input file .*(too short|corrupt)|invalid .*in archive|unsupported version`),
			fault.Integrity, "Restore another backup, and verify this one.",
		},
	}
})

// diagnose finds the code and remedy for a failed program's last lines.
func diagnose(lines []string) (fault.Code, string) {
	for _, d := range diagnoses() {
		for _, line := range lines {
			if d.text.MatchString(line) {
				return d.code, d.remedy
			}
		}
	}
	return fault.Failed, ""
}
