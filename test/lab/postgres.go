package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
)

// The lab's PostgreSQL: a new cluster "main" of the newest major that Debian's packages installed,
// run by Debian's own postgresql@MAJOR-main.service, peer login over the socket.

// PostgresMajor is the newest server installed on the machine, e.g. "15".
func PostgresMajor() (string, error) { return postgresMajor("/") }

func postgresMajor(root string) (string, error) {
	servers, _ := filepath.Glob(filepath.Join(root, "usr/lib/postgresql/*/bin/postgres"))
	var majors []int
	for _, server := range servers {
		if major, err := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(server)))); err == nil {
			majors = append(majors, major)
		}
	}
	if len(majors) == 0 {
		return "", errors.New("lab: no PostgreSQL server below /usr/lib/postgresql (Debian package postgresql)")
	}
	return strconv.Itoa(slices.Max(majors)), nil
}

// createCluster makes the cluster and waits until it answers. The machine is thrown away, so its
// disk need not be waited for.
func (l *Lab) createCluster(ctx context.Context) error {
	major, err := postgresMajor(l.Root())
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(l.Root(), "usr/bin/pg_createcluster")); err != nil {
		return fmt.Errorf("create cluster: %w (Debian package postgresql-common)", err)
	}
	if _, err := l.Output(ctx, "root", "pg_createcluster", "--locale=C.UTF-8", major, "main", "--", "--no-sync"); err != nil {
		return err
	}
	settings := "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\n"
	if err := l.WriteFile(fmt.Sprintf("/etc/postgresql/%s/main/conf.d/lab.conf", major), settings, 0o644); err != nil {
		return err
	}
	unit := fmt.Sprintf("postgresql@%s-main.service", major)
	if _, err := l.Output(ctx, "root", "systemctl", "daemon-reload"); err != nil {
		return err // the cluster becomes part of postgresql.service through its generator
	}
	if _, err := l.Output(ctx, "root", "systemctl", "start", unit); err != nil {
		return err
	}
	return l.waitPostgreSQL(ctx)
}

// waitPostgreSQL waits until the cluster answers.
func (l *Lab) waitPostgreSQL(ctx context.Context) error {
	return l.poll(ctx, "PostgreSQL", func() error {
		_, err := l.SQL(ctx, "postgres", "SELECT 1")
		return err
	})
}
