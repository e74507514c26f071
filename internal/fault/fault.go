// Package fault is the one error type that carries what a person and a supervisor need:
// an exit code, what failed, and the remedy.
//
// Rules: packages below cmd wrap causes with %w and attach a Code where they know it;
// cmd/pgbtui turns the code into the exit status, once, at the top. Nothing here prints.
package fault

import (
	"context"
	"errors"
)

// Code is a process exit status. The table is a contract with unit files
// (RestartPreventExitStatus=) and with monitoring; README.md repeats it.
type Code int

// The exit codes. Values from 64 up follow sysexits.h; 130 and 143 follow the shell's 128+signal.
const (
	OK           Code = 0
	Failed       Code = 1   // anything without a code of its own
	Warnings     Code = 3   // done, with warnings; or `status` found an objective breached
	Refused      Code = 4   // preflight failed or a confirmation is missing; nothing was changed
	Usage        Code = 64  // the command line
	Integrity    Code = 65  // stored bytes, counts or signatures do not match
	NotFound     Code = 66  // no such database, backup or bucket
	Unavailable  Code = 69  // PostgreSQL, S3 or systemd cannot be reached
	NoSpace      Code = 73  // a disk, quota or tablespace is full
	Temporary    Code = 75  // locked or throttled: the same call may succeed later
	NotPermitted Code = 77  // credentials, IAM, roles, polkit, file modes
	Config       Code = 78  // configuration file or environment
	Interrupted  Code = 130 // SIGINT
	Terminated   Code = 143 // SIGTERM
)

// Error says what failed, why, and what to do about it.
type Error struct {
	Code   Code
	What   string // "s3: head production/…/manifest.json"
	Remedy string // one imperative sentence, or empty
	Err    error  // the cause, may be nil
}

// Error is What, then the cause. The remedy is kept apart so that it is said once, at the top.
func (e *Error) Error() string {
	switch {
	case e.Err == nil:
		return e.What
	case e.What == "":
		return e.Err.Error()
	}
	return e.What + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// New returns an error with a code. The cause err may be nil; remedy may be empty.
func New(code Code, what, remedy string, err error) error {
	return &Error{Code: code, What: what, Remedy: remedy, Err: err}
}

// CodeOf is the exit code of err: the outermost code in its chain, else 143 or 130 for a
// cancellation whose cause carries it, else Failed. CodeOf(nil) is OK.
func CodeOf(err error) Code {
	if err == nil {
		return OK
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	if errors.Is(err, context.Canceled) {
		return Terminated
	}
	return Failed
}

// Remedy is the outermost non-empty remedy in err's chain, or "".
func Remedy(err error) string {
	for err != nil {
		var e *Error
		if !errors.As(err, &e) {
			return ""
		}
		if e.Remedy != "" {
			return e.Remedy
		}
		err = e.Err
	}
	return ""
}

// Retryable reports whether running the same thing again, unchanged, may succeed.
// The unit files list the other codes in RestartPreventExitStatus=.
func (c Code) Retryable() bool {
	switch c {
	case Failed, Unavailable, NoSpace, Temporary:
		return true
	case OK, Warnings, Refused, Usage, Integrity, NotFound, NotPermitted, Config, Interrupted, Terminated:
		// the same call would end the same way
	}
	return false
}
