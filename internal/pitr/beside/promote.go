package beside

import (
	"context"
	"fmt"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
)

// promoteWait bounds how long a copy is waited for that becomes a server of its own: it writes a checkpoint.
const promoteWait = 10 * time.Minute

// Promote ends a copy's recovery. It can then be written to, and goes no further in the archive.
func (c *Copy) Promote(ctx context.Context) error {
	release, err := c.hold()
	if err != nil {
		return err
	}
	defer release()
	return c.promote(ctx)
}

func (c *Copy) promote(ctx context.Context) error {
	seen, err := c.mustSee(ctx)
	if err != nil {
		return err
	}
	if seen.InRecovery {
		if err := c.resume(ctx); err != nil {
			return err
		}
		for deadline := time.Now().Add(promoteWait); seen.InRecovery; {
			if seen, err = c.See(ctx); err != nil || !seen.Running {
				return c.errEnded()
			}
			if time.Now().After(deadline) {
				return fault.New(fault.Temporary, "pitr: copy "+c.ID+" is still in recovery", "Look again later.", nil)
			}
			select {
			case <-ctx.Done():
				return context.Cause(ctx)
			case <-time.After(50 * time.Millisecond):
			}
		}
	}
	c.Phase = Promoted
	return c.save()
}

func (c *Copy) resume(ctx context.Context) error {
	session, err := postgres.Connect(ctx, c.Database("template1"), 0)
	if err != nil {
		return err
	}
	defer func() { _ = session.Close(ctx) }()
	_, err = session.Ask(ctx, "SELECT pg_catalog.pg_wal_replay_resume()::text", 10*time.Second)
	return err
}

// mustSee is See of a copy that has to be there and running.
func (c *Copy) mustSee(ctx context.Context) (Seen, error) {
	if c.Phase != Ready && c.Phase != Promoted {
		return Seen{}, fault.New(fault.Refused, "pitr: copy "+c.ID+" is "+string(c.State()),
			"Wait for it; if nobody works on it any more, throw it away with `pgbtui cluster discard "+c.ID+"`.", nil)
	}
	if !c.Running() {
		return Seen{}, fault.New(fault.Unavailable, "pitr: the server of copy "+c.ID+" does not run",
			"Start it with `pgbtui cluster start "+c.ID+"`.", nil)
	}
	return c.See(ctx)
}

// lockedSQL counts the relations that a replayed transaction has locked against everybody.
const lockedSQL = `SELECT count(DISTINCT (l.database, l.relation))::text
	FROM pg_catalog.pg_locks AS l JOIN pg_catalog.pg_stat_activity AS a USING (pid)
	WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock' AND l.granted AND a.backend_type = 'startup'`

// freeLocked promotes a copy that has stopped inside of a transaction which had locked tables, such as the DROP TABLE
// before whose commit it stands: as long as recovery could go on, nobody could read just these.
func (c *Copy) freeLocked(ctx context.Context, o Order) error {
	session, err := postgres.Connect(ctx, c.Database("template1"), 0)
	if err != nil {
		return err
	}
	locked, err := session.Ask(ctx, lockedSQL, 10*time.Second)
	_ = session.Close(ctx)
	if err != nil || locked == "0" {
		return err
	}
	o.tell("a transaction that had not ended then has %s tables and indexes locked: "+
		"the copy is promoted, so that they can be read", locked)
	return c.promote(ctx)
}

// begin waits until a server that was started again stands where it stood.
func (c *Copy) begin(ctx context.Context, start func() (<-chan struct{}, error)) error {
	ended, err := start()
	if err != nil {
		return err
	}
	for deadline := time.Now().Add(promoteWait); ; {
		if time.Now().After(deadline) {
			return fault.New(fault.Unavailable, "pitr: the server of copy "+c.ID+" does not say that it is ready",
				"Look into "+c.place().log()+".", err)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-ended:
			return c.errEnded()
		case <-time.After(100 * time.Millisecond):
		}
		var seen Seen
		if seen, err = c.See(ctx); err == nil && seen.Running && (seen.Paused || !seen.InRecovery) {
			return nil
		}
	}
}

// Keep gives a copy more time, from now on.
func (c *Copy) Keep(ttl time.Duration) error {
	if ttl <= 0 || ttl > 365*24*time.Hour {
		return fault.New(fault.Usage, fmt.Sprintf("pitr: %s is no time that a copy can be kept", ttl),
			"Give one up to a year, such as 48h.", nil)
	}
	release, err := c.hold()
	if err != nil {
		return err
	}
	defer release()
	c.Expires, c.Warned = time.Now().UTC().Add(ttl).Truncate(time.Second), false
	return c.save()
}
