package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"

	"codeberg.org/pgbtui/pgbtui/internal/backup/restore"
	"codeberg.org/pgbtui/pgbtui/internal/request"
	"codeberg.org/pgbtui/pgbtui/internal/systemd"
)

// The proof: what the bucket holds gives the same database as pg_dump and pg_restore alone.

const (
	copied    = "production_copy"
	reference = "production_reference"
)

func (d *demo) verify(ctx context.Context) (string, error) {
	service, err := systemd.VerifyService(d.set)
	if err != nil {
		return "", err
	}
	if _, err := d.machine.Output(ctx, operator, "systemctl", "start", service); err != nil {
		return "", err
	}
	found, err := d.list(ctx)
	if err != nil {
		return "", err
	}
	for _, set := range found.Sets {
		if set.ID == d.set {
			return "proven: " + set.Proof, nil
		}
	}
	return "", fmt.Errorf("%s is not in the list", d.set)
}

// restore asks as the console does: a request in the operators' folder, then its unit.
func (d *demo) restore(ctx context.Context) (string, error) {
	host, err := d.machine.Output(ctx, operator, "hostname", "--short")
	if err != nil {
		return "", err
	}
	shown, err := d.machine.Output(ctx, operator, "pgbtui", "show", d.set, "--json")
	if err != nil {
		return "", err
	}
	var seen struct{ ManifestSHA256 string }
	if err := json.Unmarshal([]byte(shown), &seen); err != nil {
		return "", fmt.Errorf("read the set: %w", err)
	}
	wish, err := json.Marshal(request.Restore{
		Set: d.set, Instance: strings.TrimSpace(host), Database: database, ManifestSHA256: seen.ManifestSHA256,
		By: operator, At: time.Now().UTC(), Request: restore.Request{To: copied},
	})
	if err != nil {
		return "", err
	}
	write := d.machine.Command(ctx, operator, "sh", "-c", "umask 027; cat >"+request.DefaultDir+"/demo.json")
	write.Stdin = strings.NewReader(string(wish))
	if out, err := write.CombinedOutput(); err != nil {
		return "", fmt.Errorf("write the request: %w: %s", err, out)
	}
	service, err := systemd.RestoreService("demo")
	if err != nil {
		return "", err
	}
	if _, err := d.machine.Output(ctx, operator, "systemctl", "start", service); err != nil {
		return "", err
	}
	return d.machine.SQL(ctx, copied, "SELECT pg_size_pretty(pg_database_size(current_database()))")
}

// restoreReference makes a copy without pgbtui: heap order and inherited columns' order differ from
// the source in any copy, so the source itself is no reference.
func (d *demo) restoreReference(ctx context.Context) (string, error) {
	if _, err := d.machine.SQL(ctx, "postgres", "CREATE DATABASE "+reference+" TEMPLATE template0"); err != nil {
		return "", err
	}
	_, err := d.machine.Output(ctx, "postgres", "sh", "-euc",
		"pg_dump -Fc -Z0 --file=/var/tmp/reference "+database+"; pg_restore --exit-on-error --dbname="+reference+" /var/tmp/reference; rm /var/tmp/reference")
	return "", err
}

// compare reads both dumps side by side, to the first line that differs.
func (d *demo) compare(ctx context.Context) (string, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends the longer dump after a difference
	ours, err := d.startDump(ctx, copied)
	if err != nil {
		return "", err
	}
	theirs, err := d.startDump(ctx, reference)
	if err != nil {
		return "", err
	}
	lines := 0
	for {
		mine, more := ours.next()
		other, moreOther := theirs.next()
		if !more && !moreOther {
			break
		}
		if lines++; mine != other {
			return "", fmt.Errorf("line %d: %q here, %q in the reference", lines, mine, other)
		}
	}
	if err := ours.wait(); err != nil {
		return "", err
	}
	return fmt.Sprintf("%d lines, all equal", lines), theirs.wait()
}

// dump is a pg_dump in plain format, read line by line.
type dump struct {
	cmd    *exec.Cmd
	out    *bufio.Reader
	stderr strings.Builder
	err    error
}

func (d *demo) startDump(ctx context.Context, name string) (*dump, error) {
	r := &dump{cmd: d.machine.Command(ctx, "postgres", "pg_dump", name)}
	r.cmd.Stderr = &r.stderr
	out, err := r.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	r.out = bufio.NewReaderSize(out, 1<<20)
	return r, r.cmd.Start()
}

// next is the next line, without the lines whose random key pg_dump draws anew each time.
func (r *dump) next() (line string, more bool) {
	for {
		line, err := r.out.ReadString('\n')
		if err != nil {
			if err != io.EOF {
				r.err = err
			}
			return line, line != ""
		}
		if !strings.HasPrefix(line, `\restrict `) && !strings.HasPrefix(line, `\unrestrict `) {
			return line, true
		}
	}
}

func (r *dump) wait() error {
	if err := r.cmd.Wait(); err != nil {
		return fmt.Errorf("pg_dump: %w: %s", err, r.stderr.String())
	}
	return r.err
}
