// Package journal writes pgbtui's records to the systemd journal and reads its units' records
// back.
//
// Writing is a slog.Handler on the journal's native protocol: one kind of event has one
// MESSAGE_ID, one meaning one priority, and what the entry is about (run, job, database, set,
// stage) is in fields of its own. Without a journal the same records are lines of text.
//
// Reading goes page by page, by cursor, and follows. It trusts only what journald itself
// recorded: anybody can write PGBTUI_* and UNIT= fields.
package journal

import "log/slog"

// Socket is where journald takes entries in its native protocol (systemd-journald.service(8)).
const Socket = "/run/systemd/journal/socket"

// Identifier is SYSLOG_IDENTIFIER= of every entry that pgbtui writes: `journalctl -t pgbtui`.
const Identifier = "pgbtui"

// Levels between and above slog's own.
const (
	LevelNotice = slog.Level(2)  // normal, but worth finding: committed, deleted, operator's action
	LevelAlert  = slog.Level(12) // a person must act
)

// Priority is the syslog priority (syslog(3)) of a level: Debug 7, Info 6, Notice 5, Warn 4,
// Error 3, Alert 1. A level between two has the lower one's.
func Priority(level slog.Level) int {
	switch {
	case level >= LevelAlert:
		return 1
	case level >= slog.LevelError:
		return 3
	case level >= slog.LevelWarn:
		return 4
	case level >= LevelNotice:
		return 5
	case level >= slog.LevelInfo:
		return 6
	}
	return 7
}
