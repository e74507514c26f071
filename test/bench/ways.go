package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// way is one way to bring a database into the store.
type way struct {
	name    string
	prepare func(ctx context.Context, r *rig, database string) error // before it is timed; may be nil
	run     func(ctx context.Context, r *rig, database string) (used, error)
}

// used is what a way took. pg_dump is apart: it does the same in every way, but for its gzip.
type used struct {
	programs usage // all programs but pg_dump; peakRSS is of those that run at the same time
	dump     time.Duration
}

// sample is one measured run.
type sample struct {
	used
	wall   time.Duration
	stored int64 // bytes in the bucket afterwards
}

// Names of ways, as the report prints them.
const (
	floorName     = "pg_dump -Fc -Z0 >/dev/null"
	plainName     = "pgbtui --headless"
	encryptedName = "pgbtui --headless, encrypted"
)

// lowestLevelAt is the place of pgbtui at its lowest level in ways.
const lowestLevelAt = 3

func floor() way {
	return way{name: floorName, run: func(ctx context.Context, r *rig, database string) (used, error) {
		took, err := pipeline(r.dump(ctx, database, "--compress=0"))
		return dumped(took, err)
	}}
}

// ways are those that this machine's programs allow; missing says what was left out or replaced.
func (r *rig) ways() (all []way, missing []string) {
	last := uploader{name: "aws s3 cp"}
	var err error
	if last.aws, err = exec.LookPath("aws"); err != nil {
		last.name = "our own uploader"
		missing = append(missing, "There is no aws client on this machine: the ways without pgbtui upload with its uploader (test/bench/put), which flatters them.")
	}
	all = []way{
		{name: plainName, run: pgbtui(storing{})},
		{name: encryptedName, run: pgbtui(storing{encrypted: true})},
		{name: "pg_dump -Fc to a file, then " + last.name, run: last.file},
	}
	for _, level := range []string{"1", "3", "6"} {
		all = append(all, way{name: plainName + ", compression: " + level, run: pgbtui(storing{compression: level})})
	}
	all = append(all, way{name: plainName + ", streams: 2", run: pgbtui(storing{streams: 2})})
	if _, err := exec.LookPath("zstd"); err != nil {
		missing = append(missing, "There is no zstd on this machine: the pipe through it is left out.")
	} else {
		all = append(all, way{name: "pg_dump -Fc -Z0 | zstd -1 -T2 | " + last.name, run: last.pipe})
	}
	others, left := r.others(last.aws)
	return append(all, others...), append(missing, left...)
}

// time runs a way on settled disks and an empty bucket.
func (w way) time(ctx context.Context, r *rig, database string) (s sample, err error) {
	if w.prepare != nil {
		if err := w.prepare(ctx, r, database); err != nil {
			return s, err
		}
	}
	r.settle()
	began := time.Now()
	s.used, err = w.run(ctx, r, database)
	s.wall = time.Since(began)
	if ctx.Err() != nil {
		return s, context.Cause(ctx)
	}
	if err != nil {
		return s, err
	}
	s.stored, err = r.emptyStore(ctx)
	return s, err
}

func pgbtui(how storing) func(context.Context, *rig, string) (used, error) {
	return func(ctx context.Context, r *rig, database string) (used, error) {
		config, err := r.configFile(database, how)
		if err != nil {
			return used{}, err
		}
		took, err := pipeline(r.command(ctx, filepath.Join(r.dir, "pgbtui"), "--headless", "--config="+config))
		if err != nil {
			return used{}, err
		}
		u := used{took[0], took[0].children}
		u.programs.children = 0
		return u, nil
	}
}

// uploader brings a file or a stream into the store: the aws client, or our own.
type uploader struct {
	name string
	aws  string // path; "" for our own
}

const uploadKey = "dump.backup"

func (up uploader) command(ctx context.Context, r *rig, source string) *exec.Cmd {
	if up.aws != "" {
		return r.command(ctx, up.aws, "--endpoint-url", r.endpoint, "s3", "cp", "--only-show-errors", source, "s3://"+bucketName+"/"+uploadKey)
	}
	cmd := r.command(ctx, filepath.Join(r.dir, "put"), uploadKey)
	cmd.Env = append(cmd.Env, "BENCH_ENDPOINT="+r.endpoint, "BENCH_BUCKET="+bucketName)
	return cmd
}

// file is the shell script's way: the dump on the local disk first.
func (up uploader) file(ctx context.Context, r *rig, database string) (u used, err error) {
	file := filepath.Join(r.dir, "dump.backup")
	defer func() { err = errors.Join(err, os.Remove(file)) }()
	dump, err := pipeline(r.dump(ctx, database, "--file="+file))
	if err != nil {
		return used{}, err
	}
	upload := up.command(ctx, r, file)
	if up.aws == "" {
		stored, err := os.Open(file)
		if err != nil {
			return used{}, err
		}
		defer stored.Close()
		upload.Stdin = stored
	}
	sent, err := pipeline(upload)
	return dumped(slices.Concat(dump, sent), err)
}

func (up uploader) pipe(ctx context.Context, r *rig, database string) (used, error) {
	took, err := pipeline(r.dump(ctx, database, "--compress=0"), r.command(ctx, "zstd", "-1", "-T2", "-q", "-c"), up.command(ctx, r, "-"))
	return dumped(took, err)
}

// dumped adds up programs of which the first was pg_dump.
func dumped(took []usage, err error) (used, error) {
	if err != nil {
		return used{}, err
	}
	u := used{dump: took[0].own, programs: usage{written: took[0].written}}
	for _, other := range took[1:] {
		u.programs.own += other.own + other.children
		u.programs.peakRSS += other.peakRSS
		u.programs.written += other.written
	}
	return u, nil
}

func (r *rig) dump(ctx context.Context, database string, args ...string) *exec.Cmd {
	cmd := r.command(ctx, filepath.Join(r.server.BinDir, "pg_dump"), append([]string{"--format=custom", "--no-password"}, args...)...)
	cmd.Env = append(cmd.Env, "PGDATABASE="+database)
	return cmd
}

// command has an environment that leads to the server and the store and holds nothing else of
// the caller's but what finds programs.
func (r *rig) command(ctx context.Context, path string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(unix.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "LANG=C.UTF-8"}
	if r.server != nil {
		cmd.Env = append(cmd.Env, "PGHOST="+r.server.Host, "PGPORT="+r.server.Port, "PGUSER="+r.server.User)
	}
	for name, value := range r.awsVariables() {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	return cmd
}
