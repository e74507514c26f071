package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/s3"
	"codeberg.org/pgbtui/pgbtui/test/pgtest"
	"codeberg.org/pgbtui/pgbtui/test/proc"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// What very many sets cost: whole commands, on a host that has read nothing yet and on one that has, and a backup
// among them beside one among ten.

const (
	fewSets     = 10
	fewInstance = "few"
	allInstance = "many"
)

// setsFound is what was measured of one number of sets.
type setsFound struct {
	sets int
	rows []setsRow
}

// setsRow is one command.
type setsRow struct {
	name string
	aim  float64 // seconds; 0: none
	runs []setsRun
}

type setsRun struct {
	wall, own, store time.Duration
	rss              int64
	load             string // when it began
}

// crowd is the rig with its store and how to call the program.
type crowd struct {
	*rig
	pid    int // of the store
	rounds int
	found  *setsFound
}

func measureSets(ctx context.Context, o options) (found *setsFound, version string, err error) {
	c := &crowd{rig: &rig{}, rounds: o.rounds, found: &setsFound{sets: o.sets}}
	defer func() { err = errors.Join(err, c.close()) }()
	if err := c.open(ctx, o); err != nil {
		return nil, "", err
	}
	say("planting %d sets", o.sets)
	if err := errors.Join(c.plant(ctx, fewInstance, fewSets), c.plant(ctx, allInstance, o.sets)); err != nil {
		return nil, "", err
	}
	for _, measure := range []func(context.Context) error{c.lists, c.backups} {
		if err := measure(ctx); err != nil {
			return nil, "", err
		}
	}
	return c.found, c.version(ctx), nil
}

// open is the rig's, but for the store, which is a process of its own.
func (c *crowd) open(ctx context.Context, o options) (err error) {
	if c.dir, err = os.MkdirTemp(o.dir, "pgbtui-bench-sets"); err != nil {
		return err
	}
	if err = build(ctx, c.dir); err != nil {
		return err
	}
	if c.pid, err = c.serveFolder(ctx); err != nil {
		return err
	}
	for name, value := range c.awsVariables() {
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	if c.bucket, err = s3.Open(ctx, s3.Options{Bucket: bucketName, Endpoint: c.endpoint}); err != nil {
		return err
	}
	if c.server, err = pgtest.Open(pgtest.Options{}); err != nil {
		return err
	}
	return c.fill(ctx, smallDatabase, o.smallMB)
}

// lists are `list` and `status`: each first without anything kept.
func (c *crowd) lists(ctx context.Context) error {
	for _, verb := range []string{"list", "status"} {
		cold, warm := setsRow{name: "pgbtui " + verb + ", nothing read yet", aim: 3}, setsRow{name: "pgbtui " + verb + ", again", aim: 1}
		for round := range c.rounds {
			home := filepath.Join(c.dir, fmt.Sprintf("home-%s-%d", verb, round))
			for _, row := range []*setsRow{&cold, &warm, &warm} {
				if err := c.time(ctx, row, home, allInstance, verb); err != nil {
					return err
				}
			}
		}
		c.found.rows = append(c.found.rows, cold, warm)
	}
	return nil
}

// backups are runs of a unit that keeps what it knows. The first among very many decides about all of them.
func (c *crowd) backups(ctx context.Context) error {
	few := setsRow{name: fmt.Sprintf("pgbtui --headless among %d sets", fewSets)}
	first := setsRow{name: "the first among all, which has read nothing and decides about all"}
	many := setsRow{name: "each further one"}
	for round := range c.rounds {
		home := filepath.Join(c.dir, fmt.Sprintf("home-backup-%d", round))
		for _, run := range []struct {
			row      *setsRow
			instance string
		}{{&few, fewInstance}, {&first, allInstance}, {&few, fewInstance}, {&many, allInstance}, {&few, fewInstance}, {&many, allInstance}} {
			if err := c.time(ctx, run.row, home, run.instance, "--headless"); err != nil {
				return err
			}
		}
	}
	c.found.rows = append(c.found.rows, few, first, many)
	return nil
}

// time runs one command. home is where it keeps things.
func (c *crowd) time(ctx context.Context, row *setsRow, home, instance, verb string) error {
	file, err := c.setsConfig(instance)
	if err != nil {
		return err
	}
	state := filepath.Join(home, "state-"+instance)
	if err := os.MkdirAll(state, 0o700); err != nil {
		return err
	}
	cmd := c.command(ctx, filepath.Join(c.dir, "pgbtui"), "--config", file, verb)
	cmd.Env = append(cmd.Env, "HOME="+home)
	if verb == "--headless" {
		cmd.Env = append(cmd.Env, "STATE_DIRECTORY="+state)
	}
	run := setsRun{load: loadNow()}
	before, _, _ := proc.CPU(c.pid)
	began := time.Now()
	took, err := pipeline(cmd)
	run.wall = time.Since(began)
	var ended *exec.ExitError
	if errors.As(err, &ended) && ended.ExitCode() == 3 && verb == "status" { // an objective that ten sets do not meet is no failure
		err = nil
	}
	if err != nil {
		return err
	}
	after, _, _ := proc.CPU(c.pid)
	run.own, run.store, run.rss = took[0].own, after-before, took[0].peakRSS
	row.runs = append(row.runs, run)
	say("%s: %.2f s", row.name, run.wall.Seconds())
	return nil
}

func (c *crowd) setsConfig(instance string) (string, error) {
	type section = map[string]any
	content, err := json.Marshal(section{
		"instance": instance, "database": smallDatabase, "keep": section{"days": 3650},
		"postgres": section{"host": c.server.Host, "port": c.server.Port, "user": c.server.User, "bin_dir": c.server.BinDir},
		"s3": section{
			"bucket": bucketName, "prefix": plantedPrefix, "endpoint": c.endpoint, "region": s3server.DefaultRegion, "path_style": true,
		},
		"spool_dir": c.dir,
	})
	if err != nil {
		return "", err
	}
	file := filepath.Join(c.dir, instance+".yaml")
	return file, os.WriteFile(file, content, 0o600)
}

func loadNow() string {
	b, _ := os.ReadFile("/proc/loadavg")
	load, _, _ := strings.Cut(string(b), " ")
	return load
}
