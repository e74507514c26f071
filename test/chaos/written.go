package chaos

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// Databases that are written to while several streams dump them. Each transaction changes all tables alike, and notes in
// a ledger what each has then: any one state of the database says whether it is one.

const (
	writtenTables = 5
	// locksRefused: a run gives up when the locks of three tries were not to be had.
	locksRefused = 75
	writtenTries = 4
)

// Written backs up a database in four streams under inserts, deletes, TRUNCATE, rewriting ALTER TABLE, and migrations
// that wait for a lock, and holds the copy against its ledger.
func (l *Lab) Written(ctx context.Context, seed, i uint64) (cell *Cell, err error) {
	cell = &Cell{Name: fmt.Sprintf("database %d of seed %d that is written to", i, seed)}
	w, err := l.newWorld(ctx, worldOptions{written: true, streams: 4})
	if err != nil {
		return cell, err
	}
	defer func() { err = errors.Join(err, w.Close(), l.dropDatabase(w.target())) }()
	w.hold(func(op s3server.Op, _ *http.Request) *s3server.Fault {
		if op == s3server.OpCreateMultipart || op == s3server.OpUploadPart {
			time.Sleep(20 * time.Millisecond) // so that something happens meanwhile
		}
		return nil
	})
	writing, stop := context.WithCancel(ctx)
	var writers sync.WaitGroup
	var done atomic.Int64
	for writer := range uint64(2) {
		writers.Go(func() { w.write(writing, rand.New(rand.NewPCG(seed, i<<8|writer)), &done) })
	}
	p, err := w.backUpWhileWritten(ctx, &done)
	stop()
	writers.Wait()
	if err != nil {
		return cell, err
	}
	cell.PeakRSS = p.peak
	if p.code() != exitOK {
		cell.violated("the run: exit code %d: %s", p.code(), p.said())
		return cell, nil
	}
	if w.look(ctx, cell); len(cell.Violations) > 0 {
		return cell, nil
	}
	return cell, w.equalsItsLedger(ctx, cell)
}

// backUpWhileWritten runs backups until one gets its locks, once writing has begun.
func (w *World) backUpWhileWritten(ctx context.Context, done *atomic.Int64) (p *process, err error) {
	for done.Load() == 0 && ctx.Err() == nil {
		time.Sleep(5 * time.Millisecond)
	}
	for range writtenTries {
		if p, err = w.start(ctx); err != nil {
			return nil, err
		}
		if p.wait(); p.code() != locksRefused {
			break
		}
	}
	return p, ctx.Err()
}

// write changes the database until it is stopped. What fails, mostly for a lock, is one transaction less.
func (w *World) write(ctx context.Context, random *rand.Rand, done *atomic.Int64) {
	for ctx.Err() == nil {
		conn, err := w.lab.connect(ctx, w.database)
		if err != nil {
			continue // as long as the server has no session free
		}
		for ctx.Err() == nil {
			if _, err := conn.Exec(ctx, change(random)); err != nil {
				_, err = conn.Exec(ctx, "ROLLBACK")
				if err != nil {
					break
				}
				continue
			}
			done.Add(1)
		}
		_ = conn.Close(context.WithoutCancel(ctx)) // it may be closed already
	}
}

// change is one transaction. The ledger's lock makes it one after the other.
func change(random *rand.Rand) string {
	from := random.IntN(1_000_000)
	rows := random.IntN(400)
	each := func(statement func(table string) string) string {
		var all strings.Builder
		for k := range writtenTables {
			all.WriteString(statement(fmt.Sprintf("l%d", k+1)) + "; ")
		}
		return all.String()
	}
	insert := each(func(table string) string {
		return fmt.Sprintf("INSERT INTO %s (i, a) SELECT i, md5(i::text) FROM generate_series(%d, %d) AS i", table,
			from, from+rows)
	})
	var changes string
	switch random.IntN(8) {
	case 0, 1, 2:
		seventeenth := random.IntN(17)
		changes = each(func(table string) string {
			return fmt.Sprintf("DELETE FROM %s WHERE mod(i, 17) = %d", table, seventeenth)
		})
	case 3:
		changes = each(func(table string) string { return "TRUNCATE " + table }) + insert
	case 4: // a migration: it waits for the locks of whoever dumps
		width := 40 + random.IntN(400)
		changes = each(func(table string) string {
			return fmt.Sprintf("ALTER TABLE %s ALTER COLUMN a TYPE varchar(%d)", table, width)
		})
	default:
		changes = insert
	}
	return "BEGIN; SET LOCAL lock_timeout = '300ms'; LOCK TABLE ledger IN EXCLUSIVE MODE; " + changes +
		"INSERT INTO ledger (rows, sum) SELECT count(*), coalesce(sum(i), 0) FROM l1; COMMIT"
}

// equalsItsLedger restores the set, and compares each table with what the ledger of the copy says.
func (w *World) equalsItsLedger(ctx context.Context, cell *Cell) error {
	p, err := w.restore(ctx)
	if err != nil {
		return err
	}
	if p.wait(); p.code() != exitOK {
		cell.violated("the restore: exit code %d: %s", p.code(), p.said())
		return nil
	}
	cell.Next = true
	conn, err := w.lab.connect(ctx, w.target())
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	var want string
	const last = "SELECT format('%s rows, sum %s', rows, sum) FROM ledger ORDER BY n DESC LIMIT 1"
	if err := conn.QueryRow(ctx, last).Scan(&want); err != nil {
		return err
	}
	for k := range writtenTables {
		var got string
		const sum = "SELECT format('%%s rows, sum %%s', count(*), coalesce(sum(i), 0)) FROM l%d"
		if err := conn.QueryRow(ctx, fmt.Sprintf(sum, k+1)).Scan(&got); err != nil {
			return err
		}
		if got != want {
			cell.violated("FALSE GREEN: table l%d has %s, the ledger of its state %s", k+1, got, want)
		}
	}
	return nil
}
