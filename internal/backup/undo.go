package backup

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
)

// Putting a database that stands beside a live one in its place: the one that a restore replaced
// (undo), or a copy that a restore had finished but not put there. It needs PostgreSQL and
// nothing else: no bucket, no set.

// SwapRequest says which.
type SwapRequest struct {
	Database  string // the live one
	With      string // "": the newest that a restore replaced
	Confirm   string // Database once more
	Terminate bool   // end the connections of both
}

// Swapped is what was done.
type Swapped struct {
	Database string
	With     string // what the one that is live now was called
	Kept     string // what the one that was live is called now
	Ended    int    // connections

	host string // of the server
}

// WayBack is the command that undoes it.
func (s *Swapped) WayBack() string { return swapLine(s.host, "swap", s.Database, s.Kept) }

// swapLine is a command line of this file's verbs, for a shell.
func swapLine(host, verb, database, with string) string {
	line := RestoreCommand(host) + " restore " + verb
	if with != "" {
		line += " --with=" + shellQuote(with)
	}
	line += " --confirm=" + shellQuote(database)
	if strings.HasPrefix(database, "-") {
		line += " --"
	}
	return line + " " + shellQuote(database)
}

// SwapBack puts it there. Nothing is dropped: what was live is kept under another name.
func SwapBack(ctx context.Context, job config.Job, env Env, req SwapRequest) (*Swapped, error) {
	s := newSwapping(job, env, req)
	done, err := s.do(ctx)
	if err != nil {
		if !errors.Is(err, postgres.ErrSwapUnknown) {
			err = causeOf(ctx, err)
		}
		err = s.explain(err)
		s.log.ErrorContext(context.WithoutCancel(ctx), "restore failed: "+withoutWord(err, "restore"), event(EventRestoreFailed), slog.String("remedy", fault.Remedy(err)))
		return nil, err
	}
	s.log.InfoContext(ctx, fmt.Sprintf("%q is database %q now, what it was is kept as %q", done.With, done.Database, done.Kept), event(EventSwappedBack))
	return done, nil
}

// SwapPreflight looks whether it can work, and changes nothing.
func SwapPreflight(ctx context.Context, job config.Job, env Env, req SwapRequest) ([]Check, error) {
	s := newSwapping(job, env, req)
	if err := s.connect(ctx); err != nil {
		return nil, err
	}
	defer s.close(ctx)
	return s.checks(ctx)
}

type swapping struct {
	job config.Job
	req SwapRequest
	log *slog.Logger
	x   exchange
}

func newSwapping(job config.Job, env Env, req SwapRequest) *swapping {
	log := env.Log.With(slog.String("database", req.Database))
	return &swapping{job: job, req: req, log: log, x: exchange{terminate: req.Terminate, now: env.Now, step: env.swapStep, word: wordUndone}}
}

func (s *swapping) connect(ctx context.Context) (err error) {
	p := s.job.Postgres
	s.x.server, err = waitFor(ctx, s.log, postgres.Target{Host: p.Host, Port: p.Port, User: p.User, Database: maintenance}, s.job.ConnectWait)
	return err
}

func (s *swapping) close(ctx context.Context) {
	ctx, cancel := afterwards(ctx)
	defer cancel()
	_ = s.x.server.Close(ctx)
}

func (s *swapping) do(ctx context.Context) (*Swapped, error) {
	if s.req.Confirm != s.req.Database {
		return nil, fault.New(fault.Refused, fmt.Sprintf("restore: the swap of %q was not confirmed: what was written to it since will be in the kept copy only", s.req.Database),
			fmt.Sprintf("give --confirm and the database's own name, exactly: %q", s.req.Database), nil)
	}
	if err := s.connect(ctx); err != nil {
		return nil, err
	}
	defer s.close(ctx)
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
	return &Swapped{
		Database: s.req.Database, With: s.x.with.Name, Kept: done.kept, Ended: len(done.ended), host: s.job.Postgres.Host,
	}, nil
}

func (s *swapping) checks(ctx context.Context) ([]Check, error) {
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
	target := passes("target", fmt.Sprintf("database %q at %s port %d is put aside, and kept as %q", s.req.Database, place.Host, place.Port, stem(s.req.Database)+"_"+s.x.word+"_<time>"))
	return append([]Check{target, with}, used...), err
}

// choose finds what is to be live: the one that was named, or the newest that was replaced.
func (s *swapping) choose(ctx context.Context) (Check, error) {
	name := s.req.With
	if name == "" {
		names, err := s.x.server.DatabasesLike(ctx, stem(s.req.Database)+"_"+wordBefore+"_")
		if err != nil {
			return Check{}, err
		}
		for _, n := range names { // sorted, so by time
			if wordOf(s.req.Database, n) == wordBefore {
				name = n
			}
		}
		if name == "" {
			return fails("with", fmt.Sprintf("no database %q is there", stem(s.req.Database)+"_"+wordBefore+"_<time>"), "look at what there is (`psql -l`): perhaps it was dropped"), nil
		}
	}
	switch wordOf(s.req.Database, name) {
	case wordBefore, wordUndone:
	case wordRestored:
		s.x.word = wordBefore
	case wordRestoring:
		return fails("with", fmt.Sprintf("database %q is not finished, or was not compared", name), "restore again"), nil
	default:
		return fails("with", fmt.Sprintf("database %q is none that was kept or restored for %q", name, s.req.Database), "look at what there is: `psql -l`"), nil
	}
	with, ok, err := s.x.server.Database(ctx, name)
	if err != nil {
		return Check{}, err
	}
	if !ok {
		return fails("with", fmt.Sprintf("there is no database %q", name), "look at what there is: `psql -l`"), nil
	}
	s.x.with = with
	return passes("with", fmt.Sprintf("database %q takes its place", name)), nil
}

// explain says which of the two states there is.
func (s *swapping) explain(err error) error {
	if errors.Is(err, postgres.ErrSwapUnknown) {
		what := fmt.Sprintf("restore: whether %q was swapped is not known", s.req.Database)
		return fault.New(fault.CodeOf(err), what, fault.Remedy(err), err)
	}
	return left(err, fmt.Sprintf("database %q is as it was", s.req.Database), fault.Remedy(err))
}
