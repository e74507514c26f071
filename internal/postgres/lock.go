package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// Advisory locks: one run at a time, for as long as its session lives.
//
// Rules, since anybody who can connect to a database can take any advisory lock in it:
//
//   - Who holds the lock is told by the role that the server authenticated, never by what a session
//     calls itself. A run of ours has our own role, or one that may act as it: a member, a superuser.
//   - The lock of a key has a known number, so a stranger can hold it. Then it does not count.
//   - A locker therefore takes a ticket besides: a lock whose number is partly random, so that
//     nobody can hold it beforehand, nor all that there are, and looks whether another locker of ours
//     has one. Each takes its own before it looks, so that of two at least one sees the other.

// Lock is a key's lock that this session has.
type Lock struct {
	// Role is whom the server took this session's login for: lockers of ours are told by it.
	Role string
	// Release gives it back before the session's end.
	Release func(context.Context) error
	// Stranger is who else holds the key's own lock, or nil. Only the ticket counts then.
	Stranger *Holder
	// Rivals are other lockers of ours that had a ticket when ours was taken. It is empty unless there
	// is a stranger: then two that begin at once may both see the other, and something else has to
	// decide between them.
	Rivals []Holder
}

// TryLock takes the lock for key, or says who of ours holds it: then there is no Lock. It works in
// read-only sessions and on standbys. Alive tells when the session, and with it the lock, is lost.
// Advisory locks are per database: lockers of one key must be connected to the same one.
func (s *Server) TryLock(ctx context.Context, key string) (*Lock, *Holder, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.locks[key] { // the server would count it twice
		return nil, &Holder{PID: int32(s.conn.PgConn().PID()), Application: appName}, nil // the server's own number
	}
	l, held, err := s.tryLock(ctx, key)
	if err != nil {
		return nil, nil, classify("postgres: lock "+key, err)
	}
	if l != nil {
		s.locks[key] = true
	}
	return l, held, nil
}

func (s *Server) tryLock(ctx context.Context, key string) (*Lock, *Holder, error) {
	keyLock := lockID(key)
	held, stranger, err := s.tryKey(ctx, keyLock)
	if err != nil || held != nil {
		return nil, held, err
	}
	var taken []string
	if stranger == nil {
		taken = append(taken, fmt.Sprintf("SELECT pg_advisory_unlock(%d)", keyLock))
	}
	ticket, err := s.takeTicket(ctx, key)
	if err != nil {
		return nil, nil, err
	}
	taken = append(taken, fmt.Sprintf("SELECT pg_advisory_unlock(%d)", ticket))
	rivals, err := s.rivals(ctx, key)
	if err != nil {
		return nil, nil, err
	}
	if len(rivals) > 0 && stranger == nil { // it began while a stranger had the key's lock
		return nil, &rivals[0], s.giveBack(ctx, key, taken)
	}
	release := func(ctx context.Context) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		if !s.locks[key] {
			return nil
		}
		delete(s.locks, key)
		return s.giveBack(ctx, key, taken)
	}
	l := &Lock{Release: release, Stranger: stranger, Rivals: rivals}
	return l, nil, s.conn.QueryRow(ctx, "SELECT session_user::text").Scan(&l.Role)
}

// A holder may end between the try and the look at it; then the lock is tried again.
const (
	keyTries = 20
	keyPause = 50 * time.Millisecond
)

// tryKey takes the key's own lock, or says who of ours has it, or which stranger.
func (s *Server) tryKey(ctx context.Context, id int64) (held, stranger *Holder, err error) {
	for range keyTries {
		var ok bool
		if err := s.conn.QueryRow(ctx, "SELECT pg_try_advisory_lock($1)", id).Scan(&ok); err != nil || ok {
			return nil, nil, err
		}
		holders, err := s.holders(ctx, oneLock, id)
		if err != nil {
			return nil, nil, err
		}
		for i := range holders {
			if holders[i].Ours {
				return &holders[i], nil, nil
			}
			stranger = &holders[i]
		}
		if stranger != nil {
			return nil, stranger, nil
		}
		select {
		case <-ctx.Done():
			return nil, nil, context.Cause(ctx)
		case <-time.After(keyPause):
		}
	}
	return nil, &Holder{}, nil // it comes and goes, and was never seen: none of ours does that
}

// A ticket is the number of an advisory lock of 64 bits: ticketMark in the uppermost 24, which tells tickets from
// the locks of other programs, 16 of the key, and random ones. So many are random that no lock table has room
// for a stranger who wants to hold them all.
const (
	ticketMark       = 0x706762 // "pgb"
	ticketKeyBits    = 16
	ticketRandomBits = 24
)

// takeTicket takes a lock that nobody could hold beforehand, and gives its number.
func (s *Server) takeTicket(ctx context.Context, key string) (ticket int64, err error) {
	for ok := false; !ok; {
		random := rand.Int64N(1 << ticketRandomBits) //nolint:gosec // who guesses it gains nothing: the next one is taken
		ticket = ticketPrefix(key)<<ticketRandomBits | random
		if err := s.conn.QueryRow(ctx, "SELECT pg_try_advisory_lock($1)", ticket).Scan(&ok); err != nil {
			return 0, err
		}
	}
	return ticket, nil
}

// ticketPrefix is what all tickets of a key begin with.
func ticketPrefix(key string) int64 {
	return ticketMark<<ticketKeyBits | lockID(key)&(1<<ticketKeyBits-1)
}

// Rivals are the other lockers of ours that have a ticket for the key now: one that began behind a stranger's
// lock may have taken its own after ours was given.
func (s *Server) Rivals(ctx context.Context, key string) ([]Holder, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ours, err := s.rivals(ctx, key)
	return ours, classify("postgres: look for other locks of "+key, err)
}

// rivals are the other sessions of ours with a ticket for the key.
func (s *Server) rivals(ctx context.Context, key string) (ours []Holder, err error) {
	all, err := s.holders(ctx, ticketsOfKey, ticketPrefix(key))
	for _, h := range all {
		if h.Ours {
			ours = append(ours, h)
		}
	}
	return ours, err
}

// giveBack unlocks what the session has for a key.
func (s *Server) giveBack(ctx context.Context, key string, taken []string) error {
	for _, sql := range taken {
		var held bool
		if err := s.conn.QueryRow(ctx, sql, pgx.QueryExecModeExec).Scan(&held); err != nil {
			return classify("postgres: unlock "+key, err)
		}
		if !held {
			return fault.New(fault.Temporary, fmt.Sprintf("postgres: lock %s was lost before it was released", key), "", nil)
		}
	}
	return nil
}

// lockID is the 64-bit key of a lock: part of a hash, so that other programs' numbers are not met.
func lockID(key string) int64 {
	sum := sha256.Sum256([]byte("pgbtui:" + key))
	return int64(binary.BigEndian.Uint64(sum[:8])) // all 64 bits are wanted, sign included
}
