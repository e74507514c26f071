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

	"filippo.io/age"
	"golang.org/x/sys/unix"

	"codeberg.org/pgbtui/pgbtui/internal/s3"
	"codeberg.org/pgbtui/pgbtui/test/pgtest"
	"codeberg.org/pgbtui/pgbtui/test/s3server"
)

// rig is what the ways run on: programs built from this checkout, a PostgreSQL server, a store, and
// the means to look into both.
type rig struct {
	dir      string // programs, store, dump files; removed at the end
	server   *pgtest.Server
	store    *s3server.Server
	endStore []func() error
	endpoint string
	caFile   string // "" without TLS
	secure   string // HOST:PORT by which the store speaks https; "": it was not wanted yet
	bucket   *s3.Bucket
	key      *age.X25519Identity
	hurry    bool // times count for nothing, so disks need not be settled
}

const (
	largeDatabase = "large"
	smallDatabase = "small"
)

func newRig(ctx context.Context, o options) (*rig, error) {
	r := &rig{hurry: o.hurry}
	err := r.open(ctx, o)
	if err != nil {
		return nil, errors.Join(err, r.close())
	}
	return r, nil
}

func (r *rig) open(ctx context.Context, o options) (err error) {
	if r.dir, err = os.MkdirTemp(o.dir, "pgbtui-bench"); err != nil {
		return err
	}
	if err = os.Chmod(r.dir, 0o711); err != nil { // a drill by root has its server run by somebody else
		return err
	}
	if r.key, err = age.GenerateX25519Identity(); err != nil {
		return err
	}
	if err = os.WriteFile(r.identityFile(), []byte(r.key.String()+"\n"), 0o600); err != nil {
		return err
	}
	if err = build(ctx, r.dir); err != nil {
		return err
	}
	if err = r.openStore(ctx, o.tls); err != nil {
		return err
	}
	// Seeding a database wants room for its log; the rest is PostgreSQL's default. Nothing may
	// start on its own while something is timed.
	r.server, err = pgtest.Open(pgtest.Options{Settings: map[string]string{
		"shared_buffers": "128MB", "max_wal_size": "8GB", "maintenance_work_mem": "256MB", "autovacuum": "off",
	}})
	return err
}

func (r *rig) close() (err error) {
	if r.bucket != nil {
		r.bucket.Close()
	}
	for _, end := range r.endStore {
		err = errors.Join(err, end())
	}
	if r.server != nil {
		r.server.Close()
	}
	for name := range r.awsVariables() {
		_ = os.Unsetenv(name) // of a store that is gone
	}
	return errors.Join(err, os.RemoveAll(r.dir))
}

// settle waits until what was written so far has reached the disk, so that nothing of it is in the next time.
func (r *rig) settle() {
	if !r.hurry {
		unix.Sync()
	}
}

func (r *rig) identityFile() string { return filepath.Join(r.dir, "identity") }

// build makes the programs. They lie in the module that the bench itself is run from.
func build(ctx context.Context, dir string) error {
	module, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return fmt.Errorf("go env: %w", err)
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", dir+"/", "./cmd/pgbtui", "./test/bench/put", "./test/s3server/cmd/s3server")
	cmd.Dir = filepath.Dir(strings.TrimSpace(string(module)))
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	return nil
}

// storing is what a configuration says of how sets are stored.
type storing struct {
	encrypted   bool
	compression string // "": as pgbtui has it
	streams     int    // 0: as pgbtui has it
}

// configFile writes a configuration of pgbtui for one database. JSON is YAML too.
func (r *rig) configFile(database string, how storing) (string, error) {
	type section = map[string]any
	settings := section{
		"instance": "bench", "database": database,
		"postgres":    section{"host": r.server.Host, "port": r.server.Port, "user": r.server.User, "bin_dir": r.server.BinDir},
		"s3":          section{"bucket": bucketName, "endpoint": r.endpoint, "region": s3server.DefaultRegion, "path_style": true},
		"stall_after": (5 * time.Minute).String(), "spool_dir": r.dir,
	}
	name := database + "-plain" + how.compression + ".yaml"
	if how.compression != "" {
		settings["compression"] = how.compression
	}
	if how.streams > 0 {
		settings["streams"] = how.streams
		name = fmt.Sprintf("%s-streams%d.yaml", database, how.streams)
	}
	if how.encrypted {
		name = database + "-encrypted" + how.compression + ".yaml"
		settings["encryption"] = section{"recipients": []string{r.key.Recipient().String()}}
	}
	content, err := json.Marshal(settings)
	if err != nil {
		return "", err
	}
	file := filepath.Join(r.dir, name)
	return file, os.WriteFile(file, content, 0o600)
}
