package dump

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"slices"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/config"
	"codeberg.org/pgbtui/pgbtui/internal/event"
	"codeberg.org/pgbtui/pgbtui/internal/fault"
	"codeberg.org/pgbtui/pgbtui/internal/postgres"
	"codeberg.org/pgbtui/pgbtui/internal/readable"
)

// In how many streams a database is dumped, and what each has. Rules:
//
//   - one session of COPY keeps one core of the server busy and no more, whatever disks and network could do; so what
//     counts is how many there are, and that they end together
//   - the dump leads: it has definitions, large objects, small tables, and large ones as far as it has the time
//   - a table is in one stream: its rows are not divided
//   - how long a table takes is only guessed from its size, so some are kept back, in streams of their own: whoever of
//     the first has ended makes room for the next one, the largest first
//   - a set of one stream is made where several would bring nothing

const (
	// autoFrom is the size of database from which `auto` has several streams: they save half a minute there, and more
	// beyond.
	autoFrom = 10 << 30
	// testedMajor is the newest pg_dump whose archives are known to be what is joined.
	testedMajor = 19
	// smallStream is the part of what a stream has on average that is too little for a stream of its own, and smallTable
	// the part of all that is not worth telling a pg_dump of.
	smallStream = 100
	smallTable  = 100_000
	// mostShared bounds the tables that a pg_dump is told of, by arguments of up to 300 bytes each.
	mostShared = 1000
	// oneHasAll is the share, in hundredths, from which one stream would take as long as all together.
	oneHasAll = 95
	// ownSessions are those of a run beside its streams: the one with the lock, and the one with the snapshot.
	ownSessions = 2
	// keptBack is the share, in hundredths, that is not in the streams that begin, where there may be twice as many.
	keptBack = 25
	// keptFrom is the least that a stream which is kept back has: about what COPY reads while a pg_dump starts.
	keptFrom = 16 << 20
)

// rowsPlan is what further streams have, each some tables; none: one stream has all.
type rowsPlan [][]postgres.SizedTable

// tables are those of all streams.
func (p rowsPlan) tables() []postgres.SizedTable { return slices.Concat(p...) }

// bytes is what a stream will about have.
func bytesOf(tables []postgres.SizedTable) (total int64) {
	for _, t := range tables {
		total += t.Bytes
	}
	return total
}

// wantedStreams is how many streams are asked for at once, and how many there may be in all: each has a session with
// its locks from the beginning, also if it is kept back.
func (r *run) wantedStreams(ctx context.Context) (atOnce, most int, err error) {
	want := int(r.job.Streams)
	if r.job.Streams == config.StreamsAuto {
		want = autoStreams(r.facts.SizeBytes, runtime.GOMAXPROCS(0), r.tools.Major)
	}
	if want <= 1 {
		return 1, 1, nil
	}
	limit, err := r.server.SessionLimit(ctx)
	if err != nil || limit < 0 {
		return want, backup.MaxStreams, err
	}
	most = min(limit-ownSessions, backup.MaxStreams)
	if want <= most {
		return want, most, nil
	}
	if r.job.Streams == config.StreamsAuto {
		return max(1, most), max(1, most), nil
	}
	return 0, 0, fault.New(fault.Config,
		fmt.Sprintf("backup: %d streams need %d sessions at once, and the database or the role may have %d", want,
			want+ownSessions, limit),
		"Raise its CONNECTION LIMIT (ALTER DATABASE, ALTER ROLE), or set streams of the job to less.", nil)
}

// autoStreams never takes more than half of the cores: applications, or the encoders, want the others.
func autoStreams(sizeBytes int64, cores, major int) int {
	if sizeBytes < autoFrom || major > testedMajor {
		return 1
	}
	return max(1, min(cores/2, config.MaxStreams))
}

// plan shares the rows of the large tables out, for so many streams at once.
func (r *run) plan(ctx context.Context, told told) (plan rowsPlan, atOnce int, err error) {
	atOnce, most, err := r.wantedStreams(ctx)
	if err != nil || atOnce <= 1 {
		return nil, 1, err
	}
	all, err := r.server.SizedTables(ctx, r.job.LockWait)
	if err != nil {
		return nil, 0, err
	}
	left := map[postgres.Table]bool{}
	for _, t := range slices.Concat(told.without.tables, told.without.rows) {
		left[t] = true
	}
	all = slices.DeleteFunc(all, func(t postgres.SizedTable) bool {
		return left[t.Table] || r.job.Schema != "" && t.Schema != r.job.Schema
	})
	plan = share(all, atOnce, most)
	for i, tables := range plan {
		text := fmt.Sprintf("stream %d has %d tables, %s", i+1, len(tables), readable.Size(bytesOf(tables)))
		if i+1 >= atOnce {
			text += ", kept until another one has ended"
		}
		r.log.InfoContext(ctx, text, event.Attr(event.BackupStage), slog.String("stage", string(backup.StageDump)))
	}
	return plan, atOnce, nil
}

// share puts each table, the largest first as they come, into the stream that has the most room. The lead has all small
// tables from the beginning. Of the others the largest come first, so that what is taken up last is small.
func share(tables []postgres.SizedTable, atOnce, most int) (plan rowsPlan) {
	total := bytesOf(tables)
	room := roomOf(total, atOnce, most)
	shares := make([][]postgres.SizedTable, len(room))
	load := make([]int64, len(room))
	large := worthTelling(tables, max(1, total/smallTable))
	load[0] = bytesOf(tables[len(large):])
	for _, t := range large {
		at := 0
		for i := range room {
			if room[i]-load[i] > room[at]-load[at] {
				at = i
			}
		}
		load[at] += t.Bytes
		shares[at] = append(shares[at], t)
	}
	if slices.Max(load)*100 >= total*oneHasAll {
		return nil
	}
	for _, s := range shares[1:] {
		if n := bytesOf(s); n > 0 && n >= total/int64(atOnce*smallStream) {
			plan = append(plan, s)
		}
	}
	slices.SortStableFunc(plan, func(a, b []postgres.SizedTable) int { return cmp.Compare(bytesOf(b), bytesOf(a)) })
	return plan
}

// roomOf is how much each stream should have: the same for those that begin, and a third of that for those that are
// kept back.
func roomOf(total int64, atOnce, most int) (room []int64) {
	piece := total * keptBack / 100 / int64(atOnce)
	behind := min(most-atOnce, atOnce)
	if piece < keptFrom {
		behind = 0
	}
	for range atOnce {
		room = append(room, (total-piece*int64(behind))/int64(atOnce))
	}
	for range behind {
		room = append(room, piece)
	}
	return room
}

// worthTelling are the first of the tables, which come by size.
func worthTelling(tables []postgres.SizedTable, least int64) []postgres.SizedTable {
	n := slices.IndexFunc(tables, func(t postgres.SizedTable) bool { return t.Bytes < least })
	if n < 0 {
		n = len(tables)
	}
	return tables[:min(n, mostShared)]
}
