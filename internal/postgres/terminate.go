package postgres

import (
	"context"
	"maps"
	"slices"
	"time"
)

// terminator ends the connections of databases whose lock a session holds, for as long as that
// session waits for them to go. It needs a session of its own, opened before anything is locked.
type terminator struct {
	holder int32 // pid of the session with the locks
	oids   []uint32

	session *Server
	cancel  context.CancelFunc
	done    chan struct{}
	ended   map[int32]Connection
	err     error
}

const terminateEvery = 100 * time.Millisecond

func (t *terminator) start(ctx context.Context, target Target) (err error) {
	if t.session, err = Connect(ctx, target, 0); err != nil {
		return err
	}
	ctx, t.cancel = context.WithCancel(ctx)
	t.ended, t.done = map[int32]Connection{}, make(chan struct{})
	go func() {
		defer close(t.done)
		for ctx.Err() == nil && t.err == nil {
			t.err = t.once(ctx)
			select {
			case <-ctx.Done():
			case <-time.After(terminateEvery):
			}
		}
	}()
	return nil
}

// once ends who is connected to a locked database. The condition on the lock is what keeps
// anybody from being ended while new ones could still come, or the renaming might never begin;
// materialized, so that it is asked before anybody is ended.
func (t *terminator) once(ctx context.Context) error {
	found, err := collect[Connection](ctx, t.session, `WITH there AS MATERIALIZED (
			SELECT `+seen+` FROM pg_stat_activity AS a
			WHERE a.datid = ANY ($1) AND `+others+`
				AND EXISTS (SELECT FROM pg_locks AS l WHERE l.pid = $2 AND l.granted AND l.mode = 'AccessExclusiveLock'
					AND l.locktype = 'object' AND l.classid = 'pg_database'::regclass AND l.objid = a.datid))
		SELECT * FROM there AS t (pid, usename, application, client, kind, since) WHERE
		pg_terminate_backend(t.pid)`, t.oids, t.holder)
	if ctx.Err() != nil {
		return nil //nolint:nilerr // stopped: what is broken off is no failure
	}
	for _, c := range found {
		t.ended[c.PID] = c
	}
	return classify("postgres: end connections", err)
}

// stop waits for the goroutine and gives what it ended, oldest first.
func (t *terminator) stop(ctx context.Context) (ended []Connection, err error) {
	if t.session == nil {
		return nil, nil
	}
	t.cancel()
	<-t.done
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), attemptTimeout)
	defer cancel()
	_ = t.session.Close(ctx)
	ended = slices.SortedFunc(maps.Values(t.ended), func(a, b Connection) int { return a.Since.Compare(b.Since) })
	return ended, t.err
}
