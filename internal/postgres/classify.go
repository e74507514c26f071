package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// classify gives an error of a session of ours its exit code. nil stays nil.
// SQLSTATEs: PostgreSQL documentation, appendix A.
func classify(what string, err error) error {
	if err == nil {
		return nil
	}
	if connectErr := (*pgconn.ConnectError)(nil); errors.As(err, &connectErr) {
		err = oneLineError{err}
	}
	if known := (*fault.Error)(nil); errors.As(err, &known) { // its code and remedy stay
		return fmt.Errorf("%s: %w", what, err)
	}
	if pg := (*pgconn.PgError)(nil); errors.As(err, &pg) {
		code, remedy := stateCode(pg.Code)
		switch {
		case lockTableFull.MatchString(pg.Message + " " + pg.Hint):
			code, remedy = fault.Refused, remedyLockTable
		case conflictWithRecovery.MatchString(pg.Message): // the SQLSTATE is that of a serialization failure
			code, remedy = fault.Temporary, remedyConflict
		}
		return fault.New(code, what, remedy, discreetRefusal(err, pg))
	}
	if errors.Is(err, os.ErrPermission) {
		return fault.New(fault.NotPermitted, what, "Allow this user into the socket's folder.", err)
	}
	if errors.Is(err, context.Canceled) {
		return fault.New(fault.Terminated, what, "", err)
	}
	if lost(err) {
		return fault.New(fault.Unavailable, what, remedyUnreachable, err)
	}
	return fault.New(fault.Failed, what, "", err)
}

// oneLineError is an error of connecting, which pgx lays out over lines with tabs, one for each address.
type oneLineError struct{ error }

// Error joins the lines: the first ends with a colon.
func (e oneLineError) Error() string {
	lines := strings.Split(e.error.Error(), "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return strings.ReplaceAll(strings.Join(lines, "; "), ":; ", ": ")
}

// Unwrap returns the error itself.
func (e oneLineError) Unwrap() error { return e.error }

// Remedies that sessions and programs share.
const (
	remedyUnreachable = "Check that PostgreSQL runs, and the job's host and port."
	remedyLogin       = "Check the role, pg_hba.conf and the password file; over the socket, peer login needs a role " +
		"named like the system user."
	remedyNoDatabase = "Check the database's name; psql -l lists the databases."
	remedySlots      = "Try again later, or raise max_connections."
	remedyLimit      = "Wait until a session ends, or raise the connection limit: ALTER DATABASE … CONNECTION " +
		"LIMIT, or ALTER ROLE … CONNECTION LIMIT."
	remedyDisk      = "Free disk space on the database server."
	remedyLockTable = "Raise max_locks_per_transaction in that server's postgresql.conf and restart it: " +
		"every table, partition and index that one transaction touches takes a place in its lock table, whose size is " +
		"fixed when it starts."
	remedyLocked = "Find who holds the lock in pg_stat_activity, or raise the lock wait."
)

// lost tells errors of the way to the server from errors of the question.
func lost(err error) bool {
	var netErr net.Error
	var connectErr *pgconn.ConnectError
	return errors.As(err, &netErr) || errors.As(err, &connectErr) || errors.Is(err, io.EOF) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, context.DeadlineExceeded) ||
		errors.Is(err, net.ErrClosed) || pgconn.SafeToRetry(err) // SafeToRetry: the session was closed before
}

// lockTableFull is told by its text: the SQLSTATE is that of any lack of memory (53200). The hint
// names the setting in every language.
var lockTableFull = regexp.MustCompile(`out of shared memory|max_locks_per_transaction`)

// stateTooMany is of a server, a database or a role that takes no more sessions.
const stateTooMany = "53300"

func stateCode(state string) (fault.Code, string) {
	switch state {
	case "3D000":
		return fault.NotFound, remedyNoDatabase
	case "28000", "28P01":
		return fault.NotPermitted, remedyLogin
	case "42501", "25006": // insufficient privilege; a read-only session or standby
		return fault.NotPermitted, "Use a role that may do this."
	case stateTooMany:
		return fault.Temporary, remedySlots
	case "53100":
		return fault.NoSpace, remedyDisk
	case "57P01", "57P02", "57P03", "57P04", "57P05":
		return fault.Unavailable, remedyUnreachable
	case "55P03", "40001", "40P01", "55006", "57014": // locked, serialization, deadlock, in use, timeout
		return fault.Temporary, remedyLocked
	case "XX001", "XX002":
		return fault.Integrity, remedyCorrupt
	}
	switch state[:min(2, len(state))] {
	case "08":
		return fault.Unavailable, remedyUnreachable
	case "53":
		return fault.Temporary, ""
	}
	return fault.Failed, ""
}

// stateOf is the SQLSTATE of a server's refusal, or "".
func stateOf(err error) string {
	if pg := (*pgconn.PgError)(nil); errors.As(err, &pg) {
		return pg.Code
	}
	return ""
}
