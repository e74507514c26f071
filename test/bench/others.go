package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// Tools that people use instead, each as its own documentation has it. What one of them needs once
// (a repository, a stanza) is made before it is timed.

// others are the ways of other tools that this machine has; missing says what was left out.
func (r *rig) others(aws string) (all []way, missing []string) {
	if aws != "" {
		all = append(all, way{name: "pg_dump -Fd -j2 to a folder, then aws s3 cp --recursive", run: parallelFolder(aws)})
	}
	if restic, err := exec.LookPath("restic"); err == nil {
		tool := resticTool{path: restic}
		all = append(all, way{name: "pg_dump -Fc -Z0 | restic backup --stdin", prepare: tool.prepare, run: tool.run})
	} else {
		missing = append(missing, "There is no restic on this machine: that way is left out.")
	}
	if pgbackrest, err := exec.LookPath("pgbackrest"); err == nil {
		tool := pgbackrestTool{path: pgbackrest}
		all = append(all, way{name: "pgbackrest backup --type=full, of the whole server", prepare: tool.prepare, run: tool.run})
	} else {
		missing = append(missing, "There is no pgBackRest on this machine: that way is left out.")
	}
	return all, missing
}

// parallelFolder dumps with two sessions into a folder, which needs local disk, and uploads that.
func parallelFolder(aws string) func(context.Context, *rig, string) (used, error) {
	return func(ctx context.Context, r *rig, database string) (u used, err error) {
		folder := filepath.Join(r.dir, "dump.folder")
		defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
		cmd := r.command(ctx, filepath.Join(r.server.BinDir, "pg_dump"), "--format=directory", "--jobs=2", "--no-password", "--file="+folder)
		cmd.Env = append(cmd.Env, "PGDATABASE="+database)
		dump, err := pipeline(cmd)
		if err != nil {
			return used{}, err
		}
		dump[0].own += dump[0].children // its sessions
		sent, err := pipeline(r.command(ctx, aws, "--endpoint-url", r.endpoint, "s3", "cp", "--recursive", "--only-show-errors", folder, "s3://"+bucketName+"/dump.folder"))
		return dumped(append(dump, sent...), err)
	}
}

// resticTool keeps a repository of its own in the bucket, which is emptied after each run.
type resticTool struct{ path string }

func (t resticTool) command(ctx context.Context, r *rig, args ...string) *exec.Cmd {
	cmd := r.command(ctx, t.path, append(args, "--option=s3.region="+s3server.DefaultRegion)...)
	cmd.Env = append(cmd.Env, "RESTIC_PASSWORD=bench", "RESTIC_REPOSITORY=s3:"+r.endpoint+"/"+bucketName+"/restic", "TMPDIR="+r.dir)
	if r.caFile != "" {
		cmd.Args = append(cmd.Args, "--cacert="+r.caFile)
	}
	return cmd
}

func (t resticTool) prepare(ctx context.Context, r *rig, _ string) error {
	_, err := pipeline(t.command(ctx, r, "init", "--quiet"))
	return err
}

func (t resticTool) run(ctx context.Context, r *rig, database string) (used, error) {
	took, err := pipeline(r.dump(ctx, database, "--compress=0"),
		t.command(ctx, r, "backup", "--quiet", "--no-cache", "--stdin", "--stdin-filename=dump.backup"))
	return dumped(took, err)
}

// pgbackrestTool copies the files of the server, all of its databases, with two processes. It speaks
// https alone, so the store has a second door for it.
type pgbackrestTool struct{ path string }

func (t pgbackrestTool) command(ctx context.Context, r *rig, verb string, args ...string) *exec.Cmd {
	host, port, _ := net.SplitHostPort(r.secure)
	cmd := r.command(ctx, t.path, append(args, "--stanza=bench", verb)...)
	settings := map[string]string{
		"PG1_PATH": r.server.Data, "PG1_PORT": r.server.Port, "PG1_SOCKET_PATH": r.server.Host, "PG1_USER": r.server.User,
		"REPO1_TYPE": "s3", "REPO1_PATH": "/pgbackrest", "REPO1_S3_BUCKET": bucketName, "REPO1_S3_REGION": s3server.DefaultRegion,
		"REPO1_S3_ENDPOINT": host, "REPO1_STORAGE_PORT": port, "REPO1_STORAGE_VERIFY_TLS": "n", "REPO1_S3_URI_STYLE": "path",
		"REPO1_S3_KEY": s3server.DefaultAccessKey, "REPO1_S3_KEY_SECRET": s3server.DefaultSecretKey,
		"REPO1_RETENTION_FULL": "1", "ARCHIVE_CHECK": "n", "START_FAST": "y", "PROCESS_MAX": "2", "COMPRESS_TYPE": "zst",
		"LOCK_PATH": filepath.Join(r.dir, "pgbackrest-lock"), "SPOOL_PATH": r.dir, "LOG_LEVEL_FILE": "off", "LOG_LEVEL_CONSOLE": "off",
	}
	for name, value := range settings {
		cmd.Env = append(cmd.Env, "PGBACKREST_"+name+"="+value)
	}
	return cmd
}

func (t pgbackrestTool) prepare(ctx context.Context, r *rig, _ string) error {
	if err := r.openSecureDoor(ctx); err != nil {
		return err
	}
	_, err := pipeline(t.command(ctx, r, "stanza-create"))
	return err
}

func (t pgbackrestTool) run(ctx context.Context, r *rig, _ string) (used, error) {
	took, err := pipeline(t.command(ctx, r, "backup", "--type=full"))
	if err != nil {
		return used{}, err
	}
	u := used{programs: took[0]}
	u.programs.own += u.programs.children // its second process
	u.programs.children = 0
	return u, nil
}

// openSecureDoor lets the store be reached by https too.
func (r *rig) openSecureDoor(ctx context.Context) error {
	if r.secure != "" {
		return nil
	}
	if address, ok := strings.CutPrefix(r.endpoint, "https://"); ok {
		r.secure = address
		return nil
	}
	cert, _, err := s3server.SelfSigned("127.0.0.1", "::1", "localhost")
	if err != nil {
		return fmt.Errorf("certificate of the store: %w", err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	r.secure = l.Addr().String()
	r.serve(ctx, l, cert)
	return nil
}
