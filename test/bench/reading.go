package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"filippo.io/age"

	"codeberg.org/pgbtui/pgbtui/internal/backup"
	"codeberg.org/pgbtui/pgbtui/internal/backup/sealed"
	"codeberg.org/pgbtui/pgbtui/internal/backup/stored"
	"codeberg.org/pgbtui/pgbtui/internal/config"
)

// Reading sets back. What a command fetched is what the store served of the dump, so that a request
// that was given up in the middle counts with what was sent for it.

// reading is one command that reads a set.
type reading struct {
	name string
	args []string
	into string // a database that is dropped afterwards
	also bool   // on the small database too: what must take no more memory for a larger one
}

// One table of the seed, about a tenth of the data.
const tableSchema, tableName = "sales", "customers"

// dumpKey is in the key of every dump, encrypted or not.
const dumpKey = "/dump.pgc"

// readings are in order; all are compared with the first.
func readings() []reading {
	whole, table := "bench_whole", "bench_table"
	return []reading{
		{name: "restore", args: []string{"restore", "latest", "--to", whole}, into: whole},
		{name: "restore --table " + tableSchema + "." + tableName, args: []string{"restore", "latest", "--to", table, "--table", tableSchema + "." + tableName}, into: table, also: true},
		{name: "verify", args: []string{"verify", "latest"}, also: true},
		{name: "verify --read-data-subset 5%", args: []string{"verify", "latest", "--read-data-subset", "5%"}},
		{name: "drill", args: []string{"drill", "latest"}, also: true},
	}
}

// readSet is one set and what reading it took.
type readSet struct {
	encrypted bool
	place     place
	commands  []readResult
}

// place is what a set and one table of it weigh, in bytes.
type place struct {
	raw, stored       int64 // of the dump
	tableRaw          int64
	table, head, both float64 // stored: the share of each in the frames that hold it
}

// readResult is one command with its runs, each next to that of the first command of its round.
type readResult struct {
	name  string
	pairs []pair
	reads []read
	small int64 // peak memory on the small database, bytes; 0: not tried
}

// read is what a run fetched of the dump.
type read struct {
	requests int
	bytes    int64
}

// readBack stores both databases, plain and encrypted, and reads them.
func (r *rig) readBack(ctx context.Context, o options) (sets []readSet, err error) {
	for _, encrypted := range []bool{false, true} {
		if _, err := r.emptyStore(ctx); err != nil {
			return nil, err
		}
		if _, err := pgbtui(storing{encrypted: encrypted})(ctx, r, largeDatabase); err != nil {
			return nil, err
		}
		set := readSet{encrypted: encrypted}
		if set.place, err = r.weigh(ctx); err != nil {
			return nil, err
		}
		if set.commands, err = r.readRounds(ctx, encrypted, o.rounds); err != nil {
			return nil, err
		}
		if o.smallMB > 0 {
			if err := r.readSmall(ctx, encrypted, set.commands); err != nil {
				return nil, err
			}
		}
		sets = append(sets, set)
	}
	_, err = r.emptyStore(ctx)
	return sets, err
}

func (r *rig) readRounds(ctx context.Context, encrypted bool, rounds int) ([]readResult, error) {
	commands := readings()
	results := make([]readResult, len(commands))
	for round := range rounds {
		var whole sample
		for i, c := range commands {
			run, fetched, err := r.read(ctx, c, largeDatabase, encrypted)
			if err != nil {
				return nil, err
			}
			if i == 0 {
				whole = run
			}
			to := &results[i]
			to.name, to.pairs, to.reads = c.name, append(to.pairs, pair{floor: whole, run: run}), append(to.reads, fetched)
			say("%s, encrypted %v, round %d of %d: %.1f s", c.name, encrypted, round+1, rounds, run.wall.Seconds())
		}
	}
	return results, nil
}

// readSmall stores the small database and reads it.
func (r *rig) readSmall(ctx context.Context, encrypted bool, results []readResult) error {
	if _, err := pgbtui(storing{encrypted: encrypted})(ctx, r, smallDatabase); err != nil {
		return err
	}
	for i, c := range readings() {
		if !c.also {
			continue
		}
		run, _, err := r.read(ctx, c, smallDatabase, encrypted)
		if err != nil {
			return err
		}
		results[i].small = run.programs.peakRSS
	}
	return nil
}

// read runs one command on settled disks, and leaves no database behind.
func (r *rig) read(ctx context.Context, c reading, database string, encrypted bool) (s sample, fetched read, err error) {
	file, err := r.configFile(database, storing{encrypted: encrypted})
	if err != nil {
		return s, read{}, err
	}
	args := append(c.args, "--config="+file)
	if encrypted {
		args = append(args, "--identity="+r.identityFile())
	}
	r.store.ForgetRequests()
	r.settle()
	began := time.Now()
	took, err := pipeline(r.command(ctx, filepath.Join(r.dir, "pgbtui"), args...))
	s.wall = time.Since(began)
	if ctx.Err() != nil {
		return s, read{}, context.Cause(ctx)
	}
	if err != nil {
		return s, read{}, fmt.Errorf("pgbtui %s: %w", strings.Join(c.args, " "), err)
	}
	s.programs = took[0]
	fetched.requests, fetched.bytes = r.served(dumpKey)
	if c.into != "" {
		err = r.sql(ctx, "postgres", "DROP DATABASE "+c.into)
	}
	return s, fetched, err
}

// weigh looks into the large database's newest set.
func (r *rig) weigh(ctx context.Context) (p place, err error) {
	job := config.Job{Instance: "bench", Database: largeDatabase, S3: config.S3{Bucket: bucketName, Prefix: "postgresql"}}
	set, err := backup.NewCatalogue(r.bucket, job).Find(ctx, backup.Scope{}, "latest")
	if err != nil {
		return p, err
	}
	contents, err := stored.ReadContents(ctx, r.bucket, set, []age.Identity{r.key})
	if err != nil {
		return p, err
	}
	a, x := contents.Archive, contents.Frames
	p = place{raw: x.RawBytes, stored: set.Manifest.Dump.SizeBytes, head: storedBytes(x, 0, a.HeadBytes)}
	for _, e := range a.Entries {
		if e.Desc != "TABLE DATA" || e.Namespace != tableSchema || e.Tag != tableName {
			continue
		}
		for _, d := range a.Data {
			if d.DumpID == e.DumpID {
				p.tableRaw, p.table = d.End-d.Offset, storedBytes(x, d.Offset, d.End)
			}
		}
	}
	p.both = p.head + p.table
	return p, nil
}

// storedBytes is what raw bytes [from, end) take in the frames that hold them, each by its share.
func storedBytes(x sealed.Index, from, end int64) (bytes float64) {
	for i, size := range x.Sizes {
		frame := x.Frame(int64(i))
		if of := min(end, frame.To) - max(from, frame.From); of > 0 {
			bytes += float64(size) * float64(of) / float64(frame.Len())
		}
	}
	return bytes
}
