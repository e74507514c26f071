package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
)

// TryLock takes the session's advisory lock for key, or reports ok=false when another session
// (or an earlier call on this one) holds it. It works in read-only sessions and on standbys.
// The lock lasts until release or the end of the session; Alive tells when it is lost.
// Advisory locks are per database: lockers of one key must be connected to the same one.
func (s *Server) TryLock(ctx context.Context, key string) (release func(context.Context) error, ok bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.locks[key] { // the server would count it twice
		return nil, false, nil
	}
	id := lockID(key)
	if err := s.conn.QueryRow(ctx, "SELECT pg_try_advisory_lock($1)", id).Scan(&ok); err != nil || !ok {
		return nil, false, classify("postgres: lock "+key, err)
	}
	s.locks[key] = true
	return func(ctx context.Context) error { return s.unlock(ctx, key, id) }, true, nil
}

func (s *Server) unlock(ctx context.Context, key string, id int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.locks[key] {
		return nil
	}
	delete(s.locks, key)
	var held bool
	if err := s.conn.QueryRow(ctx, "SELECT pg_advisory_unlock($1)", id).Scan(&held); err != nil {
		return classify("postgres: unlock "+key, err)
	}
	if !held {
		return fault.New(fault.Temporary, fmt.Sprintf("postgres: lock %s was lost before it was released", key), "", nil)
	}
	return nil
}

// lockID is the 64-bit key of a lock: part of a hash, so that other programs' numbers are not met.
func lockID(key string) int64 {
	sum := sha256.Sum256([]byte("pgbtui:" + key))
	return int64(binary.BigEndian.Uint64(sum[:8])) // all 64 bits are wanted, sign included
}
