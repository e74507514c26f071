package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"codeberg.org/pgbtui/pgbtui/internal/event"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/printable"
)

// How a call ends: its exit code, and where its error is reported.
//
// Rules: a verb returns its error and prints none of it. The error is reported here, once: in a unit's run as an
// entry in the journal, from which the alert quotes it; everywhere else on standard error. What the run's own log
// has already said is not said again. With --json the error is on standard output besides.

// outcome is an exit code without an error: everything there is to say was printed already.
type outcome struct{ code fault.Code }

func (o *outcome) Error() string { return fmt.Sprintf("exit %d", o.code) }

// exitWith is a bare exit code, or nil for success.
func exitWith(code fault.Code) error {
	if code == fault.OK {
		return nil
	}
	return &outcome{code}
}

// exitCode is the code that an error ends a call with.
func exitCode(err error) fault.Code {
	if bare := (*outcome)(nil); errors.As(err, &bare) {
		return bare.code
	}
	return fault.CodeOf(err)
}

// isOutcome reports whether there is nothing more to say of an error.
func isOutcome(err error) bool {
	bare, said := (*outcome)(nil), (*loggedError)(nil)
	return errors.As(err, &bare) || errors.As(err, &said)
}

// loggedError is an error that the run has already reported in its log.
type loggedError struct{ cause error }

func (l *loggedError) Error() string { return l.cause.Error() }

func (l *loggedError) Unwrap() error { return l.cause }

// logged marks an error of package backup that it has reported itself.
func logged(err error) error {
	if err == nil {
		return nil
	}
	return &loggedError{err}
}

// runKind is a kind of run that units make.
type runKind struct {
	word  string // in messages
	event string // of its failure, in the journal
}

var (
	backupRun       = runKind{word: "backup", event: event.BackupFailed}
	verifyRun       = runKind{word: "verification", event: event.VerifyFailed}
	drillRun        = runKind{word: "drill", event: event.DrillFailed}
	clusterDrillRun = runKind{word: "drill", event: event.ClusterDrillBad}
	restoreRun      = runKind{word: "restore", event: event.RestoreFailed}
	retentionRun    = runKind{word: "retention", event: event.RetentionFailed}
	copyRun         = runKind{word: "copy", event: event.CopyFailed}
	clusterRun      = runKind{word: "cluster request", event: event.ClusterRequestFailed}
	watchRun        = runKind{word: "watch", event: event.Warning}
)

// runError is an error of a unit's run, from before its log or without one.
type runError struct {
	kind  runKind
	cause error
}

func (r *runError) Error() string { return r.cause.Error() }

func (r *runError) Unwrap() error { return r.cause }

// asRun marks the error of a verb that units run.
func asRun(kind runKind, err error) error {
	if err == nil {
		return nil
	}
	return &runError{kind: kind, cause: err}
}

// end reports the error of a call and says with which code the process exits.
func (p *program) end(ctx context.Context, typed *cobra.Command, args []string, err error) fault.Code {
	if err == nil {
		return fault.OK
	}
	if bare := (*outcome)(nil); errors.As(err, &bare) {
		return bare.code
	}
	said, run := (*loggedError)(nil), (*runError)(nil)
	isLogged := errors.As(err, &said)
	isRun := errors.As(err, &run)
	if !isLogged {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		err = withHelp(typed, err)
	}
	if p.json || asksForJSON(args) {
		_ = p.printJSON(jsonError{Schema: jsonSchema, Error: asFault(err)})
	}
	switch {
	case isLogged:
	case isRun && p.inJournal():
		p.failure(context.WithoutCancel(ctx), run.kind, err)
	default:
		explain(p.err, err)
	}
	p.quote(err)
	return fault.CodeOf(err)
}

// explain prints what failed and the remedy, made safe for a terminal.
func explain(w io.Writer, err error) {
	for i, line := range printable.Lines(err.Error()) {
		if i == 0 {
			line = "pgbtui: " + line
		}
		_, _ = fmt.Fprintln(w, line)
	}
	if remedy := fault.Remedy(err); remedy != "" {
		_, _ = fmt.Fprintln(w, "  remedy: "+printable.Text(remedy))
	}
}
