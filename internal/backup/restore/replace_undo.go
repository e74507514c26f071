package restore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/restore/kept"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/event"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
)

// Putting a database that stands beside a live one in its place: the one that a restore replaced
// (undo), or a copy that a restore had finished but not put there. It needs PostgreSQL and
// nothing else: no bucket, no set.

// UndoRequest says which.
type UndoRequest struct {
	Database  string // the live one
	Schema    string // of it, for a tenant's schema that was replaced; "": the database
	With      string // "": the newest that a restore replaced
	Confirm   string // Database once more
	Terminate bool   // end the connections of both
}

// Undone is what was done.
type Undone struct {
	Database string
	Schema   string // of a tenant; "": the database itself
	With     string // what the one that is live now was called
	Kept     string // what the one that was live is called now
	Ended    int    // connections

	host string // of the server
}

// WayBack is the command that undoes it.
func (s *Undone) WayBack() string {
	if s.Schema != "" {
		return schemaLine(s.host, s.Database, s.Schema, s.Kept)
	}
	return swapLine(s.host, "swap", s.Database, s.Kept)
}

// schemaLine is the command line that puts back what was kept of a schema.
func schemaLine(host, database, schema, with string) string {
	line := backup.RestoreCommand(host) + " restore undo --tenant=" + backup.ShellQuote(schema)
	if with != "" {
		line += " --before=" + backup.ShellQuote(with)
	}
	return line + " --confirm=" + backup.ShellQuote(schema) + " -- " + backup.ShellQuote(database)
}

// swapLine is a command line of this file's verbs, for a shell.
func swapLine(host, verb, database, with string) string {
	line := backup.RestoreCommand(host) + " restore " + verb
	if with != "" {
		line += " --with=" + backup.ShellQuote(with)
	}
	line += " --confirm=" + backup.ShellQuote(database)
	if strings.HasPrefix(database, "-") {
		line += " --"
	}
	return line + " " + backup.ShellQuote(database)
}

// Undo puts it there. Nothing is dropped: what was live is kept under another name.
func Undo(ctx context.Context, job config.Job, env backup.Env, req UndoRequest) (*Undone, error) {
	if req.Schema != "" {
		return undoSchema(ctx, job, env, req)
	}
	s := newUndoing(job, env, req)
	done, err := s.do(ctx)
	if err != nil {
		if !errors.Is(err, postgres.ErrSwapUnknown) {
			err = backup.CauseOf(ctx, err)
		}
		err = s.explain(err)
		s.log.ErrorContext(context.WithoutCancel(ctx), "restore failed: "+withoutWord(err, "restore"),
			event.Attr(event.RestoreFailed), slog.String("remedy", fault.Remedy(err)))
		return nil, err
	}
	s.log.InfoContext(ctx,
		fmt.Sprintf("%q is now database %q; the previous one is kept as %q", done.With, done.Database, done.Kept),
		event.Attr(event.SwappedBack))
	return done, nil
}

// UndoPreflight looks whether it can work, and changes nothing.
func UndoPreflight(ctx context.Context, job config.Job, env backup.Env, req UndoRequest) ([]Check, error) {
	s := newUndoing(job, env, req)
	if err := s.connect(ctx); err != nil {
		return nil, err
	}
	defer s.target.close(ctx)
	if req.Schema != "" {
		return s.schemaChecks(ctx)
	}
	return s.checks(ctx)
}

type undoing struct {
	req    UndoRequest
	log    *slog.Logger
	target target
	x      exchange
}

func newUndoing(job config.Job, env backup.Env, req UndoRequest) *undoing {
	log := env.Log.With(slog.String("database", req.Database))
	return &undoing{
		req: req, log: log,
		target: target{at: job.Postgres, wait: job.ConnectWait, log: log},
		x:      exchange{terminate: req.Terminate, now: env.Now, step: env.SwapStep, word: kept.Undone},
	}
}

func (s *undoing) connect(ctx context.Context) error {
	if err := s.target.connect(ctx); err != nil {
		return err
	}
	s.x.server = s.target.server
	return nil
}

// unconfirmed is for a swap of a database or schema whose name was not given twice.
func unconfirmed(kind, name string) error {
	return fault.New(fault.Refused,
		fmt.Sprintf("restore: the swap of %s %q was not confirmed: what was written to it since will be in the kept copy "+
			"only", kind, name),
		fmt.Sprintf("Give --confirm and the %s's own name, exactly: %q.", kind, name), nil)
}

func (s *undoing) do(ctx context.Context) (*Undone, error) {
	if s.req.Confirm != s.req.Database {
		return nil, unconfirmed("database", s.req.Database)
	}
	if err := s.connect(ctx); err != nil {
		return nil, err
	}
	defer s.target.close(ctx)
	if err := lockExchange(ctx, s.x.server, s.req.Database); err != nil {
		return nil, err
	}
	checks, err := s.checks(ctx)
	if err == nil {
		err = refusal("restore", checks)
	}
	if err != nil {
		return nil, err
	}
	done, err := s.x.swap(ctx)
	if err != nil {
		return nil, err
	}
	return &Undone{
		Database: s.req.Database, With: s.x.with.Name, Kept: done.kept, Ended: len(done.ended), host: s.target.at.Host,
	}, nil
}

func (s *undoing) checks(ctx context.Context) ([]Check, error) {
	wrong, err := s.x.find(ctx, s.req.Database)
	if err != nil {
		return nil, err
	}
	if wrong != nil {
		return []Check{*wrong}, nil
	}
	with, err := s.choose(ctx)
	if err != nil || !with.OK {
		return []Check{with}, err
	}
	place, err := s.x.server.Place(ctx)
	if err != nil {
		return nil, err
	}
	used, err := s.x.checks(ctx)
	target := passes("target",
		fmt.Sprintf("database %q at %s port %d is put aside, and kept as %q", s.req.Database, place.Host, place.Port,
			kept.Stem(s.req.Database)+"_"+s.x.word+"_<time>"))
	return append([]Check{target, with}, used...), err
}

// choose finds what is to be live: the one that was named, or the newest that was replaced.
func (s *undoing) choose(ctx context.Context) (Check, error) {
	name := s.req.With
	if name == "" {
		names, err := s.x.server.DatabasesLike(ctx, kept.Stem(s.req.Database)+"_"+kept.Before+"_")
		if err != nil {
			return Check{}, err
		}
		for _, n := range names { // sorted, so by time
			if kept.WordOf(s.req.Database, n) == kept.Before {
				name = n
			}
		}
		if name == "" {
			return fails("with", fmt.Sprintf("no database %q is there", kept.Stem(s.req.Database)+"_"+kept.Before+"_<time>"),
				"Check which databases there are (`psql -l`): perhaps it was dropped."), nil
		}
	}
	switch kept.WordOf(s.req.Database, name) {
	case kept.Before, kept.Undone:
	case kept.Restored:
		s.x.word = kept.Before
	case kept.Restoring:
		return fails("with", fmt.Sprintf("database %q is not finished, or was not compared", name), "Restore again."), nil
	default:
		return fails("with", fmt.Sprintf("database %q was not kept or restored for %q", name, s.req.Database),
			"Check which databases there are with `psql -l`."), nil
	}
	with, ok, err := s.x.server.Database(ctx, name)
	if err != nil {
		return Check{}, err
	}
	if !ok {
		return fails("with", fmt.Sprintf("there is no database %q", name),
			"Check which databases there are with `psql -l`."), nil
	}
	s.x.with = with
	return passes("with", fmt.Sprintf("database %q takes its place", name)), nil
}

// explain says which of the two states there is.
func (s *undoing) explain(err error) error {
	if errors.Is(err, postgres.ErrSwapUnknown) {
		what := fmt.Sprintf("restore: whether %q was swapped is not known", s.req.Database)
		return fault.New(fault.CodeOf(err), what, fault.Remedy(err), err)
	}
	return left(err, fmt.Sprintf("database %q is as it was", s.req.Database), fault.Remedy(err))
}
