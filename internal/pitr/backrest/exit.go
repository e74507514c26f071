package backrest

import (
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/pitr"
)

// Exit codes of pgBackRest (src/build/error/error.yaml), as far as something better is known to do than to read what
// it says.
const (
	exitOptionInvalid   = 31
	exitOptionRequired  = 37
	exitRunning         = 38
	exitProtocol        = 39
	exitNotEmpty        = 40
	exitFileOpen        = 41
	exitArchiveMismatch = 44
	exitVersion         = 46
	exitPathCreate      = 47
	exitConnect         = 49
	exitLocked          = 50
	exitBackupMismatch  = 51
	exitMissing         = 55
	exitDatabase        = 56
	exitStopped         = 62
	exitTerminated      = 63
	exitFileWrite       = 64
	exitNoBackup        = 75
	exitArchiveTimeout  = 82
	exitArchiveOff      = 87
	exitCrypto          = 95
	exitService         = 101
	exitAccess          = 105
	exitClock           = 106
)

type meaning struct {
	code   fault.Code
	remedy string
}

var meanings = map[int]meaning{
	exitOptionInvalid:  {fault.Config, "Correct the engine's configuration; from 2.59 on root may only restore."},
	exitOptionRequired: {fault.Config, "Correct the engine's configuration."},
	exitRunning:        {fault.Refused, "Stop the PostgreSQL server of that directory, or give another directory."},
	exitProtocol:       {fault.Unavailable, "Run it again; the engine's other process ended too early."},
	exitNotEmpty:       {fault.Refused, "Give an empty directory."},
	exitFileOpen:       {fault.NotPermitted, "Give the owner of the server's files the right to read and write there."},
	exitArchiveMismatch: {
		fault.Refused,
		"The repository is of another server: give this one a path of its own, or run `pgbackrest stanza-upgrade` after a " +
			"major upgrade.",
	},
	exitBackupMismatch: {
		fault.Refused,
		"The repository is of another server: give this one a path of its own, or run `pgbackrest stanza-upgrade` after a " +
			"major upgrade.",
	},
	exitVersion:    {fault.Refused, "Install a pgBackRest that knows this version of PostgreSQL."},
	exitPathCreate: {fault.NotPermitted, "Give the owner of the server's files the right to write there."},
	exitConnect:    {fault.Unavailable, "Check the store's address, its certificate and the network. Nothing changed."},
	exitLocked:     {fault.Temporary, "Wait for the other run, which `pgbtui cluster status` shows."},
	exitMissing:    {fault.NotFound, "Run `pgbtui cluster setup`, which creates what the engine needs in the repository."},
	exitDatabase:   {fault.Unavailable, "Start PostgreSQL, and let the owner of its files log in by the socket."},
	exitStopped: {
		fault.Refused,
		"Somebody has stopped the engine: run `pgbackrest start` as the owner of the server's files when it may go on.",
	},
	exitTerminated: {fault.Terminated, ""},
	exitFileWrite:  {fault.NoSpace, "Look at the room on the disk that the message names."},
	exitNoBackup:   {fault.NotFound, "Choose a time after the end of the oldest backup: see `pgbtui cluster status`."},
	exitArchiveTimeout: {
		fault.Failed,
		"WAL does not reach the archive: `pgbtui cluster status` says more, and the server's log has the archiver's errors.",
	},
	exitArchiveOff: {
		fault.Refused,
		"Set archive_mode and archive_command as `pgbtui cluster setup` shows them, then restart PostgreSQL.",
	},
	exitCrypto:  {fault.Integrity, "Look at repo1-cipher-pass: what is stored cannot be decrypted, or is damaged."},
	exitService: {fault.Unavailable, "Run it again; the store has answered with an error of its own."},
	exitAccess:  {fault.NotPermitted, "Look at the keys in the engine's configuration, and at what they may do."},
	exitClock:   {fault.Failed, "Look at the clock of this host."},
}

// meaningOf turns an exit of pgBackRest into a fault. What it says stays in front of it.
func meaningOf(what string, end *pitr.ExitError) error {
	known, ok := meanings[end.Code]
	if !ok {
		known = meaning{code: fault.Failed}
	}
	said := strings.ToLower(strings.Join(end.Said, " "))
	switch {
	case strings.Contains(said, "[accessdenied]"), strings.Contains(said, "http request failed with 403"),
		strings.Contains(said, "<code>signaturedoesnotmatch"), strings.Contains(said, "<code>invalidaccesskeyid"):
		known = meanings[exitAccess]
	case strings.Contains(said, "no space left"), strings.Contains(said, "disk quota exceeded"):
		known = meanings[exitFileWrite]
	case strings.Contains(said, "unable to find hostname"):
		known = meaning{
			fault.Unavailable,
			"Give s3.endpoint of the cluster by a name that is in the store's certificate: pgBackRest matches no address.",
		}
	case strings.Contains(said, "certificate"):
		known = meaning{
			fault.Unavailable,
			"Give the store's certificate authority as s3.ca_file of the cluster, or correct its certificate.",
		}
	}
	return fault.New(known.code, what, known.remedy, end)
}
