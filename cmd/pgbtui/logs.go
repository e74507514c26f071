package main

import (
	"context"
	"io"
	"log/slog"
	"os"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/event"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/journal"
)

// logs are where a call writes what is not its answer: the journal in a unit, readable lines everywhere else.
type logs struct {
	stderr  io.Writer
	journal *journal.Handler // nil until something is logged there
	copyTo  io.Writer        // gets the lines as well; nil: nobody
}

func (l *logs) close() {
	if l.journal != nil {
		_ = l.journal.Close()
	}
}

// inJournal reports whether standard error goes to the journal: this is a unit's process.
func (l *logs) inJournal() bool {
	return l.stderr == io.Writer(os.Stderr) && journal.IsJournalStderr()
}

// logger writes to the journal everything, as a line what is of this level at least.
func (l *logs) logger(level slog.Level) *slog.Logger {
	to := l.handler(level)
	if l.copyTo != nil {
		to = slog.NewMultiHandler(to, journal.NewTextHandler(l.copyTo, slog.LevelInfo))
	}
	return slog.New(to)
}

func (l *logs) handler(level slog.Level) slog.Handler {
	if !l.inJournal() {
		return journal.NewTextHandler(l.stderr, level)
	}
	if l.journal == nil {
		l.journal = journal.NewHandler(journal.HandlerOptions{Level: slog.LevelDebug})
	}
	return l.journal
}

// failure puts an error where the alert looks for it.
func (l *logs) failure(ctx context.Context, kind runKind, err error) {
	text := kind.word + " failed: " + strings.TrimPrefix(err.Error(), kind.word+": ")
	l.logger(slog.LevelInfo).ErrorContext(ctx, text, event.Attr(kind.event),
		slog.Int("exit", int(fault.CodeOf(err))), slog.String("remedy", fault.Remedy(err)))
}

// audit writes who did what to the journal, whatever this process's own log is; where there is no
// journal, it is at least printed.
func (l *logs) audit(ctx context.Context, who journal.Operator, what journal.Action) {
	handler := journal.NewHandler(journal.HandlerOptions{Fallback: l.stderr})
	defer func() { _ = handler.Close() }()
	journal.Audit(ctx, slog.New(handler), who, what)
}
