package chaos

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// Restores in parallel sessions that are ended from outside. Whatever ends one, its database is left as it is and named,
// by the run itself or, if that was killed, by the next one, which refuses to go on in it; sets and the source are as
// they were; and once the unfinished database is dropped, the next restore needs nobody.

const (
	restoreSessions = 3
	// amid is how much of each object is served to a restore that is held in its rows: the head and some of the rows.
	amid        = 3 << 19
	exitRefused = 4
)

// RestoreKill is kill number i of a seed. Two in three find the sessions held in the middle of their rows, the others
// come at a random time. Sets are of one stream or of four, plain or encrypted.
func (l *Lab) RestoreKill(ctx context.Context, seed, i uint64) (cell *Cell, err error) {
	r := rand.New(rand.NewPCG(seed, 1<<32|i))
	way := []Way{Kill, Terminate, OutOfMemory, KillChild}[i%4]
	o := worldOptions{several: true, streams: []int{1, 4}[i/4%2], sealed: r.IntN(2) == 0}
	m := Moment{Name: "amid parallel rows", hold: holdRows, reached: (*World).rowsAreLoaded}
	if r.IntN(3) == 0 {
		delay := time.Duration(r.Float64() * float64(l.restoreExtent())).Round(time.Millisecond)
		m = Moment{Name: "after " + delay.String(), random: true}
		m.hold, m.reached = afterTime(delay)
	}
	cell = &Cell{Name: fmt.Sprintf("restore %d of seed %d: %s, %d streams, %s", i, seed, m.Name, o.streams, way)}
	w, err := l.newWorld(ctx, o)
	if err != nil {
		return cell, err
	}
	defer func() { err = errors.Join(err, w.Close(), l.dropDatabase(w.target())) }()
	if _, err := w.firstSet(ctx); err != nil {
		return cell, err
	}
	if err := m.hold(w); err != nil {
		return cell, err
	}
	e := newEnder(way)
	p, err := w.restore(ctx)
	if err != nil {
		return cell, err
	}
	if err := errors.Join(w.endAt(ctx, cell, m, e, p), e.end()); err != nil {
		return cell, err
	}
	w.release()
	cell.RealOOM = e.real
	return cell, w.afterRestore(ctx, cell, m, p)
}

// target is the database that a restore makes.
func (w *World) target() string { return "again of " + filepath.Base(w.dir) }

func (w *World) restore(ctx context.Context) (*process, error) {
	return w.start(ctx, "restore", "latest", "--to", w.target(), "--jobs", fmt.Sprint(restoreSessions))
}

// holdRows serves the begin of what is asked for of a dump, and then nothing more.
func holdRows(w *World) error {
	w.hold(func(op s3server.Op, r *http.Request) *s3server.Fault {
		rows := strings.Contains(r.URL.Path, "/dump.pgc") || strings.Contains(r.URL.Path, "/rows-")
		if op == s3server.OpGetObject && rows {
			return &s3server.Fault{Kind: s3server.StallBody, After: amid}
		}
		return nil
	})
	return nil
}

// rowsAreLoaded: several sessions are in the middle of their tables.
func (w *World) rowsAreLoaded(ctx context.Context) bool {
	n, err := w.lab.queryInt(ctx, `SELECT count(*) FROM pg_stat_activity WHERE datname = $1 AND state = 'active'
		AND query LIKE 'COPY %'`, w.target())
	return err == nil && n >= 2
}

// afterRestore holds what is left against what must be, and lets the next restore run.
func (w *World) afterRestore(ctx context.Context, cell *Cell, m Moment, p *process) error {
	cell.PeakRSS = max(cell.PeakRSS, p.peak)
	w.noSessionsIn(ctx, cell, w.target())
	left, err := w.lab.queryInt(ctx, "SELECT count(*) FROM pg_database WHERE datname = $1", w.target())
	if err != nil {
		return err
	}
	success := p.code() == exitOK
	switch {
	case success && left == 0:
		cell.violated("FALSE GREEN: exit 0, and no database: %s", p.said())
	case success && !m.random:
		cell.violated("FALSE GREEN: exit 0 of a restore that was held: %s", p.said())
	case !success && !p.killed() && left == 1 && !strings.Contains(p.said(), "dropdb"):
		cell.violated("it ended with %d and did not name what it left: %s", p.code(), p.said())
	}
	if left == 1 && !success {
		w.refusesUnfinished(ctx, cell)
	}
	if err := w.lab.dropDatabase(w.target()); err != nil {
		return err
	}
	if err := w.nextRestore(ctx, cell); err != nil {
		return err
	}
	w.look(ctx, cell) // the set is whole, nothing lives, nothing is in the spool, no secret is anywhere
	return nil
}

// refusesUnfinished: nothing is restored into a database that is there, whoever left it.
func (w *World) refusesUnfinished(ctx context.Context, cell *Cell) {
	p, err := w.restore(ctx)
	if err != nil {
		cell.violated("start a restore: %v", err)
		return
	}
	if p.wait(); p.code() != exitRefused || !strings.Contains(p.said(), "exists") {
		cell.violated("a restore into what was left: exit code %d: %s", p.code(), p.said())
	}
}

func (w *World) nextRestore(ctx context.Context, cell *Cell) error {
	began := time.Now()
	p, err := w.restore(ctx)
	if err != nil {
		return err
	}
	if !p.within(wholeRun) {
		cell.violated("the next restore does not end: %s", p.said())
		return p.kill()
	}
	w.lab.learnRestore(time.Since(began))
	cell.PeakRSS = max(cell.PeakRSS, p.peak)
	if cell.Next = p.code() == exitOK; !cell.Next {
		cell.violated("the next restore: exit code %d: %s", p.code(), p.said())
		return nil
	}
	want, err := w.sumIn(ctx, w.database)
	if err != nil {
		return err
	}
	got, err := w.sumIn(ctx, w.target())
	if got != want {
		cell.violated("FALSE GREEN: exit 0, and the copy has %s, the source %s", got, want)
	}
	return err
}

// sumIn is what the tables of a database have, and how many indexes it has.
func (w *World) sumIn(ctx context.Context, database string) (sum string, err error) {
	conn, err := w.lab.connect(ctx, database)
	if err != nil {
		return "", err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	err = conn.QueryRow(ctx, `SELECT format('%s rows, sum %s, %s indexes', count(*), sum(hashtextextended(a, i)),
			(SELECT count(*) FROM pg_index WHERE indrelid >= 16384 AND indisvalid))
		FROM (SELECT * FROM s1 UNION ALL SELECT * FROM s2 UNION ALL SELECT * FROM s3 UNION ALL SELECT * FROM s4) AS s`).
		Scan(&sum)
	return sum, err
}

// noSessionsIn: the programs of a run die with it, and the server notices.
func (w *World) noSessionsIn(ctx context.Context, cell *Cell, database string) {
	var n int64
	for deadline := time.Now().Add(backendsGone); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		var err error
		n, err = w.lab.queryInt(ctx, "SELECT count(*) FROM pg_stat_activity WHERE datname = $1", database)
		if err == nil && n == 0 {
			return
		}
	}
	cell.violated("10 s later: %d sessions in the unfinished database", n)
}
