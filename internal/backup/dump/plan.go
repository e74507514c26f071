package dump

import (
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
//   - a set of one stream is made where several would bring nothing

const (
	// autoFrom is the size of database from which `auto` has several streams: one reads 10 GiB in a minute or two.
	autoFrom = 10 << 30
	// testedMajor is the newest pg_dump whose archives are known to be what is joined.
	testedMajor = 19
	// smallShare of what a stream has on average is too little to be put into another one.
	smallShare = 100
	// oneHasAll is the share, in hundredths, from which one stream would take as long as all together.
	oneHasAll = 95
	// ownSessions are those of a run beside its streams: the one with the lock, and the one with the snapshot.
	ownSessions = 2
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

// wantedStreams is how many streams are asked for.
func (r *run) wantedStreams(ctx context.Context) (int, error) {
	want := int(r.job.Streams)
	if r.job.Streams == config.StreamsAuto {
		want = autoStreams(r.facts.SizeBytes, runtime.GOMAXPROCS(0), r.tools.Major)
	}
	if want <= 1 {
		return 1, nil
	}
	limit, err := r.server.SessionLimit(ctx)
	if err != nil || limit < 0 || limit >= want+ownSessions {
		return want, err
	}
	if r.job.Streams == config.StreamsAuto {
		return max(1, limit-ownSessions), nil
	}
	return 0, fault.New(fault.Config,
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

// plan shares the rows of the large tables out.
func (r *run) plan(ctx context.Context, told told) (rowsPlan, error) {
	want, err := r.wantedStreams(ctx)
	if err != nil || want <= 1 {
		return nil, err
	}
	all, err := r.server.SizedTables(ctx, r.job.LockWait)
	if err != nil {
		return nil, err
	}
	left := map[postgres.Table]bool{}
	for _, t := range slices.Concat(told.without.tables, told.without.rows) {
		left[t] = true
	}
	all = slices.DeleteFunc(all, func(t postgres.SizedTable) bool {
		return left[t.Table] || r.job.Schema != "" && t.Schema != r.job.Schema
	})
	plan := share(all, want)
	for i, tables := range plan {
		r.log.InfoContext(ctx, fmt.Sprintf("stream %d has %d tables, %s", i+1, len(tables), readable.Size(bytesOf(tables))),
			event.Attr(event.BackupStage), slog.String("stage", string(backup.StageDump)))
	}
	return plan, nil
}

// share puts each table, the largest first, into the stream that has the least. The first stream is the lead, which has
// all small tables from the beginning.
func share(tables []postgres.SizedTable, streams int) (plan rowsPlan) {
	total := bytesOf(tables)
	least := max(1, total/int64(streams*smallShare))
	shares := make([][]postgres.SizedTable, streams)
	load := make([]int64, streams)
	large, small := partition(tables, func(t postgres.SizedTable) bool { return t.Bytes >= least })
	load[0] = bytesOf(small)
	for _, t := range large {
		at := 0
		for i := range load {
			if load[i] < load[at] {
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
		if len(s) > 0 {
			plan = append(plan, s)
		}
	}
	return plan
}

func partition[T any](all []T, is func(T) bool) (yes, no []T) {
	for _, one := range all {
		if is(one) {
			yes = append(yes, one)
		} else {
			no = append(no, one)
		}
	}
	return yes, no
}
